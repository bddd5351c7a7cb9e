"""A person at a terminal, and one who may not."""

import os
import pty
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.engine_process import REPOSITORY, EngineProcess, free_port, wait_for, web_config
from tests.support.readable import readable


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineProcess]:
    engine = EngineProcess(tmp_path_factory.mktemp("people"), web_config(free_port()))
    engine.start()
    wait_for(lambda: [a["outcome"] for a in engine.actions()] == ["verified"], "the first start")
    yield engine
    engine.close()


class Terminal:
    """A command on a terminal of its own."""

    def __init__(self, engine: EngineProcess, *words: str, columns: int = 100) -> None:
        self._mine, theirs = pty.openpty()
        self.text = ""
        environment = {**os.environ, "COLUMNS": str(columns), "LINES": "50", "TERM": "xterm", "NO_COLOR": ""}
        environment.pop("FORCE_COLOR", None)
        command = [sys.executable, "-m", "zen_agents", *words, "--state-dir", str(engine.state)]
        self._process = subprocess.Popen(
            command, stdin=theirs, stdout=theirs, stderr=theirs, cwd=REPOSITORY, env=environment, start_new_session=True
        )
        os.close(theirs)

    def until(self, text: str) -> None:
        """Read until a text is shown."""
        deadline = time.monotonic() + 60
        while text not in self.text and time.monotonic() < deadline:
            if not self._read():
                break
        assert text in self.text, self.text

    def answer(self, text: str) -> None:
        os.write(self._mine, text.encode())

    def end(self) -> int:
        """Read to the end and return the exit code."""
        while self._read():
            pass
        os.close(self._mine)
        return self._process.wait(60)

    def _read(self) -> bool:
        try:
            found = os.read(self._mine, 65536) if readable(self._mine, 60) else b""
        except OSError:  # the other side is closed
            found = b""
        self.text += found.decode(errors="replace").replace("\r\n", "\n")
        return bool(found)


@pytest.mark.parametrize("columns", [80, 100, 160])
def test_every_screen_fits_the_terminal(shared: EngineProcess, columns: int) -> None:
    for words in (("status",), ("actions",), ("decisions",), ("incidents",), ("events",), ("why", "--not", "web"), ("why",),
                  ("actions", "show", "@last")):  # fmt: skip
        terminal = Terminal(shared, *words, columns=columns)
        terminal.end()
        plain = terminal.text.replace("\x1b[32m", "").replace("\x1b[33m", "").replace("\x1b[0m", "").replace("\x1b[36m", "")
        # A word without a space, such as a path, is not broken.
        long = [line for line in plain.splitlines() if len(line) > columns and str(shared.folder) not in line]
        assert long == [], words
    assert "Next: zen-agents" in terminal.text


def test_it_asks_for_the_reason_and_for_a_yes(shared: EngineProcess) -> None:
    terminal = Terminal(shared, "act", "restart_service", "web")
    terminal.until("Reason: ")
    terminal.answer("because I may\n")
    terminal.until("Run restart_service on service:web? [y/N] ")
    terminal.answer("n\n")
    assert terminal.end() == 1
    assert "nothing was done" in terminal.text
    terminal = Terminal(shared, "act", "restart_service", "web", "--reason", "because I may")
    terminal.until("[y/N] ")
    terminal.answer("y\n")
    assert terminal.end() == 0
    assert "VERIFIED" in terminal.text
    assert shared.actions()[-1]["because"] == "because I may"


def test_it_asks_for_the_hosts_name_before_the_stop_ends(shared: EngineProcess) -> None:
    shared.cli("stop", "--emergency", "--reason", "a test")
    terminal = Terminal(shared, "resume", "--from-emergency")
    terminal.until("Type this host's name: ")
    terminal.answer("elsewhere\n")
    assert terminal.end() == 2
    terminal = Terminal(shared, "resume", "--from-emergency")
    terminal.until("Type this host's name: ")
    terminal.answer(f"{shared.status()['host']}\n")  # type: ignore[index]
    assert terminal.end() == 0
    assert "is over" in terminal.text


def test_an_empty_answer_does_nothing(shared: EngineProcess) -> None:
    terminal = Terminal(shared, "pause", "--for", "1h")
    terminal.until("Reason: ")
    terminal.answer("\n")
    assert terminal.end() == 2
    assert "--reason TEXT is needed" in terminal.text
    assert Terminal(shared, "pause", "--for", "1h", "--no-input").end() == 2
    assert not any("PAUSED" in line for line in shared.status()["abnormal"])  # type: ignore[index]


def _others_may_run() -> bool:
    """Tell whether another account can run this Python and this checkout."""
    if os.geteuid() != 0 or shutil.which("setpriv") is None:
        return False
    command = _as_nobody("-c", "import zen_agents.cli.main")
    return subprocess.run(command, cwd="/", env=_environment(), capture_output=True, check=False).returncode == 0


def _as_nobody(*words: str) -> list[str]:
    return ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", _python(), *words]


def _python() -> str:
    system = Path("/usr/bin/python3")
    readable = all(parent.stat().st_mode & 0o001 for parent in Path(sys.executable).resolve().parents)
    return sys.executable if readable or not system.exists() else str(system)


def _environment() -> dict[str, str]:
    return {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(REPOSITORY), "PYTHONDONTWRITEBYTECODE": "1", "HOME": "/nonexistent"}


@pytest.mark.skipif(not _others_may_run(), reason="needs root, setpriv, and a Python that other accounts can run")
@pytest.mark.parametrize(
    "words",
    [("status",), ("events",), ("actions",), ("why",), ("audit", "verify"), ("pause", "--for", "1h", "--reason", "x"),
     ("stop",), ("stop", "--emergency"), ("resume", "--from-emergency", "--confirm", "x")],
    ids=" ".join,
)  # fmt: skip
def test_who_may_not_is_told_so_without_a_traceback(shared: EngineProcess, words: tuple[str, ...]) -> None:
    for folder in (shared.folder, *shared.folder.parents):
        if folder.stat().st_uid == os.geteuid() and folder != Path("/"):
            folder.chmod(folder.stat().st_mode | 0o011)
    done = subprocess.run(
        [*_as_nobody("-m", "zen_agents"), *words, "--state-dir", str(shared.state)], cwd="/", env=_environment(),
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 77, done
    assert done.stdout == ""
    assert done.stderr.startswith("zen-agents: ")
    assert "Traceback" not in done.stderr
