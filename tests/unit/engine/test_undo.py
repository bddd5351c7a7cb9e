"""What was done is taken back, verified, and not done again; what cannot be is refused and nothing is touched."""

from __future__ import annotations

import asyncio
import json
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.engine_here import EngineHere
from tests.support.own_config import own_config
from zen_agents.engine import undo
from zen_agents.errors import RefusedError, StoreError, UsageError, ZenError
from zen_agents.model.action import OutcomeKind
from zen_agents.model.entry import EntryKind

OWNER, GROUP = str(os.geteuid()), str(os.getegid())
ALLOWED = ["create_directory", "restore_permissions", "rotate_logs"]


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(undo, "HELD_SECONDS", 0.01)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A directory with a key whose mode is wrong, and without the directory that must be there."""
    home = tmp_path / "srv"
    home.mkdir(mode=0o755)
    (home / "key").write_text("secret")
    (home / "key").chmod(0o644)
    return home


def config(home: Path, *names: str, **sections: Any) -> str:
    """Return a configuration that watches these."""
    own = {"owner": OWNER, "group": GROUP, "every": "1s"}
    paths = {
        "key": {"path": str(home / "key"), "mode": "0600", **own},
        "uploads": {"path": str(home / "app" / "uploads"), "mode": "0750", "kind": "directory", "create": True, **own},
    }
    return own_config({"paths": {name: paths[name] for name in names}}, ALLOWED, **sections)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


async def refused(engine: EngineHere, undoes: str, match: str) -> None:
    """Ask for an undo that is refused with exit code 4, and leaves no intent and no brake behind."""
    before, brakes = len(engine.store.actions()), engine.store.brakes()
    with pytest.raises(ZenError, match=match) as caught:
        await engine.ask("undo", undoes=undoes, reason="a try")
    assert caught.value.exit_code == RefusedError.exit_code
    assert (len(engine.store.actions()), engine.store.brakes()) == (before, brakes)


async def test_mode_comes_back_and_the_engine_leaves_it_so(tmp_path: Path, home: Path) -> None:
    async with EngineHere(tmp_path, config(home, "key")) as engine:
        await engine.settle()
        assert mode(home / "key") == 0o600
        row = engine.action("restore_permissions")
        judged = await engine.ask("judge_undo", undoes=row.id, reason="a look")
        assert (judged["ruling"], judged["paused"]) == ("allow", [f"rule:{row.rule}"])
        assert (judged["plan"]["warning"], mode(home / "key")) == ("widens access, as before", 0o600)

        done = await engine.ask("undo", undoes=row.id, reason="it must be readable")
        assert (done["outcome"], mode(home / "key")) == ("verified", 0o644)
        await engine.settle()
        assert mode(home / "key") == 0o644
        assert engine.outcomes() == [("restore_permissions", "undone"), ("give_back_permissions", "verified")]
        ends = f"{engine.clock.now().after(86400).wall.astimezone():%a %H}:"
        assert any(f"PAUSED until {ends}" in line and row.rule in line for line in engine.engine.abnormal())
        by = engine.store.action(done["action"])
        assert by is not None
        assert (by.requested_by, by.because) == ("alice", "it must be readable")
        (human,) = engine.store.entries(kinds=[EntryKind.HUMAN])
        assert (human.entry.actor, human.entry.id, human.entry.body["undoes"]) == ("alice", "undo", row.id)

        await engine.ask("resume", scope=done["paused"][0], reason="as it was")
        await engine.settle()
        assert mode(home / "key") == 0o600


async def test_made_directories_go_with_those_on_the_way(tmp_path: Path, home: Path) -> None:
    async with EngineHere(tmp_path, config(home, "uploads")) as engine:
        await engine.settle()
        assert (home / "app" / "uploads").is_dir()
        assert engine.action("create_directory").plan["reversible"] == "yes"
        assert (await engine.ask("undo", undoes="@last", reason="not here"))["outcome"] == "verified"
        assert not (home / "app").exists()
        await engine.settle()
        assert not (home / "app").exists()


async def test_a_second_undo_and_an_undo_of_an_undo_are_refused(tmp_path: Path, home: Path) -> None:
    async with EngineHere(tmp_path, config(home, "key")) as engine:
        await engine.settle()
        row = engine.action("restore_permissions")
        done = await engine.ask("undo", undoes=row.id, reason="a try")
        await refused(engine, row.id, "undone already")
        await refused(engine, done["action"], "itself an undo")
        assert mode(home / "key") == 0o644


async def test_two_undos_at_once_run_one(tmp_path: Path, home: Path) -> None:
    async with EngineHere(tmp_path, config(home, "key")) as engine:
        await engine.settle()
        row = engine.action("restore_permissions")
        asked = [engine.ask("undo", undoes=row.id, reason="a try") for _ in range(2)]
        ended = await asyncio.gather(*asked, return_exceptions=True)
        assert sorted(isinstance(one, ZenError) for one in ended) == [False, True]
        assert engine.outcomes() == [("restore_permissions", "undone"), ("give_back_permissions", "verified")]


def _other_mode(home: Path) -> None:
    (home / "key").chmod(0o640)


def _another_file(home: Path) -> None:
    (home / "new").write_text("another")
    (home / "new").chmod(0o600)
    (home / "new").rename(home / "key")


def _gone(home: Path) -> None:
    (home / "key").unlink()


@pytest.mark.parametrize("change", [_other_mode, _another_file, _gone])
async def test_what_was_changed_since_is_left(tmp_path: Path, home: Path, change: Callable[[Path], None]) -> None:
    async with EngineHere(tmp_path, config(home, "key")) as engine:
        await engine.settle()
        change(home)
        present = (home / "key").stat() if (home / "key").exists() else None
        await refused(engine, "@last", "stale_plan: .*nothing was done")
        assert (home / "key").exists() == (present is not None)
        assert present is None or (home / "key").stat() == present


async def test_a_directory_in_use_stays(tmp_path: Path, home: Path) -> None:
    async with EngineHere(tmp_path, config(home, "uploads")) as engine:
        await engine.settle()
        (home / "app" / "uploads" / "a").write_text("precious")
        await refused(engine, "@last", "in use")
        assert (home / "app" / "uploads" / "a").read_text() == "precious"


async def test_setuid_never_comes_back(tmp_path: Path, home: Path) -> None:
    (home / "key").chmod(0o4755)
    async with EngineHere(tmp_path, config(home, "key")) as engine:
        await engine.settle()
        await refused(engine, "@last", "never given back")
        assert mode(home / "key") == 0o600


async def test_the_emergency_stop_outranks_an_undo(tmp_path: Path, home: Path) -> None:
    async with EngineHere(tmp_path, config(home, "key")) as engine:
        await engine.settle()
        engine.runtime._machine.flag(engine.state).set(by="bob", reason="drill", at=engine.clock.now().wall)
        await refused(engine, "@last", "emergency_stop")
        assert mode(home / "key") == 0o600


async def test_an_action_that_is_not_over_has_to_end_first(tmp_path: Path, home: Path) -> None:
    async with EngineHere(tmp_path, config(home, "key")) as engine:
        await engine.settle()
        row = engine.action("restore_permissions")
        state = engine.store._file.connection
        state.execute("UPDATE actions SET kind = 'running' WHERE id = ?", (row.id,))
        await refused(engine, row.id, "still running")
        assert mode(home / "key") == 0o600
        state.execute("UPDATE actions SET kind = 'verified' WHERE id = ?", (row.id,))
        await engine.ask("undo", undoes=row.id, reason="it is over now")
        assert mode(home / "key") != 0o600


async def test_without_a_reason_or_a_known_action_nothing_is_judged(tmp_path: Path, home: Path) -> None:
    async with EngineHere(tmp_path, config(home, "key")) as engine:
        await engine.settle()
        with pytest.raises(UsageError, match="reason"):
            await engine.ask("undo", undoes="@last")
        with pytest.raises(UsageError, match="names no actions"):
            await engine.ask("undo", undoes="act-none", reason="a try")


async def test_an_action_that_left_the_allow_list_is_not_undone(tmp_path: Path, home: Path) -> None:
    async with EngineHere(tmp_path, config(home, "key")) as engine:
        await engine.settle()
        engine.write(own_config({"paths": {}}, ["create_directory"]))
        await engine.ask("reload")
        await refused(engine, "@last", "not_allowed")
        assert mode(home / "key") == 0o600


async def test_where_the_intent_cannot_be_written_nothing_is_done_and_nothing_paused(
    tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with EngineHere(tmp_path, config(home, "key")) as engine:
        await engine.settle()

        def full(*_: object, **__: object) -> None:
            raise StoreError("no room")

        monkeypatch.setattr(engine.store, "reserve", full)
        with pytest.raises(StoreError):
            await engine.ask("undo", undoes="@last", reason="a try")
        assert (mode(home / "key"), engine.store.brakes()) == (0o600, ())


@pytest.mark.parametrize("done", [False, True])
async def test_an_undo_that_a_crash_cut_short_is_looked_at_and_not_repeated(
    tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch, done: bool
) -> None:
    class Killed(BaseException):
        """Ends the engine where it stands."""

    async with EngineHere(tmp_path, config(home, "key")) as engine:
        await engine.settle()
        if done:
            monkeypatch.setattr(engine.engine.undo, "_verified", lambda *_: (_ for _ in ()).throw(asyncio.CancelledError))
        else:
            monkeypatch.setattr(engine.parts.executor, "start", lambda *_: (_ for _ in ()).throw(asyncio.CancelledError))
        with pytest.raises(asyncio.CancelledError):
            await engine.ask("undo", undoes="@last", reason="a try")
        assert mode(home / "key") == (0o644 if done else 0o600)
    async with EngineHere(tmp_path, config(home, "key")) as engine:
        await asyncio.gather(*engine.engine.undo._under_way)
        kinds = [kind for _, kind in engine.outcomes()]
        assert kinds == (["undone", "verified"] if done else ["verified", "failed"])
        assert mode(home / "key") == (0o644 if done else 0o600)


async def test_what_did_not_come_back_is_told_as_failed(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with EngineHere(tmp_path, config(home, "key")) as engine:
        await engine.settle()
        row, missing = engine.action("restore_permissions"), engine.parts.planning.missing

        async def changed_back(intent: Any) -> str:
            answer = await missing(intent)
            (home / "key").chmod(0o600)
            return answer

        monkeypatch.setattr(engine.parts.planning, "missing", changed_back)
        done = await engine.ask("undo", undoes=row.id, reason="a try")
        assert done["outcome"] == "failed"
        assert "is 0600" in done["detail"]
        kept = engine.store.action(row.id)
        assert kept is not None
        assert kept.kind is OutcomeKind.VERIFIED


async def test_what_has_no_way_back_says_so(tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    log.write_text("x" * 4096)
    health = {"logs": {"app": {"path": str(log), "rotate_at": "1KiB", "keep": 2, "every": "1s"}}}
    async with EngineHere(tmp_path, own_config(health, ALLOWED)) as engine:
        await engine.settle()
        assert engine.outcomes() == [("rotate_logs", "verified")]
        await refused(engine, "@last", "no previous state to return to. You can: zen-agents pause")


# -- files of the quarantine ----------------------------------------------------------------------------------------------
@pytest.fixture
def pidfile(tmp_path: Path) -> Path:
    """The pidfile of a service whose process is gone."""
    path = tmp_path / "run" / "app.pid"
    path.parent.mkdir(mode=0o755)
    path.write_text("4194000\n")
    path.chmod(0o640)
    os.utime(path, ns=(10**18, 10**18 + 5))
    return path


def file_facts(path: Path) -> tuple[object, ...] | None:
    """Return content, mode, owner and time of a file; None if it is not there."""
    if not path.exists():
        return None
    found = path.stat()
    return path.read_text(), found.st_mode, found.st_uid, found.st_gid, found.st_mtime_ns


def _service(pidfile: Path) -> str:
    command = {"start": ["/bin/false"], **({"user": "root"} if os.geteuid() == 0 else {})}
    service = {"pidfile": str(pidfile), "command": command, "every": "1s", "on_failure": ["remove_stale_pidfile"]}
    return own_config({"services": {"app": service}}, {"remove_stale_pidfile": {"verify_within": "0s"}})


async def test_a_pidfile_comes_back_as_it_was(tmp_path: Path, pidfile: Path) -> None:
    before = file_facts(pidfile)
    async with EngineHere(tmp_path, _service(pidfile)) as engine:
        await engine.ask("act", action="remove_stale_pidfile", target="app", reason="it is in the way")
        assert file_facts(pidfile) is None
        done = await engine.ask("undo", undoes="@last", reason="it was not")
        assert (done["outcome"], file_facts(pidfile)) == ("verified", before)


def _edited(quarantine: Path) -> None:
    (blob,) = [path for path in quarantine.iterdir() if path.suffix != ".json"]
    blob.write_text("1\n")


def _expired(quarantine: Path) -> None:
    for path in quarantine.iterdir():
        path.unlink()


def _card_edited(quarantine: Path) -> None:
    (card,) = quarantine.glob("*.json")
    card.write_text("{}")


@pytest.mark.parametrize(
    ("change", "why"), [(_edited, "damaged"), (_expired, "time to live is over"), (_card_edited, "cannot be read")]
)
async def test_what_the_quarantine_no_longer_has_is_not_given_back(
    tmp_path: Path, pidfile: Path, change: Callable[[Path], None], why: str
) -> None:
    async with EngineHere(tmp_path, _service(pidfile)) as engine:
        await engine.ask("act", action="remove_stale_pidfile", target="app", reason="it is in the way")
        change(engine.state / "quarantine")
        await refused(engine, "@last", why)
        assert file_facts(pidfile) is None


async def test_what_is_there_now_is_never_replaced(tmp_path: Path, pidfile: Path) -> None:
    async with EngineHere(tmp_path, _service(pidfile)) as engine:
        await engine.ask("act", action="remove_stale_pidfile", target="app", reason="it is in the way")
        await asyncio.to_thread(pidfile.write_text, "77\n")
        present = file_facts(pidfile)
        await refused(engine, "@last", "never replaced")
        assert file_facts(pidfile) == present


async def test_the_quarantine_is_as_large_and_as_patient_as_the_configuration_says(tmp_path: Path, pidfile: Path) -> None:
    first = _service(pidfile)
    async with EngineHere(tmp_path, first) as engine:
        quarantine = engine.runtime.controls.quarantine  # type: ignore[attr-defined]
        assert (quarantine.keep_seconds, quarantine.most_bytes) == (7 * 86400.0, 1 << 30)
        changed = {**json.loads(first), "retention": {"quarantine": "50ms", "quarantine_size": "2B"}}
        engine.write(json.dumps(changed))
        await engine.ask("reload")
        await engine.ask("act", action="remove_stale_pidfile", target="app", reason="it is in the way")
        # Eight bytes do not fit into two: it stays where it is.
        assert engine.action("remove_stale_pidfile").kind is OutcomeKind.FAILED
        assert file_facts(pidfile) is not None

        engine.write(json.dumps({**changed, "retention": {"quarantine": "50ms"}}))
        await engine.ask("reload")
        await engine.ask("act", action="remove_stale_pidfile", target="app", reason="it is in the way")
        async with asyncio.timeout(30):
            while quarantine.files():
                engine.runtime.upkeep.prune()
                await asyncio.sleep(0.01)
        await refused(engine, "@last", "time to live is over")


async def test_a_repair_that_was_undone_still_counts_as_one(tmp_path: Path, home: Path) -> None:
    """Else a fix that a person takes back again and again would never be found to keep coming back (R7)."""
    async with EngineHere(tmp_path, config(home, "key")) as engine:
        await engine.settle()
        row = engine.action("restore_permissions")
        key = f"{row.rule}|{row.target}"
        assert engine.store.repairs(key, 0.0) == 1
        await engine.ask("undo", undoes=row.id, reason="a try")
        assert engine.store.repairs(key, 0.0) == 1
