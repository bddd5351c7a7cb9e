"""Faults break what they are told to break, and nothing whose number merely looks like it."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from chaos.soak.faults import NOBODY, ChangedMode, Fault, FullDirectory, GrownLog, MissingDirectory, kill, recorded
from tests.support.engine_process import start_time


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(["/bin/sleep", "1000"]) as process:
        yield process
        process.kill()


def test_a_process_is_killed_by_pid_and_start_time(sleeper: subprocess.Popen[bytes]) -> None:
    began = start_time(sleeper.pid)
    assert began is not None
    kill(sleeper.pid, began)
    assert sleeper.wait(20) == -9


def test_a_number_that_was_given_away_is_let_live(sleeper: subprocess.Popen[bytes]) -> None:
    began = start_time(sleeper.pid)
    assert began is not None
    kill(sleeper.pid, began - 1)
    kill(*NOBODY)
    assert start_time(sleeper.pid) == began


@pytest.mark.parametrize(("text", "expected"), [("12 34\n", (12, 34)), ("", NOBODY), ("12", NOBODY)])
def test_a_record_that_is_being_written_is_nobody(tmp_path: Path, text: str, expected: tuple[int, int]) -> None:
    (tmp_path / "web").write_text(text, encoding="ascii")
    assert recorded(tmp_path / "web") == expected
    assert recorded(tmp_path / "none") == NOBODY


def test_what_is_broken_is_known_and_so_is_its_repair(tmp_path: Path) -> None:
    (tmp_path / "spool").mkdir()
    (tmp_path / "conf").touch(mode=0o640)
    (tmp_path / "conf").chmod(0o640)
    (tmp_path / "cache").mkdir()
    faults: list[tuple[Fault, Callable[[], object]]] = [
        (MissingDirectory(tmp_path / "spool"), (tmp_path / "spool").mkdir),
        (ChangedMode(tmp_path / "conf", 0o640), lambda: (tmp_path / "conf").chmod(0o640)),
        (GrownLog(tmp_path / "log", 1000), lambda: (tmp_path / "log").rename(tmp_path / "log.1")),
        (
            FullDirectory(tmp_path / "cache", "cache", "cache:cache", files=3, left=1),
            lambda: [path.unlink() for path in sorted((tmp_path / "cache").iterdir())[:2]],
        ),
    ]
    for fault, repair in faults:
        assert fault.is_repaired(), fault.name
        fault.inject()
        assert not fault.is_repaired(), fault.name
        repair()
        assert fault.is_repaired(), fault.name
