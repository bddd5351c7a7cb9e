"""Paths, temporary directories, logs and caches, on real files."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

import pytest

from chaos.simulation.host import SimulatedHost
from tests.support.asking import ask
from zen_agents.adapters.linux_host import LinuxHost
from zen_agents.checks.base import Check
from zen_agents.checks.cache import CacheCheck
from zen_agents.checks.log import DeletedLogCheck, LogCheck
from zen_agents.checks.path import PathCheck
from zen_agents.checks.temp_dir import TempDirCheck
from zen_agents.clock import Instant, SystemClock
from zen_agents.model.observation import Observation, Status
from zen_agents.ports import walk as walking
from zen_agents.ports.events import Watch
from zen_agents.ports.log_archives import matches

OK, PROBLEM, UNKNOWN = Status.OK, Status.PROBLEM, Status.UNKNOWN


def look(check: Check, now: Instant | None = None) -> dict[str, Observation]:
    found = check.observe(LinuxHost("/nonexistent").look(), now or SystemClock().now())
    return {observation.name: observation for observation in found}


# -- paths ------------------------------------------------------------------------------------------------------------
def path_check(path: Path, *, mode: int = 0o640, kind: str = "file", owner: str = "", group: str = "") -> PathCheck:
    return PathCheck(
        "key", path=str(path), expected_kind=kind, mode=mode, owner=owner or str(os.getuid()),
        group=group or str(os.getgid()), every_seconds=60,
    )  # fmt: skip


@pytest.fixture
def key(tmp_path: Path) -> Path:
    path = tmp_path / "tls.key"
    path.write_text("secret")
    path.chmod(0o640)
    os.chown(path, os.getuid(), os.getgid())
    return path


def test_a_path_as_listed_is_ok_and_watched(key: Path) -> None:
    check = path_check(key)
    assert look(check)["path.key"].status is OK
    assert check.watches() == (Watch("path", str(key)),)


@pytest.mark.parametrize("mode", [0o600, 0o644, 0o000, 0o4640])
def test_another_mode_is_a_problem(key: Path, mode: int) -> None:
    key.chmod(mode)
    found = look(path_check(key))["path.key"]
    assert (found.status, found.facts["wrong"]) == (PROBLEM, "mode")
    assert f"{mode:04o}" in found.detail


def test_another_owner_and_group_are_a_problem(key: Path) -> None:
    found = look(path_check(key, owner="4242", group="4243"))["path.key"]
    assert (found.status, found.facts["wrong"]) == (PROBLEM, "owner group")


def test_a_missing_path_is_a_problem(tmp_path: Path) -> None:
    found = look(path_check(tmp_path / "nothing"))["path.key"]
    assert (found.status, found.facts["wrong"]) == (PROBLEM, "missing")


def test_a_link_is_never_followed(key: Path, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(key)
    found = look(path_check(link))["path.key"]
    assert (found.status, found.facts["wrong"]) == (PROBLEM, "kind")


def test_an_account_that_does_not_exist_means_that_nobody_can_tell(host: SimulatedHost) -> None:
    host.files.add_file("/etc/app/tls.key", mode=0o640)
    check = path_check(Path("/etc/app/tls.key"), owner="nobody-has-this-name")
    assert ask(check, host)["path.key"].status is UNKNOWN


# -- temporary directories --------------------------------------------------------------------------------------------
@pytest.fixture
def temp(tmp_path: Path) -> Path:
    directory = tmp_path / "tmp"
    (directory / "deep" / "er").mkdir(parents=True)
    for name in ("a", "deep/b", "deep/er/c"):
        (directory / name).write_bytes(b"x" * 100)
    (directory / "link").symlink_to("/etc/passwd")
    return directory


def temp_check(directory: Path, *, older_than: float = 3600.0) -> TempDirCheck:
    return TempDirCheck("app", path=str(directory), older_than_seconds=older_than, every_seconds=300)


def test_young_files_are_not_stale(temp: Path) -> None:
    found = look(temp_check(temp))
    assert found["temp_dir.app.stale_files"].value == 0
    assert found["temp_dir.app.bytes"].value == 0
    percent = found["temp_dir.app.percent"].value
    assert percent is not None and 0 < percent <= 100


def test_old_files_are_counted_at_every_depth_and_links_are_not(temp: Path) -> None:
    now = SystemClock().now()
    later = Instant(now.wall + timedelta(hours=2), now.steady + 7200)
    found = look(temp_check(temp), later)
    assert found["temp_dir.app.stale_files"].value == 3
    assert found["temp_dir.app.bytes"].value == 300


def test_setting_the_modification_time_back_makes_no_file_old(temp: Path) -> None:
    os.utime(temp / "a", (1.0, 1.0))
    assert look(temp_check(temp))["temp_dir.app.stale_files"].value == 0


def test_a_temporary_directory_that_is_not_there_is_unknown(tmp_path: Path) -> None:
    assert {found.status for found in look(temp_check(tmp_path / "nothing")).values()} == {UNKNOWN}


def test_a_link_in_place_of_the_directory_is_unknown(host: SimulatedHost) -> None:
    host.files.add_directory("/srv/real")
    host.files.add_link("/srv/tmp", "/srv/real")
    assert {found.status for found in ask(temp_check(Path("/srv/tmp")), host).values()} == {UNKNOWN}


def test_files_on_another_file_system_are_left_out(host: SimulatedHost) -> None:
    old = host.clock.now().wall.timestamp() - 86_400
    times = {"modified": old, "changed": old, "accessed": old}
    host.files.add_file("/srv/tmp/old", size=10, **times)
    host.files.add_disk("/srv/tmp/other", total_bytes=1 << 30)
    host.files.add_directory("/srv/tmp/other")
    host.files.add_file("/srv/tmp/other/older", size=10, **times)
    assert ask(temp_check(Path("/srv/tmp")), host)["temp_dir.app.stale_files"].value == 1


def test_a_file_system_without_inodes_is_full_whatever_room_it_has(host: SimulatedHost) -> None:
    host.files.add_directory("/srv/tmp")
    host.files.add_disk("/srv", total_bytes=1 << 30).total_inodes = 100
    for number in range(97):
        host.files.add_file(f"/srv/tmp/{number}", size=0)
    found = ask(temp_check(Path("/srv/tmp")), host)["temp_dir.app.percent"]
    assert found.value is not None and found.value >= 97
    assert "inodes" in found.detail


def test_a_walk_that_ends_early_without_an_old_file_cannot_tell(
    host: SimulatedHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(walking, "MOST_ENTRIES", 3)
    for index in range(5):
        host.files.add_file(f"/srv/tmp/{index}", size=10)
    found = ask(temp_check(Path("/srv/tmp")), host)
    assert found["temp_dir.app.percent"].status is OK
    assert found["temp_dir.app.stale_files"].status is UNKNOWN


# -- logs -------------------------------------------------------------------------------------------------------------
def test_log_files_are_added_up_and_the_largest_is_named(tmp_path: Path) -> None:
    for name, size in (("a.log", 10), ("b.log", 30), ("b.log.1.gz", 500), (".hidden.log", 900)):
        (tmp_path / name).write_bytes(b"x" * size)
    (tmp_path / "link.log").symlink_to(tmp_path / "b.log.1.gz")
    found = look(LogCheck("app", pattern=f"{tmp_path}/*.log", every_seconds=60))
    assert found["log.app.bytes"].value == 40
    assert found["log.app.largest_bytes"].value == 30
    assert "b.log" in found["log.app.largest_bytes"].detail


def test_a_single_log_that_is_not_there_yet_is_empty_but_a_missing_directory_cannot_be_told(host: SimulatedHost) -> None:
    host.files.add_directory("/var/log/app")
    here = ask(LogCheck("app", pattern="/var/log/app/app.log", every_seconds=60), host)["log.app.bytes"]
    nowhere = ask(LogCheck("app", pattern="/var/log/nothing/app.log", every_seconds=60), host)["log.app.bytes"]
    assert (here.status, here.value) == (OK, 0)
    assert nowhere.status is UNKNOWN


@pytest.mark.parametrize(
    "path, expected",
    [
        ("/var/log/app/a.log", True),
        ("/var/log/app/sub/a.log", False),
        ("/var/log/a.log", False),
        ("/var/log/app/.a.log", False),
        ("/var/log/app/a.log.1", False),
    ],
)
def test_a_pattern_is_about_its_own_directory(path: str, expected: bool) -> None:
    assert matches(path, "/var/log/app/*.log") is expected


def test_deleted_files_that_are_open_are_counted_once(host: SimulatedHost) -> None:
    for _ in range(2):
        host.add_process("writer", deleted={3: ("/var/log/app/a.log", 400), 4: ("/tmp/else", 9000)})
    host.add_process("other", deleted={7: ("/var/log/app/b.log", 50)})
    check = DeletedLogCheck("app", pattern="/var/log/app/*.log", every_seconds=300)
    found = ask(check, host)["log.app.deleted_bytes"]
    assert found.value == 450
    assert "writer" in found.detail


def test_a_real_deleted_file_is_found(tmp_path: Path) -> None:
    path = tmp_path / "app.log"
    with path.open("wb") as file:
        file.write(b"x" * 5000)
        file.flush()
        path.unlink()
        found = look(DeletedLogCheck("app", pattern=str(path), every_seconds=300))["log.app.deleted_bytes"]
    assert found.value == 5000


# -- caches -----------------------------------------------------------------------------------------------------------
def cache_check(path: Path, *, enough: int = 250) -> CacheCheck:
    return CacheCheck("pip", path=str(path), enough_bytes=enough, every_seconds=600)


def test_a_cache_is_as_large_as_its_files(temp: Path) -> None:
    assert look(cache_check(temp))["cache.pip.bytes"].value == 300


def test_a_cache_that_is_not_there_is_empty(tmp_path: Path) -> None:
    assert look(cache_check(tmp_path / "nothing"))["cache.pip.bytes"].value == 0


@pytest.mark.parametrize("enough, expected", [(25, OK), (250, UNKNOWN)])
def test_a_lower_bound_is_told_only_where_it_is_enough(
    host: SimulatedHost, monkeypatch: pytest.MonkeyPatch, enough: int, expected: Status
) -> None:
    monkeypatch.setattr(walking, "MOST_ENTRIES", 3)
    for index in range(5):
        host.files.add_file(f"/srv/cache/{index}", size=10)
    assert ask(cache_check(Path("/srv/cache"), enough=enough), host)["cache.pip.bytes"].status is expected
