"""Small files are whole whenever the process or the power fails."""

from __future__ import annotations

import errno
import os
import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.state import START
from zen_agents.adapters.action_log import ActionLogFile
from zen_agents.adapters.durable_file import append_line, replace_durably, unfinished
from zen_agents.adapters.emergency_flag import EmergencyFlag
from zen_agents.adapters.running_actions import forget_ended
from zen_agents.adapters.service_keeper import ServiceKeeper
from zen_agents.adapters.state_dir import StateDir
from zen_agents.clock import Instant
from zen_agents.errors import HostError


@contextmanager
def growing_no_further_than(size: int) -> Iterator[None]:
    """Let files grow to this size and no byte further, as on a disk that is just full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.fixture
def synced(monkeypatch: pytest.MonkeyPatch) -> set[int]:
    """Return the inodes that are made durable from now on."""
    found: set[int] = set()
    real = os.fsync

    def fsync(descriptor: int) -> None:
        found.add(os.fstat(descriptor).st_ino)
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    return found


def test_it_is_replaced_at_once_and_durably(tmp_path: Path, synced: set[int]) -> None:
    path = tmp_path / "record"
    for content in (b"one", b"two"):
        synced.clear()
        replace_durably(path, content)
        assert path.read_bytes() == content
        assert synced == {path.stat().st_ino, tmp_path.stat().st_ino}
    assert [each.name for each in tmp_path.iterdir()] == ["record"]
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_disk_that_takes_only_the_beginning_leaves_the_old_content(tmp_path: Path) -> None:
    path = tmp_path / "record"
    replace_durably(path, b"old")
    with growing_no_further_than(5), pytest.raises(OSError, match="File too large"):
        replace_durably(path, b"new and longer")
    assert path.read_bytes() == b"old"
    assert [each.name for each in tmp_path.iterdir()] == ["record"]


def test_what_a_crash_left_of_it_is_in_nobodys_way(tmp_path: Path) -> None:
    path = tmp_path / "record"
    unfinished(path).symlink_to(tmp_path / "elsewhere")
    replace_durably(path, b"new")
    assert path.read_bytes() == b"new" and not (tmp_path / "elsewhere").exists()


def test_a_line_follows_on_what_a_crash_tore(tmp_path: Path) -> None:
    path = tmp_path / "lines"
    for line in (b"one\n", b"two\n"):
        os.close(append_line(path, line))
    path.write_bytes(path.read_bytes()[:-2])
    os.close(append_line(path, b"three\n"))
    assert path.read_bytes() == b"one\ntw\nthree\n"


# -- what rests on it -----------------------------------------------------------------------------------------------------


def test_an_engine_goes_on_below_a_line_that_its_predecessor_tore(tmp_path: Path) -> None:
    path = tmp_path / "actions.log"
    path.write_bytes(b"2026-01-04T03:20:11Z\t17674")
    more = {"action": "restart_service", "target": "service:web", "by": "engine", "outcome": "-", "detail": "-"}
    ActionLogFile(path).write(Instant(START, 1.0), "INTENT", "act-1", **more)
    assert [line.count("\t") for line in path.read_text().splitlines()] == [1, 8]


def test_a_service_keeps_its_record_when_the_next_one_cannot_be_written(tmp_path: Path) -> None:
    keeper = ServiceKeeper(tmp_path)
    keeper.record("web", 4711, 1)
    with growing_no_further_than(2), pytest.raises(HostError, match="nothing was run"):
        keeper.record("web", 4712, 2)
    assert (tmp_path / "services" / "web").read_text() == "4711 1\n"


def test_a_record_that_was_never_finished_is_forgotten_at_the_next_start(tmp_path: Path) -> None:
    (tmp_path / "running").mkdir()
    unfinished(tmp_path / "running" / "act-1").write_text("47")
    forget_ended(tmp_path)
    assert list((tmp_path / "running").iterdir()) == []


def test_a_state_lasts_with_the_directories_that_were_made_for_it(tmp_path: Path, synced: set[int]) -> None:
    place = tmp_path / "a" / "b" / "state"
    StateDir(place).prepare()
    assert synced == {path.stat().st_ino for path in (place, *place.parents[:3])}


def refusing(number: int) -> Callable[..., int]:
    def refuse(*_: object) -> int:
        raise OSError(number, os.strerror(number))

    return refuse


def test_an_emergency_stop_lasts_though_nothing_can_be_written_into_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, synced: set[int]
) -> None:
    flag = EmergencyFlag(tmp_path, host_flag=tmp_path / "none" / "EMERGENCY_STOP")
    flag.prepare()
    synced.clear()
    monkeypatch.setattr(os, "pwrite", refusing(errno.EIO))
    assert flag.set(by="alice", reason="x", at=START)
    assert tmp_path.stat().st_ino in synced
