"""The actions that make room, on real files."""

from __future__ import annotations

import gzip
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chaos.simulation.host import SimulatedHost
from tests.support.changing import Changing, changing
from zen_agents.actions.base import Action
from zen_agents.actions.clean_temp_files import CleanTempFiles
from zen_agents.actions.clear_cache import ClearCache
from zen_agents.actions.rotate_logs import RotateLogs
from zen_agents.actions.truncate_deleted_log import TruncateDeletedLog
from zen_agents.adapters.linux_view_files import FileLook
from zen_agents.clock import ForwardSteps, ManualClock
from zen_agents.errors import HostError, RefusedError, StalePlanError, UnsafePathError
from zen_agents.model.action import ActionRequest, Reversible
from zen_agents.model.reason import Reason
from zen_agents.ports.host_resources import DiskUse

DAY = 86400.0


@pytest.fixture
def here(tmp_path: Path) -> Changing:
    return changing(tmp_path)


@pytest.fixture
def top(tmp_path: Path) -> Path:
    (tmp_path / "top").mkdir()
    return tmp_path / "top"


def put(path: Path, *, size: int = 10, days: float = 0.0) -> Path:
    """Write a file whose newest time is its change time, or `days` from now on."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x" * size)
    if days:
        when = datetime.now(UTC).timestamp() + days * DAY
        os.utime(path, (when, when))
    return path


def names(top: Path) -> set[str]:
    return {str(path.relative_to(top)) for path in top.rglob("*") if not path.is_dir() or path.is_symlink()}


# -- clean_temp_files -----------------------------------------------------------------------------------------------------
#: Ten days from now: what was just written is old then. Change times cannot be set, so the clock is.
LATER = CleanTempFiles(ManualClock(datetime.now(UTC) + timedelta(days=10)))
AGED = {"older_than_seconds": 2 * DAY}


async def test_old_files_go_and_everything_else_stays(here: Changing, top: Path, tmp_path: Path) -> None:
    put(top / "old")
    put(top / "deep" / "er" / "old")
    put(top / "fresh", days=9.5)
    put(tmp_path / "victim")
    os.link(tmp_path / "victim", top / "hard")
    (top / "link").symlink_to(tmp_path / "victim")
    (top / "way out").symlink_to(tmp_path)
    os.mkfifo(top / "fifo")
    effect = await here.act(LATER, "temp_dir:app", {"path": str(top), **AGED})
    assert effect.ok
    assert names(top) == {"fresh", "hard", "link", "way out", "fifo"}
    assert (tmp_path / "victim").exists()
    assert effect.detail == "removed 2 files, 20 B"
    assert effect.before.startswith("disk used")


async def test_what_is_read_still_is_not_old(here: Changing, top: Path) -> None:
    path = put(top / "read")
    when = datetime.now(UTC).timestamp()
    os.utime(path, (when + 9.5 * DAY, when))
    put(top / "old")
    await here.act(LATER, "temp_dir:app", {"path": str(top), **AGED})
    assert names(top) == {"read"}


async def test_a_clock_that_is_set_forward_makes_no_file_old(here: Changing, top: Path) -> None:
    clock = ManualClock(datetime.now(UTC))
    action, request = CleanTempFiles(clock), ActionRequest("clean_temp_files", "temp_dir:app", {"path": str(top), **AGED})
    put(top / "in use an hour ago")
    clock.jump_wall(10 * DAY)
    with pytest.raises(StalePlanError, match="nothing in"):
        action.plan(request, here.host.look())
    clock.advance(DAY)
    with pytest.raises(StalePlanError, match="nothing in"):
        action.plan(request, here.host.look())
    clock.advance(DAY + 60)
    assert (await here.act(action, "temp_dir:app", {"path": str(top), **AGED})).ok, "by now it really is old"


@given(st.lists(st.tuples(st.floats(0, 1e6), st.floats(-1e7, 1e7)), max_size=20))
def test_no_setting_of_the_clock_makes_a_file_older_than_it_is(moves: list[tuple[float, float]]) -> None:
    clock = ManualClock(datetime(2026, 1, 1, tzinfo=UTC))
    steps, touched = ForwardSteps(clock.now()), []
    for passed, jump in moves:
        touched.append(clock.now())
        clock.advance(passed)
        clock.jump_wall(jump)
        now = clock.now()
        ahead = steps.within(DAY, now)
        for then in touched:
            looks_old = (now.wall - then.wall).total_seconds() - ahead > DAY
            # What has not been looked at since it was set is noticed at the next look: a second each is let pass.
            assert not looks_old or now.steady - then.steady > DAY - len(moves) - 1


async def test_an_open_file_is_left_and_told(here: Changing, top: Path) -> None:
    put(top / "gone")
    with put(top / "open").open():
        effect = await here.act(LATER, "temp_dir:app", {"path": str(top), **AGED})
    assert names(top) == {"open"}
    assert "left 1" in effect.detail
    assert "held open" in effect.detail


async def test_it_stops_when_the_disk_is_free_enough_and_takes_the_oldest_first(
    here: Changing, top: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(64):
        put(top / f"{number:02}", days=number / 100)

    def use(_: str) -> DiskUse:
        return DiskUse(1000, 1000 - 10 * len(list(top.iterdir())), 1, 1)

    monkeypatch.setattr("zen_agents.adapters.linux_view_files.disk_use", use)
    effect = await here.act(
        LATER, "temp_dir:app", {"path": str(top), **AGED, "down_to_percent": 40.0, "above_percent": 50.0}
    )
    left = sorted(names(top))
    assert effect.before == "disk used 64.0 %"
    assert left == [f"{number:02}" for number in range(64 - len(left), 64)]
    # Looked at every sixteen files.
    assert 24 < len(left) <= 40


async def test_a_disk_without_inodes_is_full_and_it_stops_when_there_are_enough(
    here: Changing, top: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(64):
        put(top / f"{number:02}", size=0)
    monkeypatch.setattr(
        "zen_agents.adapters.linux_view_files.disk_use",
        lambda _: DiskUse(1000, 990, 100, 100 - len(list(top.iterdir()))),
    )
    effect = await here.act(
        LATER, "temp_dir:app", {"path": str(top), **AGED, "down_to_percent": 40.0, "above_percent": 50.0}
    )
    assert effect.before == "disk used 64.0 %"
    assert 24 < len(names(top)) <= 40


def test_nothing_is_planned_where_there_is_nothing_to_do(here: Changing, top: Path) -> None:
    put(top / "fresh", days=9.5)
    with pytest.raises(StalePlanError, match="nothing in"):
        here.plan(LATER, "temp_dir:app", {"path": str(top), **AGED})
    put(top / "old")
    with pytest.raises(StalePlanError, match="no more than 100"):
        here.plan(LATER, "temp_dir:app", {"path": str(top), **AGED, "above_percent": 100.0})


def test_a_plan_says_that_it_is_irreversible_and_changes_nothing(here: Changing, top: Path) -> None:
    put(top / "old")
    plan = here.plan(LATER, "temp_dir:app", {"path": str(top), **AGED})
    assert plan.reversible is Reversible.NO
    assert "irreversible" in plan.warning
    assert any("remove old" in step for step in plan.steps)
    assert [touched.name for touched in plan.touches] == [str(top)]
    assert names(top) == {"old"}


@pytest.mark.parametrize(
    ("action", "target", "params"), [(LATER, "temp_dir:app", AGED), (ClearCache(), "cache:app", {"down_to_bytes": 5})]
)
def test_right_before_it_is_done_the_directory_is_looked_at_and_not_all_that_is_in_it(
    action: Action, target: str, params: dict[str, float], here: Changing, top: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(top / "old")
    plan = here.plan(action, target, {"path": str(top), **params})
    monkeypatch.delattr(FileLook, "list_directory")
    assert action.fingerprint(plan.request, here.host.look()) == plan.fingerprint
    top.rename(top.with_name("moved"))
    top.mkdir()
    assert action.fingerprint(plan.request, here.host.look()) != plan.fingerprint, "it is another directory by now"
    top.rmdir()
    with pytest.raises(StalePlanError):
        action.fingerprint(plan.request, here.host.look())


@pytest.mark.parametrize("target", ["", "temp_dir:", "temp_dir: ", "cache:app", "*"])
def test_an_empty_or_foreign_target_is_refused(target: str, here: Changing, top: Path) -> None:
    with pytest.raises(RefusedError):
        here.plan(LATER, target, {"path": str(top), **AGED})


def test_a_link_or_a_file_instead_of_the_directory_is_refused(here: Changing, top: Path) -> None:
    (top / "link").symlink_to("/etc")
    put(top / "file")
    for name in ("link", "file"):
        with pytest.raises(UnsafePathError):
            here.plan(LATER, "temp_dir:app", {"path": str(top / name), **AGED})
    with pytest.raises(StalePlanError):
        here.plan(LATER, "temp_dir:app", {"path": str(top / "missing"), **AGED})


@pytest.mark.parametrize("path", ["/", "relative", "/srv/../etc", "/srv//x", "", "/srv/a\x1bb"])
def test_only_plain_paths_are_taken(path: str, here: Changing) -> None:
    with pytest.raises((UnsafePathError, RefusedError, ValueError)):
        here.plan(LATER, "temp_dir:app", {"path": path, **AGED})


def test_what_systemd_cleans_is_told_and_left() -> None:
    host = SimulatedHost()
    host.files.add_file("/tmp/app/old")
    host.files.add_file("/usr/lib/tmpfiles.d/tmp.conf", "q /tmp 1777 root root 10d\n")
    with pytest.raises(RefusedError, match=r"tmp\.conf") as refused:
        LATER.plan(ActionRequest(LATER.name, "temp_dir:app", {"path": "/tmp/app", **AGED}), host.look())
    assert refused.value.reason == Reason.NOT_OURS


async def test_the_emergency_stop_ends_it_between_two_files(here: Changing, top: Path) -> None:
    for number in range(200):
        put(top / str(number))
    plan = here.plan(LATER, "temp_dir:app", {"path": str(top), **AGED})
    control = here.control()
    calls = 0

    def stop_after_a_while() -> str | None:
        nonlocal calls
        calls += 1
        return "set by alice" if calls > 100 else None

    here.flag.read = stop_after_a_while  # type: ignore[method-assign]
    with pytest.raises(RefusedError, match="alice"):
        await LATER.execute(plan, control)
    assert 100 < len(names(top)) < 200


def test_its_scope_is_the_listed_paths_and_what_is_below(here: Changing, top: Path) -> None:
    put(top / "old")
    plan = here.plan(LATER, "temp_dir:app", {"path": str(top), **AGED})
    assert CleanTempFiles.Policy().permits(plan) == ""
    assert CleanTempFiles.Policy.model_validate({"paths": [str(top.parent)]}).permits(plan) == ""
    assert CleanTempFiles.Policy.model_validate({"paths": [str(top)]}).permits(plan) == ""
    assert "not at or below" in CleanTempFiles.Policy.model_validate({"paths": [f"{top}2"]}).permits(plan)


@settings(max_examples=30, deadline=None)
@given(
    ages=st.lists(st.floats(0.01, 9.9), min_size=1, max_size=15),
    limit=st.floats(0.5, 9.5),
)
async def test_never_a_younger_file(ages: list[float], limit: float) -> None:
    with tempfile.TemporaryDirectory() as temporary:
        base = Path(temporary)
        here, top = changing(base), base / "top"
        top.mkdir()
        clock = ManualClock(datetime.now(UTC) + timedelta(days=10))
        for number, age in enumerate(ages):
            put(top / str(number), days=10 - age)
        action = CleanTempFiles(clock)
        params = {"path": str(top), "older_than_seconds": limit * DAY}
        if max(ages) < limit - 0.001:
            with pytest.raises(StalePlanError):
                here.plan(action, "temp_dir:x", params)
            return
        if max(ages) > limit + 0.001:
            await here.act(action, "temp_dir:x", params)
        left = names(top)
        assert {str(number) for number, age in enumerate(ages) if age < limit - 0.001} <= left
        assert not {str(number) for number, age in enumerate(ages) if age > limit + 0.001} & left


# -- clear_cache ----------------------------------------------------------------------------------------------------------
async def test_a_cache_shrinks_by_its_least_recently_used_files(here: Changing, top: Path) -> None:
    for number in range(10):
        put(top / f"{number % 3}" / str(number), size=100, days=number / 10 or 0.01)
    effect = await here.act(ClearCache(), "cache:pip", {"path": str(top), "down_to_bytes": 350})
    assert effect.ok
    assert {path.rpartition("/")[2] for path in names(top)} == {"7", "8", "9"}
    assert (effect.before, effect.after) == ("1000 B", "300 B")


async def test_a_cache_that_is_held_open_is_left_and_said_to_be_too_large(here: Changing, top: Path) -> None:
    with put(top / "open", size=100).open():
        effect = await here.act(ClearCache(), "cache:pip", {"path": str(top), "down_to_bytes": 0})
    assert not effect.ok
    assert effect.after == "100 B"
    assert names(top) == {"open"}
    with pytest.raises(StalePlanError, match="small enough"):
        here.plan(ClearCache(), "cache:pip", {"path": str(top), "down_to_bytes": 100})


# -- rotate_logs ----------------------------------------------------------------------------------------------------------
ROTATE = {"rotate_at_bytes": 100, "keep": 2, "compress": True}


async def test_rotation_numbers_compresses_and_keeps(here: Changing, top: Path) -> None:
    for text in ("first", "second", "third"):
        (top / "app.log").write_text(text * 100)
        (top / "other.log").write_text("small")
        assert (await here.act(RotateLogs(), "log:app", {"path": str(top / "*.log"), **ROTATE})).ok
    assert names(top) == {"other.log", "app.log.1.gz", "app.log.2.gz"}
    assert gzip.decompress((top / "app.log.1.gz").read_bytes()) == b"third" * 100
    assert gzip.decompress((top / "app.log.2.gz").read_bytes()) == b"second" * 100


async def test_a_log_that_its_writer_holds_is_copied_out_and_emptied(here: Changing, top: Path) -> None:
    path = top / "app.log"
    with path.open("a") as writer:
        writer.write("before\n" * 100)
        writer.flush()
        inode = path.stat().st_ino
        effect = await here.act(RotateLogs(), "log:app", {"path": str(path), **ROTATE, "compress": False})
        writer.write("after\n")
    assert effect.ok
    assert (effect.before, effect.after) == ("700 B", "0 B")
    assert path.read_text() == "after\n"
    assert path.stat().st_ino == inode
    assert (top / "app.log.1").read_text() == "before\n" * 100


@pytest.mark.parametrize(("how", "stays"), [("always", True), ("never", False)])
async def test_how_a_log_is_rotated_can_be_said(how: str, stays: bool, here: Changing, top: Path) -> None:
    put(top / "app.log", size=500)
    await here.act(RotateLogs(), "log:app", {"path": str(top / "app.log"), **ROTATE, "copy_truncate": how})
    assert (top / "app.log").exists() is stays
    assert (top / "app.log.1.gz").exists()


async def test_a_renamed_log_that_is_written_still_is_not_compressed(here: Changing, top: Path) -> None:
    with put(top / "app.log", size=500).open("a"):
        params = {"path": str(top / "app.log"), **ROTATE, "copy_truncate": "never"}
        effect = await here.act(RotateLogs(), "log:app", params)
    assert names(top) == {"app.log.1"}
    assert "held open" in effect.detail


@pytest.mark.skipif(os.geteuid() != 0, reason="changes accounts")
async def test_a_log_is_emptied_where_its_owner_could_not_make_a_new_one(here: Changing, top: Path) -> None:
    path = put(top / "app.log", size=500)
    os.chown(path, 1234, 1234)
    await here.act(RotateLogs(), "log:app", {"path": str(path), **ROTATE})
    state = path.stat()
    assert (state.st_size, state.st_uid) == (0, 1234)
    assert (top / "app.log.1.gz").stat().st_uid == 1234


async def test_links_and_hard_links_are_no_logs(here: Changing, top: Path, tmp_path: Path) -> None:
    put(tmp_path / "victim", size=500)
    (top / "link.log").symlink_to(tmp_path / "victim")
    os.link(tmp_path / "victim", top / "hard.log")
    with pytest.raises(StalePlanError):
        here.plan(RotateLogs(), "log:app", {"path": str(top / "*.log"), **ROTATE})
    assert (tmp_path / "victim").stat().st_size == 500


async def test_a_log_that_became_a_link_after_planning_is_left(here: Changing, top: Path, tmp_path: Path) -> None:
    put(tmp_path / "victim", size=500)
    path = put(top / "app.log", size=500)
    plan = here.plan(RotateLogs(), "log:app", {"path": str(path), **ROTATE})
    path.unlink()
    path.symlink_to(tmp_path / "victim")
    effect = await RotateLogs().execute(plan, here.control())
    assert not effect.ok
    assert (tmp_path / "victim").stat().st_size == 500
    assert names(top) == {"app.log"}


def test_a_log_that_is_allowed_is_allowed_with_the_rotated_files_that_go(here: Changing, top: Path) -> None:
    log = put(top / "a.log", size=200)
    for old in ("a.log.1.gz", "a.log.2.gz", "a.log.3"):
        put(top / old)
    plan = here.plan(RotateLogs(), "log:app", {"path": str(log), **ROTATE})
    assert {touched.name for touched in plan.touches} == {str(log), f"{log}.2.gz", f"{log}.3"}

    def permits(*paths: Path) -> str:
        return RotateLogs.Policy.model_validate({"paths": [str(path) for path in paths]}).permits(plan)

    assert permits(log) == permits(top) == RotateLogs.Policy().permits(plan) == ""
    assert "a.log is not at or below" in permits(top / "b.log")
    # A rotated file alone, and what a name merely begins with, allow nothing of the log.
    assert "a.log is not at or below" in permits(top / "a.log.2.gz")
    assert "a.log is not at or below" in permits(top / "a")


def test_what_logrotate_rotates_is_told_and_left() -> None:
    host = SimulatedHost()
    host.files.add_file("/usr/sbin/logrotate")
    host.files.add_file("/etc/logrotate.conf", "include /etc/logrotate.d\n")
    host.files.add_file("/etc/logrotate.d/app", "/srv/app/a.log {\n daily\n}\n")
    host.files.add_file("/srv/app/a.log", size=1000)
    request = ActionRequest("rotate_logs", "log:app", {"path": "/srv/app/*.log", **ROTATE})
    with pytest.raises(RefusedError, match=r"logrotate\.d/app") as refused:
        RotateLogs().plan(request, host.look())
    assert refused.value.reason == Reason.NOT_OURS
    host.files.add_file("/srv/app/b.log", size=1000)
    plan = RotateLogs().plan(request, host.look())
    assert plan.detail["paths"] == ["/srv/app/b.log"]
    assert any(step.startswith("leave /srv/app/a.log to logrotate") for step in plan.steps)


async def test_rotating_on_a_full_disk_keeps_the_log(here: Changing, top: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = top / "app.log"
    with path.open("a") as writer:
        writer.write("precious\n" * 100)
        writer.flush()

        def full(*_: object, **__: object) -> int:
            raise HostError("no space left")

        monkeypatch.setattr("zen_agents.adapters.safe_copying.pour", full)
        effect = await here.act(RotateLogs(), "log:app", {"path": str(path), **ROTATE})
    assert not effect.ok
    assert path.read_text() == "precious\n" * 100
    assert names(top) == {"app.log"}


async def test_rotations_that_fail_again_and_again_push_no_rotated_file_out(
    here: Changing, top: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(1, 4):
        (top / f"app.log.{number}.gz").write_bytes(b"old %d" % number)

    def full(*_: object, **__: object) -> int:
        raise HostError("no space left")

    monkeypatch.setattr("zen_agents.adapters.safe_copying.pour", full)
    with (top / "app.log").open("a") as writer:
        writer.write("precious\n" * 100)
        writer.flush()
        for _ in range(5):
            assert not (await here.act(RotateLogs(), "log:app", {"path": str(top / "app.log"), **ROTATE, "keep": 4})).ok
    kept = [(top / name).read_bytes() for name in sorted(names(top) - {"app.log"})]
    assert kept == [b"old 1", b"old 2", b"old 3"]


# -- truncate_deleted_log -------------------------------------------------------------------------------------------------
@pytest.fixture
def writer(top: Path) -> Iterator[subprocess.Popen[str]]:
    script = (
        "import os, sys; path = sys.argv[1]; fd = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600);"
        "os.write(fd, b'x' * 300_000); os.unlink(path); print('on', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, str(top / "app.log")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "on\n"
        yield process
        process.communicate("")


async def test_a_deleted_log_gives_its_space_back(here: Changing, top: Path, writer: subprocess.Popen[str]) -> None:
    params = {"path": str(top / "*.log"), "at_least_bytes": 100_000}
    plan = here.plan(TruncateDeletedLog(), "log:app", params)
    assert {touched.kind.value for touched in plan.touches} == {"process", "path"}
    effect = await TruncateDeletedLog().execute(plan, here.control())
    assert effect.ok
    assert effect.detail.startswith("freed 29")
    assert writer.poll() is None
    with pytest.raises(StalePlanError):
        here.plan(TruncateDeletedLog(), "log:app", params)


async def test_a_log_that_is_not_listed_is_not_touched(here: Changing, top: Path, writer: subprocess.Popen[str]) -> None:
    for path in (top / "*.txt", top.parent / "*.log"):
        with pytest.raises(StalePlanError):
            here.plan(TruncateDeletedLog(), "log:app", {"path": str(path), "at_least_bytes": 1})
    assert writer.poll() is None
