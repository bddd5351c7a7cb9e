"""Reads on in a source that is far behind, and has a worker look at it: matching gigabytes has no place in the engine.

A thread of its own reads, over all rotations, and feeds the worker; looks ask how far it is. It ends after some seconds, so
that what was found comes in piece by piece, and what has to be done again after a crash stays small.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable

from zen_agents.adapters.bounded_child import limit
from zen_agents.adapters.worker_process import environment, last_line
from zen_agents.errors import HostError
from zen_agents.jobs.log_catch_up import WORKER, CatchUpPiece
from zen_agents.ports.host_logs import CatchUp, Checkpoint, LogPiece, LogRequest

#: One stretch is read for so long; what is in the pipe by then, and the reply, may take so much longer (seconds).
_SECONDS, _REPLY_SECONDS = 10.0, 60.0
#: What the worker may take: address space and its reply (bytes), CPU time (seconds); and how far it stands back.
_MOST_MEMORY, _MOST_REPLY, _MOST_CPU, _NICE = 512 << 20, 16 << 20, 120, 10
_MOST_EVENTS, _MOST_SAID = 50, 4096

#: Reads what is new, as `ports.host_logs.LogView.new_lines`.
NewLines = Callable[[LogRequest, Checkpoint | None], LogPiece]


class CatchUps:
    """The stretches that are under way, by the name of who asked for them."""

    def __init__(self, new_lines: NewLines, seconds: float = _SECONDS) -> None:
        self._new_lines, self._seconds = new_lines, seconds
        self._stretches: dict[str, _Stretch] = {}

    def begin(self, name: str, request: LogRequest, checkpoint: Checkpoint | None, job: str) -> None:
        """Begin one; HostError if no worker can be started."""
        if name not in self._stretches:
            self._stretches[name] = _Stretch(self._new_lines, request, checkpoint, job, self._seconds)

    def state(self, name: str) -> CatchUp | None:
        """Return how far one is; its end is told once. None if there is none."""
        stretch = self._stretches.get(name)
        if stretch is None:
            return None
        state = stretch.state()
        if state.is_over:
            del self._stretches[name]
        return state

    def close(self) -> None:
        """End all."""
        while self._stretches:
            self._stretches.popitem()[1].kill()


class _Stretch:
    def __init__(
        self, new_lines: NewLines, request: LogRequest, checkpoint: Checkpoint | None, job: str, seconds: float
    ) -> None:
        self._new_lines, self._request, self._seconds = new_lines, request, seconds
        self._piece = LogPiece((), checkpoint or {})
        self._read, self._reply, self._failed = 0, "", ""
        try:
            self._child = subprocess.Popen(
                [sys.executable, "-P", "-B", "-m", WORKER], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                stderr=subprocess.PIPE, env=environment(), cwd="/", start_new_session=True,
            )  # fmt: skip
        except OSError as error:
            raise HostError(f"no worker can be started: {error.strerror}") from error
        limit(self._child.pid, memory_bytes=_MOST_MEMORY, cpu_seconds=_MOST_CPU)
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, self._child.pid, _NICE)
        self._ends_at = time.monotonic() + seconds + _REPLY_SECONDS
        self._thread = threading.Thread(target=self._run, args=(checkpoint, job), name="catch-up", daemon=True)
        self._thread.start()

    def state(self) -> CatchUp:
        """Return how far it is; a worker that hangs is ended."""
        if self._thread.is_alive():
            if time.monotonic() > self._ends_at:
                self.kill()
            return CatchUp(self._read, self._piece.behind)
        return CatchUp(self._read, self._piece.behind, self._piece, self._reply, self._failed, is_over=True)

    def kill(self) -> None:
        """End the worker; the thread ends by that."""
        self._child.kill()

    def _run(self, checkpoint: Checkpoint | None, job: str) -> None:
        with self._child:
            try:
                self._feed(checkpoint, job)
                self._take_reply()
            except (OSError, HostError) as error:
                self._child.kill()
                self._failed = self._failed or str(error)

    def _feed(self, checkpoint: Checkpoint | None, job: str) -> None:
        assert self._child.stdin is not None  # noqa: S101 - tells mypy what Popen(stdin=PIPE) guarantees
        # A worker that ended by itself says why below.
        with contextlib.suppress(BrokenPipeError), self._child.stdin as worker:
            worker.write(job.encode() + b"\n")
            ends_at, last = time.monotonic() + self._seconds, False
            while not last:
                piece = self._new_lines(self._request, checkpoint)
                for chunk in piece.chunks:
                    worker.write(CatchUpPiece(path=chunk.path, size=len(chunk.lines)).model_dump_json().encode() + b"\n")
                    worker.write(chunk.lines)
                checkpoint, self._piece = piece.checkpoint, _sum(self._piece, piece)
                # After what is behind: whoever asks in between adds them up.
                self._read += sum(len(chunk.lines) for chunk in piece.chunks)
                last = not piece.behind or time.monotonic() > ends_at

    def _take_reply(self) -> None:
        assert self._child.stdout is not None and self._child.stderr is not None  # noqa: S101 - as above
        output = self._child.stdout.read(_MOST_REPLY + 1)
        said, code = self._child.stderr.read(_MOST_SAID), self._child.wait()
        if code or len(output) > _MOST_REPLY:
            self._failed = f"the worker ended with {code}: {last_line(said)}" if code else "the worker said too much"
        self._reply = output.decode("utf-8", "replace")


def _sum(before: LogPiece, piece: LogPiece) -> LogPiece:
    return LogPiece(
        (), piece.checkpoint, (*before.events, *piece.events)[:_MOST_EVENTS], piece.behind,
        before.skipped + piece.skipped, before.shortened + piece.shortened, before.dropped + piece.dropped,
    )  # fmt: skip
