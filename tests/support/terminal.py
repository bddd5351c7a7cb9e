"""A command of this process on a real terminal of a chosen width."""

from __future__ import annotations

import os
import pty
import sys
import termios
import threading
import tty
from dataclasses import dataclass

import pytest

from zen_agents.cli.main import main

#: What decides about width and colour beside the terminal.
_DECIDES = ("COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR", "CLICOLOR_FORCE")


@dataclass(frozen=True)
class Shown:
    """What a person saw, words beside the answer included, and the exit code."""

    code: int
    text: str


def on_terminal(*words: str, columns: int, colour: bool) -> Shown:
    """Run one command whose stdout and stderr are a terminal so wide; without colour it is a dumb one."""
    ours, theirs = pty.openpty()
    # A line ends as it was written.
    tty.setraw(theirs)
    termios.tcsetwinsize(theirs, (50, columns))
    read: list[bytes] = []
    reader = threading.Thread(target=_read_all, args=(ours, read))
    reader.start()
    try:
        code = _run(theirs, words, "xterm" if colour else "dumb")
    finally:
        os.close(theirs)
        reader.join()
        os.close(ours)
    return Shown(code, b"".join(read).decode())


def _run(terminal: int, words: tuple[str, ...], kind: str) -> int:
    with (
        open(terminal, "w", encoding="utf-8", buffering=1, closefd=False) as screen,
        pytest.MonkeyPatch.context() as patch,
    ):
        for name in _DECIDES:
            patch.delenv(name, raising=False)
        patch.setenv("TERM", kind)
        for stream in ("stdout", "stderr", "__stdout__"):
            patch.setattr(sys, stream, screen)
        try:
            return main(words)
        except SystemExit as ended:  # argparse's --help
            return int(ended.code or 0)


def _read_all(terminal: int, into: list[bytes]) -> None:
    try:
        while chunk := os.read(terminal, 65536):
            into.append(chunk)
    except OSError:
        return  # how Linux says that nobody has the other side any more
