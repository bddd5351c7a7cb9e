"""Start a short-lived worker by its module's name: JSON in and out, clean environment, bounded in everything (R14, R23)."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import Awaitable, Callable, Sequence
from io import BufferedReader
from pathlib import Path
from typing import Any

import zen_agents
from zen_agents.adapters.bounded_child import MOST_DESCRIPTORS, MOST_FILE_BYTES, child_process, limit
from zen_agents.errors import ZenError
from zen_agents.jobs.way_out import way_out

MOST_REPLY_BYTES = 1024 * 1024
_MOST_SAID_BYTES = 4096


class WorkerError(ZenError):
    """A worker could not be started, took too long or did not answer; what it was to do is tried again later."""


async def run_worker(
    module: str, request_json: str | Awaitable[str], *, timeout_seconds: float, memory_bytes: int = 512 * 1024 * 1024,
    told: Callable[[str], None] | None = None, rest: BufferedReader[Any] | None = None, file_bytes: int = MOST_FILE_BYTES,
    descriptors: int = MOST_DESCRIPTORS, processors: int = 1, within: Sequence[str] = (),
) -> str:  # fmt: skip
    """Run `python -m module` with the request on stdin and return what it wrote to stdout.

    The child is the leader of its own session and is killed with all of it when the time is up or the caller is cancelled.
    It ends with this process, and with the thread that calls this, also by a kill.
    The interpreter and the package are the ones that run now. Secrets belong into the request, never into arguments.

    Args:
        module: Dotted name of a module under `zen_agents.workers`.
        request_json: What it reads; it loads while it waits for that.
        timeout_seconds: Wall time, and CPU time, after which it is killed.
        memory_bytes: Limit of its address space.
        file_bytes: Limit of each file that it writes.
        descriptors: Limit of the files that it holds open.
        processors: On so many it may work at once, for all of its time.
        rest: What it reads behind that, to its end.
        told: Called with each whole line that it writes to stderr, while it works.
        within: What starts it instead, with limits of its own, as the beginning of an argument list.

    Raises:
        WorkerError: it could not be started, was killed, failed, or answered more than a megabyte.
    """
    if not module.startswith("zen_agents.workers."):
        raise WorkerError(f"{module} is no worker")
    pipe = asyncio.subprocess.PIPE
    try:
        async with child_process(
            [*within, sys.executable, "-P", "-B", "-m", *_started(module, within)],
            env=environment(),
            stdin=pipe,
            stderr=pipe,
        ) as child:
            if not within:
                limit(
                    child.pid, memory_bytes=memory_bytes, cpu_seconds=processors * (int(timeout_seconds) + 1),
                    file_bytes=file_bytes, descriptors=descriptors,
                )  # fmt: skip
            async with asyncio.timeout(timeout_seconds):
                output, said = await _converse(child, request_json, told, rest)
                code = await child.wait()
    except TimeoutError as error:
        raise WorkerError(f"{module} did not end within {timeout_seconds:g} s and was killed") from error
    except OSError as error:
        raise WorkerError(f"{module} could not be started: {error}") from error
    return _reply(module, output, said, code)


def _reply(module: str, output: bytes, said: bytes, code: int) -> str:
    if len(output) > MOST_REPLY_BYTES:
        raise WorkerError(f"{module} answered more than {MOST_REPLY_BYTES} bytes")
    if code != 0:
        raise WorkerError(f"{module} failed with {code}: {last_line(said)}")
    return output.decode("utf-8", "replace")


def _started(module: str, within: Sequence[str]) -> Sequence[str]:
    """Return how a worker is started; what starts it otherwise sees to its end itself."""
    return [module] if within else ["zen_agents.workers", str(os.getpid()), module]


async def _converse(
    child: asyncio.subprocess.Process,
    request: str | Awaitable[str],
    told: Callable[[str], None] | None,
    rest: BufferedReader[Any] | None,
) -> tuple[bytes, bytes]:
    if child.stdin is None or child.stdout is None or child.stderr is None:
        raise WorkerError("the worker has no pipes")
    feeding = asyncio.create_task(_feed(child.stdin, request, rest))
    try:
        output, said = await asyncio.gather(_read(child.stdout, MOST_REPLY_BYTES + 1), _read_tail(child.stderr, told))
    finally:
        # What nobody reads any more is not waited for: it may come from somebody who waits for the answer.
        feeding.cancel()
        await asyncio.wait((feeding,))
    return output, said


async def _feed(stream: asyncio.StreamWriter, request: str | Awaitable[str], rest: BufferedReader[Any] | None) -> None:
    text = request if isinstance(request, str) else await request
    # A worker that ended without reading all of its request says why by its exit status.
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        stream.write(text.encode())
        await stream.drain()
        while rest is not None and (piece := await asyncio.to_thread(rest.read1, 65536)):
            stream.write(piece)
            await stream.drain()
        stream.close()
        await stream.wait_closed()


async def _read(stream: asyncio.StreamReader, most: int) -> bytes:
    found = bytearray()
    while len(found) < most and (piece := await stream.read(65536)):
        found += piece
    return bytes(found[:most])


async def _read_tail(stream: asyncio.StreamReader, told: Callable[[str], None] | None) -> bytes:
    found = begun = b""
    while piece := await stream.read(65536):
        found = (found + piece)[-_MOST_SAID_BYTES:]
        if told is not None:
            *lines, begun = (begun + piece).split(b"\n")
            begun = begun[-_MOST_SAID_BYTES:]
            for line in lines:
                told(line.decode("utf-8", "replace"))
    return found


def environment() -> dict[str, str]:
    """Return what a worker's environment is: nothing of ours but how this host reaches the outside."""
    found = {"PATH": os.defpath, "LANG": "C.UTF-8", "HOME": "/nonexistent", "PYTHONDONTWRITEBYTECODE": "1"}
    found |= way_out()
    root = Path(zen_agents.__file__).parent.parent
    # An installed package is found by itself; its directory in front of the standard library could shadow parts of that.
    if root.name not in ("site-packages", "dist-packages"):
        found["PYTHONPATH"] = str(root)
    return found


def last_line(said: bytes) -> str:
    """Return the last that a worker said, printable and not long."""
    lines = said.decode("utf-8", "replace").strip().splitlines()
    return "".join(character if character.isprintable() else " " for character in lines[-1])[:300] if lines else "no word"
