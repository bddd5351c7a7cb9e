"""A plan on a real host does nothing: no process, no file, no connection but the checks' own."""

import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.engine_process import REPOSITORY, EngineProcess, answers, wait_for

#: SQLite's own coordination between readers and the writer, beside the database.
_SIDE_FILES = ("state.db-wal", "state.db-shm")


def content_of(folder: Path) -> dict[str, bytes]:
    """Return every file below a directory that a plan must not change."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name not in _SIDE_FILES
    }


def plan(engine: EngineProcess, *words: str, before: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    script = str(REPOSITORY / "tests" / "support" / "watched_plan.py")
    arguments = ["plan", "-c", str(engine.config), "--state-dir", str(engine.state), *words]
    return subprocess.run(
        [*before, sys.executable, "-B", script, *arguments], cwd=REPOSITORY, capture_output=True, text=True, timeout=120,
        check=False, env={**os.environ, "PYTHONPATH": str(REPOSITORY), "PYTHONDONTWRITEBYTECODE": "1"},
    )  # fmt: skip


def test_what_is_down_would_be_repaired_and_nothing_is_done(engine: EngineProcess, port: int) -> None:
    engine.start()
    wait_for(lambda: [a["outcome"] for a in engine.actions()] == ["verified"], "the first start")
    engine.stop()
    os.kill(wait_for(engine.service_pid), signal.SIGKILL)
    wait_for(lambda: not answers(port), "its end")
    before = content_of(engine.state)
    done = plan(engine, "--exit-code")
    assert done.returncode == 10, done.stderr
    assert "restart_service service:web" in done.stdout
    assert "WOULD RUN" in done.stdout
    deeds = [line for line in done.stderr.splitlines() if line.startswith("DEED")]
    assert {deed for deed in deeds if f"('127.0.0.1', {port})" not in deed} == set()
    assert any("socket.connect" in deed for deed in deeds), "the check itself was not asked"
    assert content_of(engine.state) == before
    assert not answers(port)


def test_beside_a_running_engine_it_changes_nothing_of_its(engine: EngineProcess, port: int) -> None:
    engine.start()
    wait_for(lambda: [a["outcome"] for a in engine.actions()] == ["verified"], "the first start")
    records = len(engine.events())
    done = plan(engine, "--exit-code")
    assert done.returncode == 0, done.stderr
    assert not [line for line in done.stderr.splitlines() if line.startswith("DEED") and "socket.connect" not in line]
    assert len(engine.events()) == records
    assert engine.cli("audit", "verify").returncode == 0


@pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace")
def test_the_kernel_sees_no_process_and_no_file_made(engine: EngineProcess, tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    watched = "trace=execve,execveat,fork,vfork,clone,clone3,%file,kill,tgkill,ftruncate,fallocate"
    done = plan(engine, before=("strace", "-f", "-o", str(trace), "-e", watched))
    if not trace.exists() or "ptrace" in done.stderr.lower():
        pytest.skip("this host does not let processes be traced")
    assert done.returncode == 0, done.stderr
    calls = [line.split(maxsplit=1)[1] for line in trace.read_text(encoding="utf-8", errors="replace").splitlines()]
    calls = [call for call in calls if "ENOENT" not in call and "+++" not in call and "---" not in call]
    changes = [
        call for call in calls
        if re.match(r"(unlink|rename|mkdir|rmdir|chmod|fchmod|chown|link|symlink|truncate|ftruncate|kill|tgkill)", call)
        or re.search(r"O_(WRONLY|RDWR|CREAT|TRUNC)", call)
    ]  # fmt: skip
    assert [call for call in changes if "/dev/null" not in call] == []
    assert not engine.state.exists()
    assert sum(call.startswith("execve") for call in calls) == 1
    assert all("CLONE_THREAD" in call for call in calls if re.match("clone|fork|vfork", call))
