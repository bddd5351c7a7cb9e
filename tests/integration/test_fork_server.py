"""A process that begins in a fork of a warm one is as good as one that was started by hand."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import fork_server
from tests.support.engine_process import EngineProcess, wait_for, web_config
from zen_agents.store import failpoint


@pytest.mark.parametrize(
    "words", [("version",), ("status",), ("no-such-command",), ("schema", "--no-such-flag"), ("explain", "cooldown")]
)
def test_a_command_says_and_returns_what_it_does_when_it_is_started_by_hand(words: tuple[str, ...], tmp_path: Path) -> None:
    arguments = [*words, "--state-dir", str(tmp_path / "state")]
    by_hand = subprocess.run(
        [sys.executable, "-m", "zen_agents", *arguments],
        cwd=fork_server.REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    forked = fork_server.run(arguments, os.environ, timeout=60)
    assert (forked.returncode, forked.stdout, forked.stderr) == (by_hand.returncode, by_hand.stdout, by_hand.stderr)


def test_its_variables_are_the_ones_it_is_given(tmp_path: Path) -> None:
    given = {**os.environ, "ZEN_AGENTS_STATE_DIR": str(tmp_path / "elsewhere")}
    assert str(tmp_path / "elsewhere") in fork_server.run(["status"], given, timeout=60).stderr
    assert str(tmp_path / "elsewhere") not in fork_server.run(["status"], os.environ, timeout=60).stderr


@pytest.mark.parametrize("name", ["PYTHONPATH", "LD_PRELOAD", "TZ", "LC_ALL"])
def test_what_is_read_when_a_process_begins_wants_a_start_by_hand(name: str) -> None:
    assert not fork_server.can_start({"NO_COLOR": "1", name: "x"})
    assert fork_server.can_start({"NO_COLOR": "1"})


def test_an_engine_is_a_process_of_its_own_that_ends_as_it_is_ended(tmp_path: Path, port: int) -> None:
    one, other = EngineProcess(tmp_path / "one", web_config(port)), EngineProcess(tmp_path / "other", "{}")
    try:
        first, second = one.start().process, other.start().process
        assert isinstance(first, fork_server.ForkedProcess)
        assert second is not None
        assert len({first.pid, second.pid, os.getpid()}) == 3
        assert first.poll() is None
        with pytest.raises(subprocess.TimeoutExpired):
            first.wait(0.01)
        one.kill()
        assert first.returncode == -signal.SIGKILL
        assert not Path(f"/proc/{first.pid}").exists()
        assert other.status() is not None
        assert other.stop() == 143
    finally:
        one.close()
        other.close()


def test_a_failpoint_of_its_variables_is_armed(tmp_path: Path, port: int) -> None:
    engine = EngineProcess(tmp_path, web_config(port))
    try:
        process = engine.start(wait=False, **{failpoint.VARIABLE: "store.create.before_commit:kill"}).process
        assert process is not None
        assert process.wait(60) == -signal.SIGKILL
        assert engine.start().status() is not None
    finally:
        engine.close()


def test_nothing_outlives_the_tests(tmp_path: Path) -> None:
    """The server ends with whoever started it, however that ends, and its processes with it."""
    (tmp_path / "config.yaml").write_text("{}", encoding="utf-8")
    script = (
        "import os, sys; from tests.support import fork_server; "
        f"words = ['run', '-c', '{tmp_path}/config.yaml', '--state-dir', '{tmp_path}/state']; "
        "print(fork_server.start(words, os.environ, out=2, error=2).pid, flush=True); os.kill(os.getpid(), 9)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=fork_server.REPOSITORY, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    pid = int(done.stdout)
    wait_for(lambda: not Path(f"/proc/{pid}").exists(), "the end of its process")
