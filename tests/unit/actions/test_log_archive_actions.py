"""The actions that keep rotated logs in bounds, on real files."""

from __future__ import annotations

import gzip
import os
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chaos.simulation.host import SimulatedHost
from tests.support.asking import ask
from tests.support.changing import Changing, changing
from zen_agents.actions.compress_log_archives import CompressLogArchives
from zen_agents.actions.prune_log_archives import PruneLogArchives
from zen_agents.adapters.linux_host import LinuxHost
from zen_agents.checks.log_archives import LogArchivesCheck
from zen_agents.clock import ManualClock, SystemClock
from zen_agents.errors import HostError, RefusedError, StalePlanError, UnsafePathError
from zen_agents.model.action import ActionRequest, Plan
from zen_agents.model.reason import Reason
from zen_agents.ports.log_archives import log_set_of

DAY = 86400.0
needs_zstd = pytest.mark.skipif(shutil.which("zstd") is None, reason="zstd is not installed here")


@pytest.fixture
def here(tmp_path: Path) -> Changing:
    return changing(tmp_path)


@pytest.fixture
def top(tmp_path: Path) -> Path:
    (tmp_path / "log").mkdir()
    return tmp_path / "log"


def put(path: Path, *, days: float = 0.0, content: bytes = b"x" * 100) -> Path:
    """Write a file that was last written to so many days ago."""
    path.write_bytes(content)
    when = datetime.now(UTC).timestamp() - days * DAY
    os.utime(path, (when, when))
    return path


def names(top: Path) -> set[str]:
    return {path.name for path in top.iterdir()}


async def prune(here: Changing, top: Path, **params: Any) -> str:
    given = {"paths": [str(top / "*.log")], "keep_seconds": 0.0, **params}
    return (await here.act(PruneLogArchives(), "log_archives:app", given)).detail


# -- what is an archive ---------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "name",
    [
        "app.log.1", "app.log.12.gz", "app.log.3.zst", "app.log-20261127", "app.log-20261127.xz",
        "app.log-20261127-1764201600",
        "app.log.2026-11-27", "app.log.2026-11-27_13.bz2", "app.log.old", "app-20261127.log", "app.2026-11-27.log.gz",
    ],
)  # fmt: skip
def test_what_rotation_made_of_a_log_is_its_archive(name: str, here: Changing, top: Path) -> None:
    put(top / "app.log")
    put(top / name)
    found = log_set_of(here.host.look(), [str(top / "*.log")])
    assert [archive.state.path for archive in found.archives] == [str(top / name)]
    assert [archive.log for archive in found.archives] == [str(top / "app.log")]


@pytest.mark.parametrize(
    "name",
    [
        "worker-2.log",
        "app-2.log",
        "app.log.swp",
        "app.log.12345",
        "app.log.gz.part",
        "other.log.1.txt",
        "notes.1",
        "log.1.sqlite",
    ],
)
def test_what_may_be_a_log_of_its_own_is_none(name: str, here: Changing, top: Path) -> None:
    put(top / "app.log")
    put(top / name)
    assert not log_set_of(here.host.look(), [str(top / "*.log")]).archives


def test_a_wildcard_for_everything_makes_no_live_log_an_archive(here: Changing, top: Path) -> None:
    for name in ("worker.1", "app-20261127.log", "app.log", "app.log.1"):
        put(top / name)
    put(top / "dated-20261127.log")
    found = log_set_of(here.host.look(), [str(top / "*")])
    assert {archive.state.path for archive in found.archives} == {str(top / "app-20261127.log"), str(top / "app.log.1")}


# -- prune_log_archives ---------------------------------------------------------------------------------------------------
async def test_archives_past_their_age_go_and_the_others_and_the_log_stay(here: Changing, top: Path, tmp_path: Path) -> None:
    put(top / "app.log", days=99)
    put(top / "app.log.1", days=3)
    put(top / "app.log.2.gz", days=40)
    put(top / "other.txt", days=99)
    put(tmp_path / "victim", days=99)
    os.link(tmp_path / "victim", top / "app.log.3")
    (top / "app.log.4").symlink_to(tmp_path / "victim")
    assert await prune(here, top, older_than_seconds=30 * DAY) == "removed 1 archives, 100 B"
    assert names(top) == {"app.log", "app.log.1", "other.txt", "app.log.3", "app.log.4"}


async def test_a_budget_takes_the_oldest_archives_of_all_logs_first_and_never_a_live_one(here: Changing, top: Path) -> None:
    put(top / "a.log", days=50, content=b"x" * 1000)
    put(top / "a.log.1", days=2)
    put(top / "a.log.2", days=9)
    put(top / "b.log.1", days=5)
    put(top / "b.log.2", days=7)
    await prune(here, top, above_bytes=1300, down_to_bytes=1200)
    assert names(top) == {"a.log", "a.log.1", "b.log.1"}


async def test_a_set_may_lie_in_several_directories(here: Changing, top: Path, tmp_path: Path) -> None:
    (tmp_path / "web").mkdir()
    put(top / "a.log.1", days=2)
    put(tmp_path / "web" / "w.log.1", days=3)
    put(top / "a.log.2", days=4)
    paths = [str(top / "a.log"), str(tmp_path / "web" / "w.log")]
    await prune(here, top, paths=paths, above_bytes=150, down_to_bytes=100)
    assert (names(top), names(tmp_path / "web")) == ({"a.log.1"}, set())


async def test_what_is_younger_than_is_kept_stays_however_much_it_is(here: Changing, top: Path) -> None:
    put(top / "app.log.1", days=0.5)
    with pytest.raises(StalePlanError, match=r"younger than 1 day"):
        await prune(here, top, keep_seconds=DAY, above_bytes=1, down_to_bytes=0)
    assert names(top) == {"app.log.1"}


async def test_an_archive_that_somebody_reads_is_left_and_told(here: Changing, top: Path) -> None:
    put(top / "app.log.2", days=9)
    with put(top / "app.log.1", days=9).open():
        said = await prune(here, top, older_than_seconds=DAY)
    assert names(top) == {"app.log.1"}
    assert "left 1" in said
    assert "held open" in said


async def test_what_was_rotated_on_since_it_was_planned_is_left(here: Changing, top: Path) -> None:
    put(top / "app.log.1", days=9)
    action = PruneLogArchives()
    given = {"paths": [str(top / "app.log")], "keep_seconds": 0.0, "older_than_seconds": 5 * DAY}
    plan = here.plan(action, "log_archives:app", given)
    (top / "app.log.1").rename(top / "app.log.2")
    put(top / "app.log.1", days=1)
    effect = await action.execute(plan, here.control())
    assert not effect.ok
    assert names(top) == {"app.log.1", "app.log.2"}


def test_a_clock_that_is_set_forward_makes_no_archive_old(here: Changing, top: Path) -> None:
    put(top / "app.log.1")
    clock = ManualClock(datetime.now(UTC))
    action = PruneLogArchives(clock)
    given = {"paths": [str(top / "app.log")], "older_than_seconds": 30 * DAY, "above_bytes": 1}
    clock.jump_wall(365 * DAY)
    with pytest.raises(StalePlanError):
        here.plan(action, "log_archives:app", given)
    clock.advance(31 * DAY)
    assert here.plan(action, "log_archives:app", given).touches, "by now it really is old"


def _logrotate_host() -> SimulatedHost:
    host = SimulatedHost()
    host.files.add_file("/usr/sbin/logrotate", mode=0o755)
    host.files.add_file("/etc/logrotate.conf", "/var/log/web.log { weekly }\n")
    for name in ("web.log", "web.log.1", "app.log", "app.log.1"):
        host.files.add_file(f"/var/log/{name}", "x" * 100)
    host.advance(90 * DAY)
    return host


def _planned(host: SimulatedHost, path: str, **params: Any) -> Plan:
    given = {"paths": [path], "older_than_seconds": DAY, **params}
    return PruneLogArchives(host.clock).plan(ActionRequest("prune_log_archives", "log_archives:all", given), host.look())


def test_archives_of_a_log_that_logrotate_rotates_are_left_unless_they_are_listed_so() -> None:
    host = _logrotate_host()
    with pytest.raises(RefusedError) as refused:
        _planned(host, "/var/log/web.log")
    assert refused.value.reason == Reason.NOT_OURS
    both = _planned(host, "/var/log/*.log")
    assert [touched.name for touched in both.touches] == ["/var/log/app.log.1"]
    assert any("leave archives of /var/log/web.log to logrotate" in step for step in both.steps)
    assert len(_planned(host, "/var/log/*.log", include_logrotate=True).touches) == 2


def test_a_plan_says_that_it_is_irreversible_and_a_link_in_place_of_the_directory_is_refused(
    here: Changing, top: Path
) -> None:
    put(top / "app.log.1", days=9)
    (top.parent / "link").symlink_to(top)
    given = {"paths": [str(top / "app.log")], "older_than_seconds": DAY}
    plan = here.plan(PruneLogArchives(), "log_archives:app", given)
    assert "irreversible" in plan.warning
    with pytest.raises(UnsafePathError):
        here.plan(PruneLogArchives(), "log_archives:app", {**given, "paths": [str(top.parent / "link" / "app.log")]})


def test_a_log_that_is_allowed_is_allowed_with_its_archives_and_no_other(here: Changing, top: Path) -> None:
    put(top / "app.log.1", days=9)
    given = {"paths": [str(top / "*.log")], "older_than_seconds": DAY}
    plan = here.plan(PruneLogArchives(), "log_archives:app", given)
    scope = PruneLogArchives.Policy
    assert scope(paths=(str(top / "app.log"),)).permits(plan) == ""
    assert scope(paths=(str(top),)).permits(plan) == ""
    assert "is not at or below" in scope(paths=(str(top / "web.log"),)).permits(plan)


@given(
    sizes=st.lists(st.tuples(st.floats(0, 100), st.integers(0, 500)), min_size=1, max_size=12),
    above=st.integers(1, 2000), keep=st.floats(0, 100),
)  # fmt: skip
@settings(max_examples=50, deadline=None)
def test_no_more_goes_than_the_budget_takes_and_nothing_younger_before_older(
    sizes: list[tuple[float, int]], above: int, keep: float
) -> None:
    host = SimulatedHost()
    host.files.add_file("/var/log/app.log", size=100)
    now = host.clock.now().wall.timestamp()
    for number, (days, size) in enumerate(sizes, start=1):
        host.files.add_file(f"/var/log/app.log.{number}", size=size, modified=now - days * DAY)
    total, down_to = 100 + sum(size for _, size in sizes), above // 2
    try:
        plan = _planned(
            host, "/var/log/app.log", older_than_seconds=None, keep_seconds=keep * DAY, above_bytes=above,
            down_to_bytes=down_to,
        )  # fmt: skip
    except StalePlanError:
        # By moments, as a file has them: a trillionth of a day is none.
        assert total <= above or all(now - days * DAY >= now - keep * DAY for days, _ in sizes)
        return
    going = [host.files.states[touched.name] for touched in plan.touches]
    assert total > above
    assert all(state.modified < now - keep * DAY for state in going)
    assert total - sum(state.size for state in going[:-1]) > down_to, "the last one was needed, too"
    staying = [s for path, s in host.files.states.items() if ".log." in path and s not in going]
    assert all(state.modified >= going[-1].modified for state in staying)


# -- compress_log_archives ------------------------------------------------------------------------------------------------
LINES = b"".join(b"2026-11-27 line %d of many\n" % number for number in range(20_000))


def unpacked(path: Path) -> bytes:
    program = "gunzip" if path.suffix == ".gz" else "unzstd"
    return subprocess.run([program, "-c", str(path)], capture_output=True, check=True).stdout


@pytest.mark.parametrize("packing", ["gzip", pytest.param("zstd", marks=needs_zstd)])
async def test_plain_archives_are_packed_with_owner_mode_and_times(packing: str, here: Changing, top: Path) -> None:
    put(top / "app.log", content=LINES)
    put(top / "app.log.2.gz", days=2)
    path = put(top / "app.log.1", days=1, content=LINES)
    path.chmod(0o640)
    before = path.stat()
    given = {"paths": [str(top / "app.log")], "packing": packing}
    effect = await here.act(CompressLogArchives(), "log_archives:app", given)
    packed = top / f"app.log.1{'.gz' if packing == 'gzip' else '.zst'}"
    assert effect.ok
    assert names(top) == {"app.log", "app.log.2.gz", packed.name}
    assert unpacked(packed) == LINES
    after = packed.stat()
    assert (after.st_uid, after.st_mode, after.st_mtime) == (before.st_uid, before.st_mode, before.st_mtime)
    assert after.st_size < len(LINES) // 4


async def test_young_held_and_empty_archives_are_not_packed(here: Changing, top: Path) -> None:
    put(top / "app.log.1")
    put(top / "app.log.3", days=3, content=b"")
    given = {"paths": [str(top / "app.log")]}
    with pytest.raises(StalePlanError):
        here.plan(CompressLogArchives(), "log_archives:app", given)
    with put(top / "app.log.2", days=2).open("ab"):
        effect = await here.act(CompressLogArchives(), "log_archives:app", given)
    assert not effect.ok
    assert "held open" in effect.detail
    assert names(top) == {"app.log.1", "app.log.2", "app.log.3"}


async def test_an_archive_that_would_not_fit_is_left(here: Changing, top: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(top / "app.log.1", days=2, content=os.urandom(2 << 20))
    real = os.fstatvfs

    def nearly_full(descriptor: int) -> os.statvfs_result:
        values = list(real(descriptor))
        values[3] = values[4] = (2 << 20) // values[1]
        return os.statvfs_result(values)

    monkeypatch.setattr(os, "fstatvfs", nearly_full)
    effect = await here.act(CompressLogArchives(), "log_archives:app", {"paths": [str(top / "app.log")]})
    assert not effect.ok
    assert "to be packed, and 2.0 MiB are free" in effect.detail
    assert names(top) == {"app.log.1"}


async def test_an_original_does_not_go_for_an_archive_that_reads_back_otherwise(
    here: Changing, top: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(top / "app.log.1", days=2, content=LINES)

    def damaging(source: int, target: Any, **_: Any) -> int:
        target.write(gzip.compress(LINES[:-1]))
        target.flush()
        return len(LINES)

    monkeypatch.setattr("zen_agents.adapters.safe_compressing.pour", damaging)
    effect = await here.act(CompressLogArchives(), "log_archives:app", {"paths": [str(top / "app.log")]})
    assert "does not read back" in effect.detail
    assert names(top) == {"app.log.1"}
    assert (top / "app.log.1").read_bytes() == LINES


@pytest.mark.parametrize(("there", "goes"), [(LINES, True), (b"other", False), (None, False)], ids=["same", "other", "junk"])
async def test_an_archive_that_an_ended_run_left_counts_only_if_it_holds_the_same(
    there: bytes | None, goes: bool, here: Changing, top: Path
) -> None:
    packed = b"junk" if there is None else gzip.compress(there)
    put(top / "app.log.1", days=2, content=LINES)
    put(top / "app.log.1.gz", content=packed)
    effect = await here.act(CompressLogArchives(), "log_archives:app", {"paths": [str(top / "app.log")]})
    assert effect.ok is goes
    assert (top / "app.log.1").exists() is not goes
    assert (top / "app.log.1.gz").read_bytes() == packed


@needs_zstd
async def test_zstd_ends_with_the_emergency_stop_and_leaves_nothing(here: Changing, top: Path) -> None:
    put(top / "app.log.1", days=2, content=os.urandom(1 << 20) * 64)
    control = here.control()
    action = CompressLogArchives()
    plan = here.plan(action, "log_archives:app", {"paths": [str(top / "app.log")], "packing": "zstd"})
    calls = []

    def check_stop() -> None:
        calls.append(1)
        if len(calls) > 4:
            raise RefusedError("stopped")

    object.__setattr__(control, "check_stop", check_stop)
    with pytest.raises(RefusedError):
        await action.execute(plan, control)
    assert names(top) == {"app.log.1"}


def test_zstd_that_is_not_there_is_told_before_anything_is_done() -> None:
    host = _logrotate_host()
    request = ActionRequest("compress_log_archives", "log_archives:a", {"paths": ["/var/log/app.log"], "packing": "zstd"})
    with pytest.raises(HostError, match="install zstd"):
        CompressLogArchives(host.clock).plan(request, host.look())


# -- the check ------------------------------------------------------------------------------------------------------------
def test_it_is_seen_what_is_due(top: Path) -> None:
    put(top / "app.log", days=99)
    put(top / "app.log.1", days=1)
    put(top / "app.log.2.gz", days=40)
    check = LogArchivesCheck(
        "app", paths=[str(top / "*.log")], older_than_seconds=30 * DAY, pack_after_seconds=3600.0, every_seconds=60
    )
    found = {each.name: each for each in check.observe(LinuxHost("/nonexistent").look(), SystemClock().now())}
    assert {name: each.value for name, each in found.items()} == {
        "log_archives.app.bytes": 300.0, "log_archives.app.old_files": 1.0, "log_archives.app.plain_files": 1.0,
    }  # fmt: skip
    assert str(top / "app.log.2.gz") in found["log_archives.app.old_files"].detail


def test_without_an_age_nothing_is_due_and_a_directory_that_is_not_there_cannot_be_told() -> None:
    host = _logrotate_host()

    def check(path: str) -> LogArchivesCheck:
        return LogArchivesCheck("a", paths=[path], older_than_seconds=None, pack_after_seconds=None, every_seconds=60)

    assert [each.value for each in ask(check("/var/log/*.log"), host).values()] == [400.0, 0.0, 0.0]
    assert {each.status.value for each in ask(check("/srv/away/*.log"), host).values()} == {"unknown"}
