"""What every `LogView` keeps to: each line once, in order, over rotations, truncations and restarts."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import pytest

from chaos.simulation.host import SimulatedHost
from zen_agents.adapters.linux_host import LinuxHost
from zen_agents.ports.host import Host
from zen_agents.ports.host_logs import Checkpoint, LogChange, LogPiece, LogRequest


class Stage(Protocol):
    """Logs that somebody writes and rotates."""

    directory: str

    def restarted(self) -> Host: ...
    def append(self, name: str, content: str) -> None: ...
    def rename(self, old: str, new: str) -> None: ...
    def truncate(self, name: str) -> None: ...
    def remove(self, name: str) -> None: ...


class RealStage:
    """A temporary directory."""

    def __init__(self, directory: Path) -> None:
        self._directory, self.directory = directory, str(directory)

    def restarted(self) -> Host:
        return LinuxHost(self._directory / "state")

    def append(self, name: str, content: str) -> None:
        with (self._directory / name).open("a") as file:
            file.write(content)

    def rename(self, old: str, new: str) -> None:
        (self._directory / old).rename(self._directory / new)

    def truncate(self, name: str) -> None:
        with (self._directory / name).open("w"):
            pass

    def remove(self, name: str) -> None:
        (self._directory / name).unlink()


class SimulatedStage:
    """Dictionaries."""

    directory = "/var/log/shop"

    def __init__(self) -> None:
        self._host = SimulatedHost()

    def restarted(self) -> Host:
        return self._host

    def append(self, name: str, content: str) -> None:
        self._host.files.append(f"{self.directory}/{name}", content)

    def rename(self, old: str, new: str) -> None:
        self._host.files.rename(f"{self.directory}/{old}", f"{self.directory}/{new}")

    def truncate(self, name: str) -> None:
        self._host.files.truncate(f"{self.directory}/{name}")

    def remove(self, name: str) -> None:
        self._host.files.remove(f"{self.directory}/{name}")


class Reader:
    """Follows one source; forgets everything but the checkpoint after each call, as a restart would."""

    def __init__(self, stage: Stage, name: str = "app.log", *, from_start: bool = False, most_bytes: int = 1 << 20) -> None:
        self._stage = stage
        self._request = LogRequest(f"{stage.directory}/{name}", from_start=from_start, most_bytes=most_bytes)
        self.checkpoint: Checkpoint | None = None

    def piece(self) -> LogPiece:
        found = self._stage.restarted().look().new_lines(self._request, self.checkpoint)
        self.checkpoint = json.loads(json.dumps(found.checkpoint))
        return found

    def lines(self) -> list[str]:
        return [line for chunk in self.piece().chunks for line in chunk.lines.decode().splitlines()]


@pytest.fixture(params=["real", "simulated"])
def stage(request: pytest.FixtureRequest, tmp_path: Path) -> Stage:
    return RealStage(tmp_path) if request.param == "real" else SimulatedStage()


def _changes(piece: LogPiece) -> Sequence[LogChange]:
    return [event.change for event in piece.events]


def test_a_log_is_first_looked_at_from_its_end(stage: Stage) -> None:
    """What was there before anybody looked is old; every later line comes once."""
    stage.append("app.log", "old\n")
    reader = Reader(stage)
    assert reader.lines() == []
    stage.append("app.log", "one\ntwo\n")
    assert reader.lines() == ["one", "two"]
    assert reader.lines() == []


def test_a_log_can_be_read_from_its_start(stage: Stage) -> None:
    """For whoever asks for that."""
    stage.append("app.log", "old\n")
    assert Reader(stage, from_start=True).lines() == ["old"]


def test_a_line_cut_in_two_comes_when_it_is_whole(stage: Stage) -> None:
    """However often one looks meanwhile."""
    reader = Reader(stage, from_start=True)
    stage.append("app.log", "one\ntw")
    assert reader.lines() == ["one"]
    assert reader.lines() == []
    stage.append("app.log", "o\n")
    assert reader.lines() == ["two"]


def test_a_renamed_log_is_read_to_its_end_before_the_new_one(stage: Stage) -> None:
    """Also what was written to it between the last look and the rotation, and while there was no new one yet."""
    stage.append("app.log", "old\n")
    reader = Reader(stage)
    reader.piece()
    stage.append("app.log", "one\n")
    stage.rename("app.log", "app.log.1")
    assert reader.lines() == ["one"]
    stage.append("app.log.1", "two\n")
    assert reader.lines() == ["two"]
    stage.append("app.log.1", "three\n")
    stage.append("app.log", "four\n")
    piece = reader.piece()
    assert b"".join(chunk.lines for chunk in piece.chunks) == b"three\nfour\n"
    assert _changes(piece) == [LogChange.ROTATED]


def test_a_truncated_log_is_read_from_its_beginning(stage: Stage) -> None:
    """It shrank; what is in it now is new."""
    stage.append("app.log", "a long line that is old\n")
    reader = Reader(stage)
    reader.piece()
    stage.truncate("app.log")
    stage.append("app.log", "one\n")
    piece = reader.piece()
    assert [chunk.lines for chunk in piece.chunks] == [b"one\n"]
    assert _changes(piece) == [LogChange.TRUNCATED]


def test_a_log_that_was_deleted_and_made_anew_is_read_from_its_beginning(stage: Stage) -> None:
    """That something of the old one may be lost is said."""
    stage.append("app.log", "old\n")
    reader = Reader(stage)
    reader.piece()
    stage.remove("app.log")
    assert _changes(reader.piece()) == [LogChange.VANISHED]
    stage.append("other", "takes the number that became free\n")
    stage.append("app.log", "one\n")
    piece = reader.piece()
    assert [chunk.lines for chunk in piece.chunks] == [b"one\n"]
    assert LogChange.LOST in _changes(piece)


def test_a_pattern_reads_all_its_files_and_new_ones_from_their_start(stage: Stage) -> None:
    """Once the source is known, a file that appears is new as a whole."""
    stage.append("a.log", "old\n")
    reader = Reader(stage, "*.log")
    assert reader.lines() == []
    stage.append("a.log", "one\n")
    stage.append("b.log", "two\n")
    assert reader.lines() == ["one", "two"]


def test_what_does_not_fit_is_behind_and_comes_next(stage: Stage) -> None:
    """Each call is bounded; nothing is left out."""
    lines = [f"{number:06} {'x' * 1000}" for number in range(600)]
    reader = Reader(stage, from_start=True, most_bytes=200_000)
    stage.append("app.log", "".join(f"{line}\n" for line in lines))
    found = []
    for expected_behind in (True, True, True, False):
        piece = reader.piece()
        assert (piece.behind > 0) == expected_behind
        assert sum(len(chunk.lines) for chunk in piece.chunks) <= 400_000
        found += [line for chunk in piece.chunks for line in chunk.lines.decode().splitlines()]
    assert found == lines


@pytest.mark.parametrize("checkpoint", [{}, {"files": 3}, {"files": {"/x": [1, 2]}, "turn": "x"}, {"cursor": "../"}])
def test_what_is_no_checkpoint_counts_as_none(stage: Stage, checkpoint: Checkpoint) -> None:
    """A state file is checked, not trusted: at worst a log is looked at from its end."""
    stage.append("app.log", "old\n")
    reader = Reader(stage)
    reader.checkpoint = checkpoint
    assert set(reader.lines()) <= {"old"}
    stage.append("app.log", "one\n")
    assert reader.lines() == ["one"]
