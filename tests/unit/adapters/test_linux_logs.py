"""Real files, rotated in every way: each line is given once, over restarts, and what cannot be given is said."""

from __future__ import annotations

import bz2
import glob
import gzip
import json
import lzma
import os
import random
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from zen_agents.adapters.linux_logs import LinuxLogs
from zen_agents.errors import HostError
from zen_agents.logs.lines import LONGEST_LINE
from zen_agents.ports.host_logs import Checkpoint, LogChange, LogPiece, LogRequest


class Reader:
    """Follows one source; after each call nothing is left but the checkpoint."""

    def __init__(self, path: Path, **request: int | bool) -> None:
        self._request = LogRequest(str(path), **request)  # type: ignore[arg-type]
        self.checkpoint: Checkpoint | None = None
        self.logs = LinuxLogs()
        self.restarts = True

    def piece(self) -> LogPiece:
        found = self.logs.new_lines(self._request, self.checkpoint)
        if self.restarts:
            self.logs.close()
        self.checkpoint = json.loads(json.dumps(found.checkpoint))
        return found

    def lines(self) -> list[str]:
        return _lines(self.piece())

    def all(self) -> list[str]:
        found: list[str] = []
        while True:
            piece = self.piece()
            found += _lines(piece)
            if not piece.behind:
                return found


def _lines(piece: LogPiece) -> list[str]:
    return [line for chunk in piece.chunks for line in chunk.lines.decode().splitlines()]


def _changes(piece: LogPiece) -> list[LogChange]:
    return [event.change for event in piece.events]


def _append(path: Path, *lines: str) -> None:
    with path.open("a") as file:
        file.write("".join(f"{line}\n" for line in lines))


def _copy_truncate(path: Path, to: str) -> None:
    shutil.copy(path, path.with_name(to))
    os.truncate(path, 0)


def _gzip(path: Path) -> None:
    path.with_name(f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes()))


def _bzip2(path: Path) -> None:
    path.with_name(f"{path.name}.bz2").write_bytes(bz2.compress(path.read_bytes()))


def _xz(path: Path) -> None:
    path.with_name(f"{path.name}.xz").write_bytes(lzma.compress(path.read_bytes()))


def _zstd(path: Path) -> None:
    if shutil.which("zstd") is None:
        pytest.skip("zstd is not installed here")
    subprocess.run(["zstd", "-q", str(path)], check=True)


def _compress(path: Path, how: Callable[[Path], None]) -> None:
    how(path)
    packed = next(found for found in path.parent.glob(f"{path.name}.*") if found.suffix in (".gz", ".xz", ".bz2", ".zst"))
    state = path.stat()
    path.unlink()
    os.utime(packed, ns=(state.st_atime_ns, state.st_mtime_ns))


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "app.log"
    _append(path, "old")
    return path


def test_a_copy_that_was_truncated_is_read_to_the_end_of_the_copy(log: Path) -> None:
    """As logrotate's copytruncate does; the file keeps its number and the copy has another."""
    reader = Reader(log)
    reader.piece()
    _append(log, "one", "two")
    _copy_truncate(log, "app.log.1")
    _append(log, "three")
    piece = reader.piece()
    assert _lines(piece) == ["one", "two", "three"]
    assert _changes(piece) == [LogChange.ROTATED]
    assert reader.lines() == []


def test_a_truncated_file_that_grew_beyond_what_it_was_is_not_taken_for_the_same(log: Path) -> None:
    """By its beginning and by what is before the place; not by its size alone."""
    reader = Reader(log)
    reader.piece()
    os.truncate(log, 0)
    _append(log, "one", "two", "three")
    assert reader.lines() == ["one", "two", "three"]


def test_a_truncated_file_with_the_same_beginning_is_told_by_what_is_before_the_place(tmp_path: Path) -> None:
    """Some programs write the same head into every file."""
    log = tmp_path / "app.log"
    head = [f"#Fields: {'x' * 100}"] * 5
    _append(log, *head, "old")
    reader = Reader(log)
    reader.piece()
    os.truncate(log, 0)
    _append(log, *head, "one", "two")
    assert reader.lines() == [*head, "one", "two"]


@pytest.mark.parametrize("how", [_gzip, _bzip2, _xz, _zstd])
def test_a_log_that_was_rotated_and_compressed_is_read_on_in_the_archive(log: Path, how: Callable[[Path], None]) -> None:
    """The archive has another number; its content tells that it is the one, and where reading stopped in it."""
    reader = Reader(log)
    _append(log, *(f"read {number}" for number in range(2000)))
    reader.piece()
    _append(log, "one", "two")
    log.rename(log.with_name("app.log.1"))
    _append(log, "three")
    _compress(log.with_name("app.log.1"), how)
    piece = reader.piece()
    assert _lines(piece) == ["one", "two", "three"]
    assert _changes(piece) == [LogChange.ROTATED]


def test_several_rotations_while_nobody_looked_are_read_in_their_order(log: Path) -> None:
    """Numbers move up, older ones are compressed, and other files beside them are none of its business."""
    reader = Reader(log)
    reader.piece()
    for round_number in range(4):
        _append(log, f"line {round_number}")
        os.utime(log, ns=(0, (1_700_000_000 + round_number) * 10**9))
        for number in range(round_number, 0, -1):
            log.with_name(f"app.log.{number}").rename(log.with_name(f"app.log.{number + 1}"))
        log.rename(log.with_name("app.log.1"))
    _compress(log.with_name("app.log.3"), _gzip)
    for other in ("app.log.conf", "app.log-debug", "app2.log", "app.logs"):
        _append(log.with_name(other), "not this one")
    _append(log, "line 4")
    assert reader.lines() == [f"line {number}" for number in range(5)]


def test_archives_named_by_date_before_the_ending_are_found(log: Path) -> None:
    """logrotate's `dateext` with `extension`."""
    reader = Reader(log)
    reader.piece()
    _append(log, "one")
    log.rename(log.with_name("app-20261127.log"))
    _append(log, "two")
    assert reader.lines() == ["one", "two"]


def test_what_is_written_to_a_rotated_file_afterwards_is_read(log: Path) -> None:
    """A program writes on to the file that it has open until somebody tells it."""
    reader = Reader(log)
    reader.piece()
    with log.open("a") as still_open:
        log.rename(log.with_name("app.log.1"))
        _append(log, "one")
        assert reader.lines() == ["one"]
        still_open.write("late\n")
    assert reader.lines() == ["late"]
    assert reader.lines() == []


def test_a_big_archive_is_read_in_pieces(log: Path) -> None:
    """Each call is bounded; over restarts it is found again."""
    reader = Reader(log, most_bytes=300_000)
    reader.piece()
    lines = [f"{number:07} {'x' * 100}" for number in range(20_000)]
    _append(log, *lines)
    log.rename(log.with_name("app.log.1"))
    _compress(log.with_name("app.log.1"), _gzip)
    _append(log, "last")
    assert reader.all() == [*lines, "last"]


def test_a_damaged_archive_is_said_and_passed_over(log: Path) -> None:
    """What could be read of it was."""
    reader = Reader(log)
    reader.restarts = False
    reader.piece()
    rng = random.Random(7)
    _append(log, *(rng.randbytes(100).hex() for _ in range(20_000)))
    log.rename(log.with_name("app.log.1"))
    _compress(log.with_name("app.log.1"), _gzip)
    packed = log.with_name("app.log.1.gz")
    os.truncate(packed, packed.stat().st_size - 1000)
    _append(log, "one")
    found, changes = [], []
    for _ in range(4):
        piece = reader.piece()
        found += _lines(piece)
        changes += _changes(piece)
    reader.logs.close()
    assert found[-1] == "one"
    assert LogChange.LOST in changes


def test_a_log_on_a_file_system_that_is_away_goes_on_when_it_is_back(tmp_path: Path) -> None:
    """A mount that vanished shows an empty directory, or nothing; neither is a new log."""
    mount, away = tmp_path / "mnt", tmp_path / "away"
    mount.mkdir()
    log = mount / "app.log"
    _append(log, "old")
    reader = Reader(log)
    reader.piece()
    mount.rename(away)
    assert _changes(reader.piece()) == [LogChange.VANISHED]
    assert reader.piece().events == ()
    _append(away / "app.log", "one")
    away.rename(mount)
    piece = reader.piece()
    assert _lines(piece) == ["one"]
    assert _changes(piece) == [LogChange.BACK]


def test_a_log_that_grows_faster_than_it_is_read_is_sampled_and_that_is_said(log: Path) -> None:
    """How far behind, how much was looked at; what was not is counted, and reading goes on near the end."""
    reader = Reader(log, most_bytes=200_000, most_behind=2_000_000)
    reader.piece()
    written = 400_000 * len("0000000 flood\n")
    _append(log, *(f"{number:07} flood" for number in range(400_000)))
    piece = reader.piece()
    sampled = [chunk for chunk in piece.chunks if chunk.sampled]
    assert len(sampled) == 16
    assert _changes(piece) == [LogChange.SKIPPED]
    assert "5.3 MiB behind" in piece.events[0].detail
    given_bytes = sum(len(chunk.lines) for chunk in piece.chunks)
    assert piece.skipped > 0
    assert abs(piece.skipped + given_bytes + piece.behind - written) < 20 * LONGEST_LINE
    lines = reader.all()
    assert lines[-1] == "0399999 flood"
    assert all(len(line) == len("0000000 flood") for line in lines)


def test_a_hundred_megabytes_without_a_newline_are_passed_over_in_bounded_reads(log: Path) -> None:
    """The line is given with its beginning, once; the next one comes whole."""
    reader = Reader(log, most_behind=1 << 40)
    reader.piece()
    with log.open("a") as file:
        for _ in range(100):
            file.write("x" * (1 << 20))
        file.write("\nnext\n")
    lines, dropped = [], 0
    while not lines or lines[-1] != "next":
        piece = reader.piece()
        lines += _lines(piece)
        dropped += piece.dropped
    assert [len(line) for line in lines] == [LONGEST_LINE, 4]
    assert dropped == (100 << 20) - LONGEST_LINE


def test_a_hole_after_a_truncation_is_no_line(log: Path) -> None:
    """Who writes at the old place into a truncated file leaves one."""
    reader = Reader(log)
    with log.open("r+") as file:
        file.seek(0, os.SEEK_END)
        reader.piece()
        os.truncate(log, 0)
        file.seek(500_000)
        file.write("one\n")
    assert reader.lines() == ["one"]


def test_links_and_pipes_are_not_read(tmp_path: Path) -> None:
    """Who can put a link into the directory chooses no file to be read (R19), and nobody waits for a pipe."""
    (tmp_path / "secret").write_text("root:x\n")
    (tmp_path / "app.log").symlink_to(tmp_path / "secret")
    with pytest.raises(HostError):
        Reader(tmp_path / "app.log", from_start=True).piece()
    os.mkfifo(tmp_path / "pipe.log")
    _append(tmp_path / "b.log", "one")
    piece = Reader(tmp_path / "*.log", from_start=True).piece()
    assert _lines(piece) == ["one"]
    assert _changes(piece) == [LogChange.UNREADABLE, LogChange.UNREADABLE]
    with pytest.raises(HostError, match=r"a pipe and is not read: .* have it write to a file"):
        Reader(tmp_path / "pipe.log", from_start=True).piece()


def test_utf16_is_refused_with_what_to_do(tmp_path: Path) -> None:
    """It is said at each look, and nothing is read of it."""
    (tmp_path / "app.log").write_bytes("one\n".encode("utf-16"))
    with pytest.raises(HostError, match="iconv"):
        Reader(tmp_path / "app.log", from_start=True).piece()


def test_a_pattern_goes_along_with_renamed_files_and_leaves_archives_alone(tmp_path: Path) -> None:
    """An archive that the pattern names as well is read once, as the log that it was."""
    _append(tmp_path / "a.log", "old")
    reader = Reader(tmp_path / "*")
    reader.piece()
    _append(tmp_path / "a.log", "one")
    (tmp_path / "a.log").rename(tmp_path / "a.log.1")
    _append(tmp_path / "a.log", "two")
    (tmp_path / "c.log.2").write_text("three\n")
    assert sorted(reader.lines()) == ["one", "three", "two"]
    (tmp_path / "c.log.2").rename(tmp_path / "renamed")
    assert reader.lines() == []
    _append(tmp_path / "renamed", "four")
    assert reader.lines() == ["four"]


def test_where_nothing_is_new_in_many_files_the_checkpoint_is_the_one_that_was_given(tmp_path: Path) -> None:
    for name in ("a.log", "b.log"):
        _append(tmp_path / name, "old")
    request, logs = LogRequest(str(tmp_path / "*.log")), LinuxLogs()
    first = logs.new_lines(request, None).checkpoint
    assert logs.new_lines(request, first).checkpoint is first
    _append(tmp_path / "b.log", "new")
    second = logs.new_lines(request, first).checkpoint
    assert second is not first and logs.new_lines(request, second).checkpoint is second


def test_a_directory_is_listed_again_only_when_something_came_or_went(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed: list[str] = []
    glob_for_real = glob.glob
    monkeypatch.setattr(glob, "glob", lambda pattern: listed.append(pattern) or glob_for_real(pattern))
    (tmp_path / "logs").mkdir()
    (tmp_path / "linked").symlink_to("logs")
    first = tmp_path / "logs" / "a.log"
    first.touch()
    os.utime(first.parent, (1_000_000_000, 1_000_000_000))
    reader = Reader(tmp_path / "linked" / "*.log")
    assert reader.lines() == []
    for number in range(3):
        _append(first, f"line {number}")
        assert reader.lines() == [f"line {number}"]
    assert len(listed) == 1
    _append(tmp_path / "logs" / "b.log", "another")
    assert reader.lines() == ["another"]
    _append(tmp_path / "logs" / "c.log", "within the same moment")
    assert reader.lines() == ["within the same moment"]
    assert len(listed) == 3


def test_one_log_that_takes_all_of_the_budget_does_not_starve_the_others(tmp_path: Path) -> None:
    """Who had no turn is first the next time."""
    reader = Reader(tmp_path / "*.log", most_bytes=150_000)
    reader.piece()
    seen: set[str] = set()
    for _ in range(4):
        for name in ("a.log", "b.log", "c.log"):
            _append(tmp_path / name, *[name * 20] * 5000)
        piece = reader.piece()
        assert piece.behind > 0
        seen |= {chunk.path.rpartition("/")[2] for chunk in piece.chunks}
    assert seen == {"a.log", "b.log", "c.log"}


@pytest.mark.parametrize("seed", [*range(6), 117, 150, 178, 190])
def test_nothing_is_lost_and_nothing_comes_twice_whatever_is_rotated_when(tmp_path: Path, seed: int) -> None:
    """Writes, half lines, rotations of every kind, compression and looks in any order, with a restart before each look."""
    rng, log = random.Random(seed), tmp_path / "app.log"
    reader = Reader(log, from_start=True, most_bytes=rng.choice([150_000, 4 << 20]))
    written, found, stamp = 0, [], 1_700_000_000

    def tick() -> None:
        nonlocal stamp
        stamp += 1
        os.utime(log, ns=(0, stamp * 10**9))

    def write() -> None:
        nonlocal written
        for _ in range(rng.randrange(1, 400)):
            _append(log, f"line {written:08} {'x' * rng.randrange(300)}")
            written += 1
        tick()

    def rotate() -> None:
        for number in range(30, 0, -1):
            for ending in ("", ".gz", ".xz"):
                old = log.with_name(f"app.log.{number}{ending}")
                if old.exists():
                    old.rename(log.with_name(f"app.log.{number + 1}{ending}"))
        if rng.random() < 0.5:
            log.rename(log.with_name("app.log.1"))
            log.touch()
        else:
            state = log.stat()
            _copy_truncate(log, "app.log.1")
            os.utime(log.with_name("app.log.1"), ns=(0, state.st_mtime_ns))
        tick()
        if log.with_name("app.log.2").exists() and rng.random() < 0.7:
            _compress(log.with_name("app.log.2"), rng.choice([_gzip, _xz]))

    log.touch()
    tick()
    reader.piece()
    for _ in range(25):
        step = rng.random()
        if step < 0.4:
            write()
        elif step < 0.6 and log.stat().st_size:
            rotate()
        else:
            found += reader.lines()
    write()
    found += reader.all()
    assert [line.split()[1] for line in found] == [f"{number:08}" for number in range(written)]
