"""A log on a file system of its own: one that vanishes and comes back, and one that answers now and then."""

from __future__ import annotations

import errno
import os
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.support.changing import IS_ROOT
from tests.unit.checks.test_log_source_check import Follower
from zen_agents.model.observation import Status

needs_mount = pytest.mark.skipif(not IS_ROOT, reason="only root mounts file systems")


class Mounted:
    """A file system that can be taken away while what is on it stays, as that of a server that is not reached."""

    def __init__(self, folder: Path) -> None:
        self._disk, self.at = folder / "disk", folder / "mnt"
        for directory in (self._disk, self.at):
            directory.mkdir()
        self._run("mount", "-t", "tmpfs", "none", str(self._disk))
        self.come_back()

    def vanish(self) -> None:
        self._run("umount", str(self.at))

    def come_back(self) -> None:
        self._run("mount", "--bind", str(self._disk), str(self.at))

    def close(self) -> None:
        for directory in (self.at, self._disk):
            with suppress(subprocess.CalledProcessError):
                self._run("umount", str(directory))

    @staticmethod
    def _run(*argv: str) -> None:
        subprocess.run(argv, check=True, capture_output=True)


@pytest.fixture
def mounted(tmp_path: Path) -> Iterator[Mounted]:
    try:
        made = Mounted(tmp_path)
    except subprocess.CalledProcessError as error:
        pytest.skip(f"nothing can be mounted here: {error.stderr.decode().strip()}")
    yield made
    made.close()


@needs_mount
@pytest.mark.parametrize("restarts", [False, True], ids=["one engine", "a new engine each time"])
@pytest.mark.parametrize("meanwhile", ["nothing", "another log"])
def test_a_mount_that_vanished_is_told_and_its_log_goes_on_where_it_was(
    mounted: Mounted, restarts: bool, meanwhile: str
) -> None:
    (mounted.at / "log").mkdir()
    follower = Follower(mounted.at / "log" / "app.log")

    def restart() -> None:
        if restarts:
            follower.restart()

    follower.path.touch()
    follower.look()
    follower.write(1, 2)
    assert follower.lines() == 2
    follower.write(3)
    mounted.vanish()
    restart()
    found = follower.look()["log_source.app"]
    assert found.status is Status.PROBLEM
    assert f"{follower.path} is not there" in found.detail
    lines = 2
    if meanwhile == "another log":
        # Whoever writes to the empty directory below makes a log of its own.
        follower.path.parent.mkdir()
        follower.write(9)
        lines = 3
        assert follower.lines() == lines
    restart()
    mounted.come_back()
    follower.write(4)
    assert follower.lines() == lines + 2
    assert follower.look()["log_source.app"].status is Status.OK
    assert follower.lines() == lines + 2


@pytest.mark.parametrize("number", [errno.ESTALE, errno.EIO, errno.ETIMEDOUT])
def test_a_server_that_does_not_answer_is_unknown_and_costs_no_line(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "log").mkdir()
    follower = Follower(tmp_path / "log" / "app.log")
    follower.path.touch()
    follower.look()
    follower.write(1)
    assert follower.lines() == 1
    follower.write(2)

    def away(*_: object) -> bytes:
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patched:
        patched.setattr("os.pread", away)
        assert {each.status for each in follower.look().values()} == {Status.UNKNOWN}
    follower.write(3)
    assert follower.lines() == 3
