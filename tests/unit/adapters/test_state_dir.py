"""The state directory: private, trusted only if private, held by one engine, found by the emergency scripts."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from zen_agents.adapters.state_dir import StateDir
from zen_agents.errors import BusyError, StoreError

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="ownership and mounts need root")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_it_is_made_for_this_account_alone(tmp_path: Path) -> None:
    place = tmp_path / "a" / "state"
    StateDir(place).prepare()
    assert {path.name: mode(path) for path in (place, *place.iterdir())} == {
        "state": 0o700, "running": 0o700, "services": 0o700, "quarantine": 0o700,
    }  # fmt: skip
    StateDir(place).prepare()


def test_one_that_others_may_read_is_closed(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    StateDir(tmp_path).prepare()
    assert mode(tmp_path) == 0o700


@pytest.mark.parametrize("open_to", [0o770, 0o707, 0o777])
def test_one_that_others_may_write_is_refused(tmp_path: Path, open_to: int) -> None:
    tmp_path.chmod(open_to)
    with pytest.raises(StoreError, match="may be written by others"):
        StateDir(tmp_path).prepare()
    tmp_path.chmod(0o700)


@needs_root
def test_one_of_somebody_else_is_refused(tmp_path: Path) -> None:
    place = tmp_path / "theirs"
    place.mkdir(mode=0o700)
    os.chown(place, 65534, 65534)
    with pytest.raises(StoreError, match="not a directory of this account"):
        StateDir(place).prepare()


def test_a_link_or_a_file_in_its_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir(mode=0o700)
    (tmp_path / "link").symlink_to(tmp_path / "real")
    (tmp_path / "file").touch()
    for name in ("link", "file"):
        with pytest.raises(StoreError):
            StateDir(tmp_path / name).prepare()


def test_only_one_holds_it_and_says_who(tmp_path: Path) -> None:
    first, second = StateDir(tmp_path), StateDir(tmp_path)
    first.take()
    with pytest.raises(BusyError, match=f"pid {os.getpid()}"):
        second.take()
    pid, start = (tmp_path / "engine.lock").read_text().split()
    assert (int(pid), int(start) > 0) == (os.getpid(), True)
    first.release()
    second.take()
    second.release()


def test_the_hold_ends_with_the_process_however_it_ends(tmp_path: Path) -> None:
    script = (
        "import os, sys; from pathlib import Path; from zen_agents.adapters.state_dir import StateDir\n"
        "StateDir(Path(sys.argv[1])).take(); print('held', flush=True); os.kill(os.getpid(), 9)"
    )
    done = subprocess.run([sys.executable, "-c", script, tmp_path], capture_output=True, text=True, check=False)
    assert (done.stdout, done.returncode) == ("held\n", -9)
    again = StateDir(tmp_path)
    again.take()
    again.release()


def test_a_lock_that_is_no_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "engine.lock").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StoreError, match=r"engine\.lock cannot be opened"):
        StateDir(tmp_path).take()
    assert not (tmp_path / "elsewhere").exists()


@needs_root
def test_on_a_read_only_disk_it_is_held_all_the_same(tmp_path: Path) -> None:
    place = tmp_path / "state"
    StateDir(place).prepare()
    (place / "engine.lock").touch(mode=0o600)
    script = (
        "import sys; from pathlib import Path; from zen_agents.adapters.state_dir import StateDir\n"
        "state = StateDir(Path(sys.argv[1])); state.prepare(); state.take(); print('held')"
    )
    frozen = f'mount --bind {place} {place} && mount -o remount,bind,ro {place}; exec "$@"'
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", frozen, "sh", sys.executable, "-c", script, place],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stdout == "held\n", done.stderr


def test_it_leaves_its_path_for_the_scripts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    StateDir(tmp_path / "state").point(tmp_path / "zen-agents" / "state-dir")
    assert (tmp_path / "zen-agents" / "state-dir").read_text() == f"{tmp_path / 'state'}\n"
    # Where it cannot be left, the engine starts all the same.
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/proc/none")
    StateDir(tmp_path / "state").point(Path("/proc/none/state-dir"))


def test_a_group_may_pass_and_not_list_and_the_next_start_takes_it_back(tmp_path: Path) -> None:
    state = StateDir(tmp_path / "state")
    state.prepare()
    state.open_to(os.getegid())
    assert mode(tmp_path / "state") == 0o710
    state.prepare()
    assert mode(tmp_path / "state") == 0o700
