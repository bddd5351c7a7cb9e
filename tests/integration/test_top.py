"""`top` on a real terminal: it shows, answers keys, and leaves the terminal as it was, however it ends."""

import fcntl
import os
import pty
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.command_line import WrittenState, a_call, a_repair, command
from tests.support.engine_process import REPOSITORY, EngineProcess, wait_for
from tests.support.own_config import own_config
from tests.support.readable import readable
from zen_agents.cli.top import why_page
from zen_agents.cli.top_screen import Row


class Terminal:
    """A terminal of 80 by 24 with `top` on it."""

    def __init__(self, folder: Path, **environment: str) -> None:
        self.ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        self._theirs, self.before, self.seen = theirs, termios.tcgetattr(theirs), ""
        self.process = subprocess.Popen(
            [sys.executable, "-m", "zen_agents", "top", "--state-dir", str(folder)], cwd=REPOSITORY, stdin=theirs,
            stdout=theirs, stderr=theirs, env={**os.environ, "TERM": "xterm", **environment}, start_new_session=True,
        )  # fmt: skip

    def until(self, wanted: str) -> None:
        """Read until this is shown."""
        ends = time.monotonic() + 60
        while wanted not in self.seen:
            assert time.monotonic() < ends, self.seen
            self.read()

    def read(self) -> None:
        if readable(self.ours, 0.2):
            self.seen += os.read(self.ours, 65536).decode("utf-8", "replace")

    def press(self, keys: str) -> None:
        self.seen = ""
        os.write(self.ours, keys.encode())

    def ended(self) -> int:
        """Return the exit code once it has ended; the terminal is as it was before."""
        ends = time.monotonic() + 60
        while self.process.poll() is None:
            assert time.monotonic() < ends
            self.read()
        self.read()
        assert termios.tcgetattr(self._theirs) == self.before
        return self.process.returncode

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self.ours)
        os.close(self._theirs)


@pytest.fixture
def state(tmp_path: Path) -> WrittenState:
    written = WrittenState(tmp_path / "state")
    a_repair(written)
    written.incident(
        "inc-bbbb22", written.ago(300), opened_at=written.ago(300), target="service:db", rule="system_health.db"
    )
    written.store.commit()
    return written


@pytest.fixture
def terminal(state: WrittenState) -> Iterator[Terminal]:
    made = Terminal(state.path, NO_COLOR="1")
    yield made
    made.close()


def test_it_shows_a_dead_engine_and_what_it_did_last_and_ends_at_a_key(terminal: Terminal) -> None:
    terminal.until("q quit")
    assert "ENGINE NOT RUNNING" in terminal.seen
    assert "restart_service service:web -> verified" in terminal.seen
    assert "1 incident open when it was last seen" in terminal.seen and "was bad" in terminal.seen
    assert "\x1b[31" not in terminal.seen
    terminal.press("?")
    terminal.until("Nothing here acts on the host")
    terminal.press("q")
    terminal.until("LAST ACTIONS")
    terminal.press("l")
    terminal.until("dec-aaaa13")
    terminal.press("qq")
    assert terminal.ended() == 0


def test_a_running_engine_is_shown_with_the_chain_of_what_is_wrong(engine_with: Callable[[str], EngineProcess]) -> None:
    engine = engine_with(own_config({"rules": {"always": {"when": "load1 >= 0"}}}, [])).start()
    wait_for(lambda: engine.json("incidents")["items"], "the incident")
    made = Terminal(engine.state, NO_COLOR="1")
    try:
        made.until("q quit")
        assert "ENFORCE" in made.seen
        assert "DOWN" in made.seen
        made.press("/always\nw")
        made.until("q back")
        made.press("qq")
        assert made.ended() == 0
    finally:
        made.close()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_leaves_the_terminal_as_it_was(terminal: Terminal, number: signal.Signals, code: int) -> None:
    terminal.until("q quit")
    terminal.process.send_signal(number)
    assert terminal.ended() == code
    assert "Traceback" not in terminal.seen


def test_a_terminal_that_cannot_show_it_is_told(state: WrittenState) -> None:
    made = Terminal(state.path, TERM="no-such-terminal")
    try:
        assert made.ended() == 2
        assert "zen-agents status" in made.seen
        assert "Traceback" not in made.seen
    finally:
        made.close()


def test_the_page_of_a_check_is_what_why_says_of_it(state: WrittenState) -> None:
    call = a_call("--state-dir", str(state.path), "--no-color")
    call.arguments.at = None
    page = why_page(call, Row("web", "ok", "-", "", "inc-aaaa11", "system_health.web", "-"))
    assert list(page) == state("why", "inc-aaaa11").out.splitlines()
    begun = why_page(call, Row("web", "suspected", "-", "", "inc-zzzz99", "system_health.web", "-"))
    assert list(begun) == state("why", "--not", "system_health.web").out.splitlines()


def test_without_a_terminal_it_says_what_to_use() -> None:
    done = command("top")
    assert (done.code, done.out, "zen-agents status -o json" in done.err) == (2, "", True)
