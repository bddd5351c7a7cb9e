from __future__ import annotations

import errno
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from zen_agents.adapters.emergency_flag import EmergencyFlag
from zen_agents.errors import HostError

AT = datetime(2026, 1, 4, 3, 20, 11, tzinfo=UTC)


@pytest.fixture
def flag(tmp_path: Path) -> EmergencyFlag:
    return EmergencyFlag(tmp_path, host_flag=tmp_path / "host" / "EMERGENCY_STOP")


def test_it_is_not_set_at_first(flag: EmergencyFlag) -> None:
    assert flag.read() is None


def test_setting_says_who_when_and_why_and_a_second_stop_leaves_the_first(flag: EmergencyFlag) -> None:
    flag.prepare()
    text = flag.set(by="alice", reason="runaway\nrestarts\x1b[2J", at=AT)
    assert text == "set 2026-01-04T03:20:11+00:00 by alice: runaway restarts [2J"
    assert flag.read() == text
    assert flag.set(by="bob", reason="me too", at=AT) == text


def test_it_is_set_by_renaming_what_was_prepared_so_that_no_byte_is_needed(flag: EmergencyFlag, tmp_path: Path) -> None:
    flag.prepare()
    prepared = (tmp_path / ".emergency-stop-prepared").stat()
    flag.set(by="alice", reason="x", at=AT)
    stop = (tmp_path / "EMERGENCY_STOP").stat()
    assert (stop.st_ino, stop.st_size) == (prepared.st_ino, prepared.st_size)
    assert stop.st_mode & 0o777 == 0o600


def test_it_is_set_even_if_its_text_cannot_be_written(flag: EmergencyFlag, monkeypatch: pytest.MonkeyPatch) -> None:
    flag.prepare()

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "pwrite", full)
    flag.set(by="alice", reason="disk full", at=AT)
    assert flag.read() == "set by renaming the prepared file, before more could be written"


def test_without_a_prepared_file_it_is_made(flag: EmergencyFlag) -> None:
    assert flag.set(by="alice", reason="", at=AT).endswith("by alice: no reason given")


def test_where_nothing_can_be_written_the_next_step_is_told(tmp_path: Path) -> None:
    with pytest.raises(HostError, match="kill the engine by its pid"):
        EmergencyFlag(tmp_path / "missing").set(by="alice", reason="x", at=AT)


def test_the_flag_of_the_host_counts_too(flag: EmergencyFlag, tmp_path: Path) -> None:
    host_flag = tmp_path / "host" / "EMERGENCY_STOP"
    host_flag.parent.mkdir()
    host_flag.write_text("set by root\n")
    assert flag.read() == "set by root"


@pytest.mark.parametrize("kind", ["empty", "directory", "dangling link", "parent is a file"])
def test_what_cannot_be_told_counts_as_set(kind: str, tmp_path: Path) -> None:
    stop = tmp_path / "EMERGENCY_STOP"
    if kind == "empty":
        stop.touch()
    elif kind == "directory":
        stop.mkdir()
    elif kind == "dangling link":
        stop.symlink_to("/nowhere/at/all")
    else:
        (tmp_path / "file").touch()
        assert EmergencyFlag(tmp_path, host_flag=tmp_path / "file" / "EMERGENCY_STOP").read() is not None
        return
    assert EmergencyFlag(tmp_path, host_flag=tmp_path / "no" / "flag").read() is not None


def test_clearing_removes_both_and_prepares_the_next_stop(flag: EmergencyFlag, tmp_path: Path) -> None:
    (tmp_path / "host").mkdir()
    (tmp_path / "host" / "EMERGENCY_STOP").touch()
    flag.prepare()
    flag.set(by="alice", reason="x", at=AT)
    assert flag.clear() == flag.paths
    assert flag.read() is None
    assert (tmp_path / ".emergency-stop-prepared").stat().st_size == 4096
