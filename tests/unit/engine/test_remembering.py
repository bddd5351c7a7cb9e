"""What a check must not forget is durable with what came of it, or neither is: nothing is lost, nothing comes twice."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.support.counting_child import NAME, CountingCheck
from tests.support.rig import Rig, RigAgent
from zen_agents.checks.base import Check
from zen_agents.clock import Instant
from zen_agents.engine.sampler import Sampler
from zen_agents.model.observation import Observation
from zen_agents.ports.host import HostView
from zen_agents.store.failpoint import VARIABLE


class Child:
    """Turns in a process of their own."""

    def __init__(self, directory: Path, armed: str = "") -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.counting_child", str(directory), str(directory / "app.log"), "50"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=os.environ | ({VARIABLE: armed} if armed else {}),
        )  # fmt: skip

    def turn(self) -> list[int] | None:
        """Wait for the end of a turn; None if the process died in it."""
        assert self._process.stdout is not None
        said = self._process.stdout.readline()
        return [int(word) for word in said.split()] or None

    def go_on(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()

    def kill(self) -> int:
        self._process.kill()
        self._process.communicate()
        return self._process.returncode


def _write(directory: Path, first: int, last: int) -> None:
    with (directory / "app.log").open("a") as file:
        file.writelines(f"{number}\n" for number in range(first, last + 1))


def _kept(directory: Path) -> tuple[int, int]:
    """Return the last line that is remembered, and how many incidents are written."""
    connection = sqlite3.connect(directory / "state.db")
    memory = connection.execute("SELECT memory FROM check_memories WHERE name = ?", [NAME]).fetchone()
    incidents = connection.execute("SELECT count(*) FROM incidents").fetchone()[0]
    connection.close()
    return json.loads(memory[0])["last"] if memory else 0, incidents


def test_an_engine_that_is_killed_at_any_seam_loses_no_line_and_reads_none_twice(tmp_path: Path) -> None:
    """kill -9 right before and right after the commit of each of the first turns, over rotations of the log."""
    (tmp_path / "app.log").touch()
    written = 0
    for number, seam in enumerate(["before", "after"] * 2, start=1):
        child = Child(tmp_path, f"store.batch.{seam}_commit:kill:{1 + number // 2}")
        while True:
            _write(tmp_path, written + 1, written + 200)
            written += 200
            if child.turn() is None:
                break
            child.go_on()
        assert child.kill() == -signal.SIGKILL
        remembered, incidents = _kept(tmp_path)
        # What came of the lines is there exactly if that they were read is.
        assert (remembered > 0) == (incidents > 0)
        if number % 2:
            (tmp_path / "app.log").rename(tmp_path / f"app.log.{number}")
    _write(tmp_path, written + 1, written + 200)
    child = Child(tmp_path)
    assert child.turn() == [written + 200, 0]
    child.kill()


def test_an_engine_that_is_killed_from_outside_goes_on_where_it_was(tmp_path: Path) -> None:
    """Whatever it was doing just then."""
    written, child = 0, Child(tmp_path)
    for _ in range(2):
        for _ in range(5):
            _write(tmp_path, written + 1, written + 1000)
            written += 1000
            child.go_on()
        assert child.turn() is not None
        assert child.kill() == -signal.SIGKILL
        child = Child(tmp_path)
    assert child.turn() == [written, 0]
    child.kill()


def _rig(directory: Path, check: Check, monkeypatch: pytest.MonkeyPatch) -> Rig:
    monkeypatch.setattr(RigAgent, "checks", lambda agent: [check])
    return Rig(directory, ["log"])


async def test_what_nobody_remembers_any_more_is_forgotten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A source that is taken out and comes back in a year is looked at from its present end."""
    _write(tmp_path, 1, 5)
    rig = _rig(tmp_path, CountingCheck(str(tmp_path / "app.log")), monkeypatch)
    await rig.turn()
    rig.store.close()
    assert _kept(tmp_path)[0] == 5
    monkeypatch.undo()
    rig = Rig(tmp_path, ["log"])
    await rig.turn()
    assert rig.store.check_memories("system_health") == {}


@pytest.mark.parametrize("memory", ["", "[]", "{", "[" * 100_000])
async def test_a_memory_that_is_damaged_is_none_and_that_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, memory: str
) -> None:
    """The engine starts and looks."""
    rig = _rig(tmp_path, CountingCheck(str(tmp_path / "app.log")), monkeypatch)
    await rig.turn()
    rig.store.close()
    connection = sqlite3.connect(tmp_path / "state.db")
    connection.execute("UPDATE check_memories SET memory = ?", [memory])
    connection.commit()
    connection.close()
    _write(tmp_path, 1, 5)
    check = CountingCheck(str(tmp_path / "app.log"))
    await _rig(tmp_path, check, monkeypatch).turn()
    assert (check.last, check.wrong) == (5, 0)
    assert f"what {check.name} remembered is damaged" in caplog.text


async def test_nothing_is_written_while_nothing_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An idle log costs no write."""
    _write(tmp_path, 1, 5)
    rig = _rig(tmp_path, CountingCheck(str(tmp_path / "app.log")), monkeypatch)
    saved: list[str] = []
    monkeypatch.setattr(rig.store, "save_check_memory", lambda agent, name, memory: saved.append(name))
    for _ in range(4):
        await rig.turn(everything=True)
    assert saved == [NAME]


class SlowCheck(CountingCheck):
    """Reads, and then does not come back for as long as it is held."""

    def __init__(self, log: str) -> None:
        super().__init__(log)
        self.timeout_seconds = 0.05
        self.held = threading.Event()
        self.recalled: list[Mapping[str, Any]] = []

    def observe(self, host: HostView, now: Instant) -> Sequence[Observation]:
        self.thread = threading.current_thread()
        found = super().observe(host, now)
        self.held.wait(20)
        return found

    def recall(self, memory: Mapping[str, Any]) -> None:
        super().recall(memory)
        self.recalled.append(memory)


async def test_what_was_found_too_late_is_found_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A look that was given up has read lines of which nothing came: the check is set back to before it."""
    check = SlowCheck(str(tmp_path / "app.log"))
    rig = _rig(tmp_path, check, monkeypatch)
    rig.parts.sampler = Sampler(rig.host, rig.clock)
    rig.tick = type(rig.tick)(rig.agent, rig.parts, rig.recorder)
    _write(tmp_path, 1, 5)
    await rig.tick.run(everything=True)
    assert rig.store.check_memories("system_health") == {}
    check.held.set()
    check.thread.join(20)
    check.timeout_seconds = 20.0
    await rig.tick.run(everything=True)
    rig.parts.sampler.close()
    assert check.recalled == [{}]
    assert (check.last, check.wrong) == (5, 0)
    assert json.loads(rig.store.check_memories("system_health")[NAME])["last"] == 5
