"""A pidfile that outlived its process: the number in it may be anybody's by now (R20)."""

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.engine_process import wait_for
from zen_agents.adapters.linux_host import LinuxHost
from zen_agents.errors import HostError


@pytest.fixture
def innocent() -> Iterator[subprocess.Popen[bytes]]:
    """A process that has nothing to do with any service."""
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    yield process
    process.kill()
    process.communicate()


@pytest.fixture
def host(tmp_path: Path) -> LinuxHost:
    return LinuxHost(tmp_path / "state")


def test_a_process_that_began_after_the_file_was_written_is_not_believed(
    host: LinuxHost, tmp_path: Path, innocent: subprocess.Popen[bytes]
) -> None:
    pidfile = tmp_path / "web.pid"
    pidfile.write_text(f"{innocent.pid}\n")
    hour_ago = time.time() - 3600
    os.utime(pidfile, (hour_ago, hour_ago))
    with pytest.raises(HostError, match="began after"):
        host.look().pidfile_process(str(pidfile))


def test_its_program_speaks_for_it_whenever_the_file_was_written(
    host: LinuxHost, tmp_path: Path, innocent: subprocess.Popen[bytes]
) -> None:
    """A clock that was set after the daemon had written its file makes the file look old."""
    pidfile = tmp_path / "web.pid"
    pidfile.write_text(f"{innocent.pid}\n")
    os.utime(pidfile, (0, 0))
    program = os.path.realpath(sys.executable)
    found = host.look().pidfile_process(str(pidfile), executable=program)
    assert found is not None
    assert found.pid == innocent.pid
    assert host.look().pidfile_process(str(pidfile), executable="/usr/sbin/another") is None


def test_a_process_that_wrote_its_own_file_is_believed(
    host: LinuxHost, tmp_path: Path, innocent: subprocess.Popen[bytes]
) -> None:
    pidfile = tmp_path / "web.pid"
    pidfile.write_text(f"{innocent.pid}\n")
    found = host.look().pidfile_process(str(pidfile))
    assert found is not None
    assert found.pid == innocent.pid


def test_who_was_believed_stays_so_when_the_clock_is_set_forward(
    host: LinuxHost, tmp_path: Path, innocent: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    pidfile = tmp_path / "web.pid"
    pidfile.write_text(f"{innocent.pid}\n")
    assert host.look().pidfile_process(str(pidfile))
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + 3600)
    found = host.look().pidfile_process(str(pidfile))
    assert found is not None
    assert found.pid == innocent.pid
    # The same number in another file speaks for nobody: it was not believed before.
    another = tmp_path / "other.pid"
    another.write_text(pidfile.read_text())
    with pytest.raises(HostError, match="began after"):
        host.look().pidfile_process(str(another))
    # So does a file that was written again with an old time.
    pidfile.write_text(f"{innocent.pid}\n")
    os.utime(pidfile, (0, 0))
    with pytest.raises(HostError, match="began after"):
        host.look().pidfile_process(str(pidfile))


def test_a_clock_that_was_set_back_makes_nobody_older_than_the_file(
    host: LinuxHost, tmp_path: Path, innocent: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """By today's clock the process began a day before the file that is an hour older than it."""
    pidfile = tmp_path / "web.pid"
    pidfile.write_text(f"{innocent.pid}\n")
    hour_ago = time.time() - 3600
    os.utime(pidfile, (hour_ago, hour_ago))
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() - 86400)
    for _ in range(2):
        with pytest.raises(HostError, match=r"may have begun after .* the clock was set back"):
            host.look().pidfile_process(str(pidfile))


def test_who_began_after_the_clock_was_set_back_is_not_taken_for_whom_a_file_from_before_names(
    host: LinuxHost, tmp_path: Path, started: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    old = tmp_path / "old.pid"
    old.write_text(f"{os.getpid()}\n")
    with pytest.raises(HostError, match="began after"):
        os.utime(old, (0, 0))
        host.look().pidfile_process(str(old))
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() - 86400)
    with pytest.raises(HostError, match="began after"):
        host.look().pidfile_process(str(old))
    newcomer = Path(started(sys.executable, "-c", "input()"))
    # Written in the hour before the step, as the clock showed it then: it is still to come by today's.
    before = time.time() + 86400 - 1800
    os.utime(newcomer, (before, before))
    with pytest.raises(HostError, match="may have begun after"):
        host.look().pidfile_process(str(newcomer))
    # Written after all that the clock had shown before: by nobody but after the step.
    after = time.time() + 86400 + 60
    os.utime(newcomer, (after, after))
    assert host.look().pidfile_process(str(newcomer))


@pytest.fixture
def script(tmp_path: Path) -> Path:
    """A program that is a script."""
    path = tmp_path / "appd"
    path.write_text("#!/bin/sh\nread -r word\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def started(tmp_path: Path) -> Iterator[Callable[..., str]]:
    """Return a starter of processes that gives back the path of a pidfile for each."""
    with contextlib.ExitStack() as stack:

        def start(*argv: str) -> str:
            process = stack.enter_context(subprocess.Popen(argv, stdin=subprocess.PIPE))
            stack.callback(process.kill)
            wait_for(lambda: os.fsencode(argv[-1]) in Path(f"/proc/{process.pid}/cmdline").read_bytes(), "its program")
            pidfile = tmp_path / f"{process.pid}.pid"
            pidfile.write_text(f"{process.pid}\n")
            return str(pidfile)

        yield start


def test_a_script_is_known_by_its_interpreters_argument(
    host: LinuxHost, tmp_path: Path, script: Path, started: Callable[..., str]
) -> None:
    pidfile = started(str(script))
    assert host.look().pidfile_process(pidfile, executable=str(script))
    link = tmp_path / "link"
    link.symlink_to(script)
    assert host.look().pidfile_process(pidfile, executable=str(link))
    assert host.look().pidfile_process(pidfile, executable=str(tmp_path / "another")) is None
    # Another program that was given the script's path is not the script.
    reader = started("/usr/bin/tail", "-f", str(script))
    assert host.look().pidfile_process(reader, executable=str(script)) is None
    # Nor is another script of the same interpreter that was.
    other = tmp_path / "other"
    other.write_text(script.read_text())
    beside = started("/bin/sh", str(other), str(script))
    assert host.look().pidfile_process(beside, executable=str(script)) is None


@pytest.mark.parametrize(
    ("first_line", "believed"), [("", True), ("#!/usr/bin/env python3\n", True), ("#!/bin/sh\n", False)]
)
def test_its_interpreter_has_to_be_the_one_that_it_names_if_it_names_one(
    host: LinuxHost, tmp_path: Path, started: Callable[..., str], first_line: str, believed: bool
) -> None:
    path = tmp_path / "app.py"
    path.write_text(f"{first_line}input()\n")
    pidfile = started(sys.executable, "-u", str(path))
    assert (host.look().pidfile_process(pidfile, executable=str(path)) is not None) is believed
