"""A pidfile that outlived its process: the number in it may be anybody's by now (R20)."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from zen_agents.adapters.linux_view import LinuxHost
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
