"""The fenced blocks of the documentation, and a copy of the project in which they run."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.support.engine_process import wait_for

ROOT = Path(__file__).resolve().parents[2]
#: The port of the example; each sandbox has one of its own.
PORT = "8123"
_COPIED = (
    "zen_agents",
    "config",
    "scripts",
    "docs",
    "README.md",
    "pyproject.toml",
    "requirements.lock",
    "requirements-dev.lock",
)
_FENCE = re.compile(r"^(`{3,})([^\n`]*)\n(.*?)^\1[ ]*$(?:\n+<!-- shows: (.*?) -->)?", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """One fenced block: where it is, what stands behind the fence, and what its output must match, if that is said."""

    page: Path
    line: int
    info: str
    text: str
    shows: str

    @property
    def language(self) -> str:
        return self.info.split(" ", 1)[0]

    @property
    def words(self) -> list[str]:
        return self.info.split()[1:]

    @property
    def exit_code(self) -> int:
        return next((int(word.removeprefix("exit=")) for word in self.words if word.startswith("exit=")), 0)

    @property
    def name(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def pages() -> list[Path]:
    """Return every page of the documentation."""
    return [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def blocks(page: Path) -> Iterator[Block]:
    """Yield a page's blocks in order."""
    text = page.read_text("utf-8")
    for match in _FENCE.finditer(text):
        line = text.count("\n", 0, match.start()) + 1
        yield Block(page, line, match[2].strip(), match[3], match[4] or "")


class Sandbox:
    """A copy of the project with its own state, home and port, in which set-up is already done."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "zen-agents"
        self.root.mkdir(parents=True)
        self.port = _free_port()
        self._background: list[subprocess.Popen[str]] = []
        for name in _COPIED:
            self._copy(name)
        self._stand_in_for_setup()
        example = self.root / "config" / "examples" / "first-repair.yaml"
        example.write_text(self._own_port(example.read_text("utf-8")), "utf-8")
        home = folder / "home"
        home.mkdir()
        self.environment = {
            "PATH": f"{self.root}/.venv/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME": str(home), "LANG": "C.UTF-8", "ZEN_AGENTS_STATE_DIR": str(self.root / ".state"), "NO_COLOR": "1",
        }  # fmt: skip

    def _copy(self, name: str) -> None:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, self.root / name, ignore=shutil.ignore_patterns("__pycache__"))
        elif source.exists():
            shutil.copy2(source, self.root / name)

    def _stand_in_for_setup(self) -> None:
        """Leave out the download: the interpreter of this test has everything."""
        ready = f'set_up() {{ python="{sys.executable}"; export PYTHONPATH="{self.root}"; }}'
        setup = ready + '\nsay() { printf "%s\\n" "$*" >&2; }\n'
        (self.root / "scripts" / "setup.sh").write_text(setup, "utf-8")
        commands = self.root / ".venv" / "bin"
        commands.mkdir(parents=True)
        program = commands / "zen-agents"
        program.write_text(f'#!/bin/sh\nPYTHONPATH="{self.root}" exec "{sys.executable}" -m zen_agents "$@"\n', "utf-8")
        program.chmod(0o755)
        (commands / "activate").write_text(f'PATH="{commands}:$PATH"\nexport PATH\n', "utf-8")

    def _own_port(self, text: str) -> str:
        return text.replace(PORT, str(self.port))

    def run(self, block: Block) -> str:
        """Run a block in a shell of its own that stops at the first error; return what it printed."""
        script = self._own_port(block.text)
        done = subprocess.run(
            ["sh", "-e", "-c", script], cwd=self.root, env=self.environment, capture_output=True, text=True, timeout=60,
            stdin=subprocess.DEVNULL, check=False,
        )  # fmt: skip
        printed = done.stdout + done.stderr
        assert done.returncode == block.exit_code, f"{block.name} ended with {done.returncode}:\n{script}\n{printed}"
        if block.shows:
            assert re.search(self._own_port(block.shows), printed), f"{block.name} does not show {block.shows!r}:\n{printed}"
        return printed

    def write(self, block: Block) -> None:
        """Write a block that says ` as FILE` behind its fence to that file, for the commands that follow."""
        path = self.root / block.words[block.words.index("as") + 1]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(self._own_port(block.text), "utf-8")

    def run_in_background(self, block: Block) -> None:
        """Start a block that goes on until the end of the sandbox."""
        output = (self.root / "background.log").open("a")
        process = subprocess.Popen(
            ["sh", "-e", "-c", f"exec {self._own_port(block.text).strip()}"], cwd=self.root, env=self.environment,
            stdout=output, stderr=output, text=True, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        output.close()
        self._background.append(process)
        said = self.root / "background.log"
        wait_for(lambda: process.poll() is not None or "Stop: Ctrl-C" in said.read_text("utf-8"), f"{block.name} to come up")
        assert process.poll() is None, f"{block.name}:\n{said.read_text('utf-8')}"

    def close(self) -> None:
        """End what was started: the engine, and the services that outlive it."""
        for process in self._background:
            process.terminate()
        for process in self._background:
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        for record in (self.root / ".state" / "services").glob("*"):
            _kill_recorded(record)


def _kill_recorded(record: Path) -> None:
    """Kill the process that a record names, if it still is the one that was started."""
    pid, start = record.read_text("ascii").split()
    try:
        stat = Path("/proc", pid, "stat").read_text("utf-8", "replace")
        if stat.rpartition(") ")[2].split(" ")[19] == start:
            os.kill(int(pid), signal.SIGKILL)
    except (FileNotFoundError, ProcessLookupError):
        return


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
