"""An engine that is killed while it removes something leaves that under a private name: the next one finishes it (R19)."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.engine_process import REPOSITORY
from zen_agents.adapters.emergency_flag import EmergencyFlag
from zen_agents.adapters.linux_host import LinuxHost
from zen_agents.clock import SystemClock
from zen_agents.wiring.machine import Machine

#: Removes one entry in one of the ways, and is killed right before it is gone.
_KILLED = """
import os, signal, sys
from zen_agents.adapters.quarantine import Quarantine
from zen_agents.adapters.safe_files import open_directory
from zen_agents.clock import SystemClock
top, state, how = sys.argv[1:]
for name in ("unlink", "rmdir"):
    real = getattr(os, name)
    def die(path, *, dir_fd=None, real=real):
        if str(path).startswith(".zen-agents-"):
            os.kill(os.getpid(), signal.SIGKILL)
        real(path, dir_fd=dir_fd)
    setattr(os, name, die)
quarantine = Quarantine(state + "/quarantine", SystemClock())
with open_directory(top, go_on=lambda: None, quarantine=quarantine) as directory:
    (seen,) = [each for each in directory.entries() if each.path.endswith("/it")]
    if how == "quarantine":
        directory.quarantine(seen, action="remove_stale_pidfile")
    else:
        getattr(directory, how)(seen)
"""


@pytest.fixture
def top(tmp_path: Path) -> Path:
    """A directory with things of others in it."""
    place = tmp_path / "top"
    place.mkdir()
    (place / "kept").write_text("kept")
    (place / ".zen-agents-0123456789abcdef01234567").write_text("somebody's")
    return place


@pytest.fixture
def state(tmp_path: Path) -> Path:
    place = tmp_path / "state"
    place.mkdir(mode=0o700)
    return place


def killed(top: Path, state: Path, how: str) -> Path:
    """Have a removal killed; return what it left."""
    before = set(top.iterdir())
    (top / "it").mkdir() if how == "remove_directory" else (top / "it").write_text("it")
    done = subprocess.run([sys.executable, "-c", _KILLED, str(top), str(state), how], cwd=REPOSITORY, check=False)
    assert done.returncode == -signal.SIGKILL
    (left,) = set(top.iterdir()) - before
    assert left.name.startswith(".zen-agents-")
    return left


def start(state: Path) -> None:
    """Do what a start of the engine does."""
    clock = SystemClock()
    Machine().controls(LinuxHost(state), state, EmergencyFlag(state, host_flag=state / "none"), clock)
    Machine().finish_removals(state, clock)


@pytest.mark.parametrize("how", ["remove", "remove_directory", "quarantine"])
def test_what_was_being_removed_is_gone_after_the_next_start_and_nothing_else_is(how: str, top: Path, state: Path) -> None:
    others = set(top.iterdir())
    killed(top, state, how)
    start(state)
    assert set(top.iterdir()) == others
    assert not list((state / "quarantine").glob(".aside-*"))


def test_what_bears_the_name_by_mistake_is_left(top: Path, state: Path, caplog: pytest.LogCaptureFixture) -> None:
    left = killed(top, state, "remove")
    left.unlink()
    left.write_text("another thing")
    # A new inode, which the name does not mean.
    left.rename(other := left.with_name(f"{left.name}0"))
    start(state)
    assert other.read_text() == "another thing"
    assert "rename it by hand" in caplog.text


def test_a_link_that_took_the_directorys_place_leads_nowhere(top: Path, state: Path, tmp_path: Path) -> None:
    left = killed(top, state, "remove")
    top.rename(tmp_path / "moved")
    top.symlink_to(tmp_path / "moved")
    start(state)
    assert (tmp_path / "moved" / left.name).exists()


def test_what_is_removed_in_peace_leaves_no_note(top: Path, state: Path) -> None:
    (top / "it").write_text("it")
    script = _KILLED.replace("os.kill(os.getpid(), signal.SIGKILL)", "pass")
    done = subprocess.run([sys.executable, "-c", script, str(top), str(state), "remove"], cwd=REPOSITORY, check=False)
    assert done.returncode == 0
    assert not (top / "it").exists()
    assert list((state / "quarantine").iterdir()) == []
