"""What a process was at before it is ended."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests.support.engine_process import wait_for
from zen_agents.adapters.process_evidence import MOST_DESCRIPTORS, MOST_THREADS, open_files, stacks

_BUSY = """
import os, socket, sys, threading
kept = [open(sys.argv[1]) for _ in range(3)] + [socket.socket() for _ in range(int(sys.argv[2]))] + [os.pipe()]
for _ in range(int(sys.argv[3])):
    threading.Thread(target=threading.Event().wait, daemon=True).start()
print("up", flush=True)
sys.stdin.read()
"""


def begun(path: Path, sockets: int, threads: int) -> Iterator[str]:
    """Start a process with so many things open and yield its folder in /proc."""
    path.touch()
    command = [sys.executable, "-c", _BUSY, str(path), str(sockets), str(threads)]
    child = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env={"TOKEN": "S3cr3t"}
    )
    assert child.stdout is not None
    assert child.stdout.readline() == b"up\n"
    yield f"/proc/{child.pid}"
    child.kill()
    child.communicate()


@pytest.fixture
def few(tmp_path: Path) -> Iterator[str]:
    yield from begun(tmp_path / "data.db", 5, 2)


@pytest.fixture
def many(tmp_path: Path) -> Iterator[str]:
    yield from begun(tmp_path / "data.db", 2 * MOST_DESCRIPTORS, MOST_THREADS + 3)


def test_what_it_has_open_is_counted_by_kind_and_named_once(few: str, tmp_path: Path) -> None:
    found = open_files(few, most_names=8)
    assert str(tmp_path / "data.db") in found.names
    assert len(found.names) == len(set(found.names))
    counted = {kind: count for count, kind in re.findall(r"(\d+) (\w+)", found.kinds)}
    assert (counted["socket"], counted["file"]) == ("5", "3")
    assert int(counted["pipe"]) >= 2


def once(folder: str, state: str) -> Sequence[str]:
    """Return its lines once all of them are about this state."""
    lines: Sequence[str] = ()

    def are_so() -> bool:
        nonlocal lines
        lines = stacks(folder)
        return all(f": {state}" in line for line in lines)

    wait_for(are_so, f"that all are {state}")
    return lines


def test_each_thread_has_a_line_with_its_state_and_where_it_waits(few: str) -> None:
    lines = once(few, "sleeping")
    assert len(lines) == 3
    assert all(re.fullmatch(r"\d+ [\w.-]+: sleeping(, in [\w.]+( < [\w.]+)*)?", line) for line in lines), lines


def test_one_that_was_stopped_says_so(few: str) -> None:
    os.kill(int(few.rpartition("/")[2]), signal.SIGSTOP)
    assert len(once(few, "stopped by a signal")) == 3


def test_of_a_leak_so_many_are_looked_at_and_no_more(many: str) -> None:
    found, lines = open_files(many, most_names=8), stacks(many)
    assert re.search(rf"\(of the first {MOST_DESCRIPTORS} of 1\d\d\d\)$", found.kinds)
    assert len(lines) == MOST_THREADS + 1
    assert lines[-1] == "and 4 more threads"


def test_the_main_thread_is_first_where_numbers_began_anew(tmp_path: Path) -> None:
    for thread in range(900 - MOST_THREADS, 901):
        (tmp_path / "900" / "task" / str(thread)).mkdir(parents=True)
        (tmp_path / "900" / "task" / str(thread) / "stat").write_text(f"{thread} (web) S 1", encoding="ascii")
    lines = stacks(str(tmp_path / "900"))
    assert lines[0] == "900 web: sleeping"
    assert lines[-1] == "and 1 more threads"


def test_of_a_process_that_is_gone_there_is_nothing() -> None:
    assert open_files("/proc/nobody", most_names=8) == ((), "")
    assert stacks("/proc/nobody") == ()
