"""Runs a program that may say too much or never end, and returns how it ended."""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from typing import IO, Any

from zen_agents.model.environment import TrialStep

#: How much of its output is kept for people, and of an answer for programs, in bytes from its end.
TAIL_BYTES, ANSWER_BYTES = 4096, 16 << 20
#: Exit code of what could not be started, as a shell has it.
_NOT_STARTED = 127


def run(
    name: str, argv: Sequence[str], *, environment: Mapping[str, str], directory: str, seconds: float, given: str = "",
    answers: bool = False,
) -> TrialStep:  # fmt: skip
    """Run a program in a session of its own, which is killed when its time is over.

    The step's output is the end of all that it said; with `answers` the whole standard output, if it ended well.
    """
    began, aside = time.monotonic(), subprocess.PIPE if answers else subprocess.STDOUT
    try:
        child = subprocess.Popen(
            argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=aside, env=environment, cwd=directory,
            start_new_session=True,
        )  # fmt: skip
    except OSError as error:
        return TrialStep(name, tuple(argv), _NOT_STARTED, 0.0, f"{argv[0]} cannot be run: {error.strerror}")
    with child:
        _give(child.stdin, given)
        said = {stream: b"" for stream in (child.stdout, child.stderr) if stream is not None}
        timed_out = not _read(said, ANSWER_BYTES if answers else TAIL_BYTES, began + seconds)
        if timed_out:
            # The leader is not reaped yet, so the group is its own.
            os.killpg(child.pid, signal.SIGKILL)
        code = child.wait()
    output = next(iter(said.values())) if answers and code == 0 else b"".join(said.values())[-TAIL_BYTES:]
    return TrialStep(name, tuple(argv), code, time.monotonic() - began, _shown(output), timed_out)


def _give(stream: IO[bytes] | None, text: str) -> None:
    # One that ended without reading says why by its exit code; a request is smaller than a pipe.
    with contextlib.suppress(BrokenPipeError):
        if stream is not None:
            stream.write(text.encode())
            stream.close()


def _read(said: dict[Any, bytes], most: int, ends_at: float) -> bool:
    """Add the end of what is said until everybody has closed the pipes; False if the time was over before that."""
    with selectors.DefaultSelector() as waiting:
        for stream in said:
            waiting.register(stream, selectors.EVENT_READ)
        while waiting.get_map() and (left := ends_at - time.monotonic()) > 0:
            for key, _ in waiting.select(left):
                piece = os.read(key.fd, 65536)
                said[key.fileobj] = (said[key.fileobj] + piece)[-most:]
                if not piece:
                    waiting.unregister(key.fileobj)
        return not waiting.get_map()


def _shown(text: bytes) -> str:
    """Return a text in which nothing can move a cursor."""
    characters = text.decode("utf-8", "replace")
    return "".join(c if c.isprintable() or c in "\n\t" else c.encode("unicode_escape").decode() for c in characters)
