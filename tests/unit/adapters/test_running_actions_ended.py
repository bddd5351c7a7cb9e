"""What the emergency stop kills by the records of running actions, and which records a start forgets."""

from __future__ import annotations

import os
import shutil
import signal
from pathlib import Path

import pytest

from tests.support.acting import a_group, a_state, gone, members, record, said_pid
from tests.support.engine_process import start_time, wait_for
from zen_agents.adapters.running_actions import forget_ended, kill_running


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return a_state(tmp_path)


def test_the_group_and_all_of_its_session_are_killed_and_nobody_else(state: Path) -> None:
    # A shell with job control gives each job a group of its own within the session.
    with a_group("bash", "-mc", "sleep 600 & echo $!; sleep 600") as action, a_group("sleep", "600") as other:
        record(state, action.pid)
        child = said_pid(action)
        assert kill_running(state) == {"act-test00": "killed"}
        assert action.wait(30) == -signal.SIGKILL
        gone(child)
        assert other.poll() is None
        wait_for(lambda: kill_running(state) == {"act-test00": "gone"}, "the end of all of it")


def test_what_a_gone_leader_left_is_killed(state: Path) -> None:
    with a_group("sh", "-c", "sleep 600 & echo $!") as action:
        child = said_pid(action)
        action.wait(30)
        record(state, action.pid, start=start_time(child))
        assert kill_running(state) == {"act-test00": "killed"}
        gone(child)


@pytest.mark.parametrize("changed", [{"start": 5}, {"boot": "another"}])
def test_a_number_that_was_given_away_is_left_alone(state: Path, changed: dict[str, int | str]) -> None:
    with a_group("sh", "-c", "sleep 600 & echo $!; exec sleep 600") as other:
        said_pid(other)
        record(state, other.pid, **changed)  # type: ignore[arg-type]
        assert kill_running(state, also_packages=True) == {"act-test00": "gone"}
        assert len(members(other.pid)) == 2


def test_a_package_manager_finishes_unless_told_otherwise(state: Path, tmp_path: Path) -> None:
    dpkg = tmp_path / "dpkg-deb"
    shutil.copy(shutil.which("sleep") or "/bin/sleep", dpkg)
    with a_group("sh", "-c", f"{dpkg} 600 & echo $!; wait") as action:
        record(state, action.pid)
        child = said_pid(action)
        wait_for(lambda: Path(f"/proc/{child}/comm").read_text() == "dpkg-deb\n")
        assert kill_running(state) == {"act-test00": "finishing"}
        assert kill_running(state, also_packages=True) == {"act-test00": "killed"}
        gone(child)


@pytest.mark.parametrize("text", ["", "x y z w\n", "-1 5 5 b\n", "0 0 0 b\n", "1 1 1 b\n", "5 5\n", "\udcff"])
def test_what_is_no_record_kills_nobody(state: Path, text: str) -> None:
    (state / "running" / "act-odd000").write_bytes(text.encode("utf-8", "surrogateescape"))
    assert kill_running(state) == {"act-odd000": "no record"}


def test_a_link_or_a_pipe_is_no_record(state: Path) -> None:
    with a_group("sleep", "600") as other:
        elsewhere = record(state, other.pid, name="other")
        (state / "running" / "act-link00").symlink_to(elsewhere)
        os.mkfifo(state / "running" / "act-pipe00")
        assert kill_running(state) == {"act-link00": "no record", "act-pipe00": "no record"}
        assert other.poll() is None


@pytest.mark.skipif(os.geteuid() != 0, reason="giving a file away needs root")
def test_as_root_a_record_of_somebody_else_does_not_count(state: Path) -> None:
    with a_group("sleep", "600") as victim:
        os.chown(record(state, victim.pid), 65534, 65534)
        assert kill_running(state) == {"act-test00": "not ours"}
        assert victim.poll() is None


def test_a_start_forgets_what_ended_and_keeps_what_lives(state: Path) -> None:
    with a_group("sleep", "600") as living:
        record(state, living.pid)
        record(state, living.pid, name="act-old000", boot="another")
        record(state, living.pid, name="act-gone00", start=5)
        (state / "running" / "act-odd000").write_text("odd")
        forget_ended(state)
        assert {path.name for path in (state / "running").iterdir()} == {"act-test00", "act-odd000"}
