"""A child that may not become a burden: its start, its limits and its end."""

from __future__ import annotations

import asyncio
import contextlib
import os
import resource
import signal
from asyncio.subprocess import Process, SubprocessStreamProtocol
from collections.abc import AsyncIterator, Mapping

_MOST_DESCRIPTORS = 256
_MOST_FILE_BYTES = 16 * 1024 * 1024
_BUFFER_BYTES = 64 * 1024


#: Name, as `prlimit` has it -> the limit.
_KINDS = {
    "as": resource.RLIMIT_AS, "cpu": resource.RLIMIT_CPU, "core": resource.RLIMIT_CORE, "fsize": resource.RLIMIT_FSIZE,
    "nofile": resource.RLIMIT_NOFILE,
}  # fmt: skip


def limits(*, memory_bytes: int, cpu_seconds: int) -> dict[str, int]:
    """Return what a child may take, by the names of `prlimit`; never more than this process itself may."""
    wanted = {
        "as": memory_bytes, "cpu": cpu_seconds, "core": 0, "fsize": _MOST_FILE_BYTES, "nofile": _MOST_DESCRIPTORS,
    }  # fmt: skip
    hard = {name: resource.getrlimit(kind)[1] for name, kind in _KINDS.items()}
    return {name: most if hard[name] == resource.RLIM_INFINITY else min(most, hard[name]) for name, most in wanted.items()}


def limit(pid: int, *, memory_bytes: int, cpu_seconds: int) -> None:
    """Set a child's limits from outside: no code of ours runs between fork and exec."""
    for name, most in limits(memory_bytes=memory_bytes, cpu_seconds=cpu_seconds).items():
        with contextlib.suppress(ProcessLookupError):  # it ended by itself already
            resource.prlimit(pid, _KINDS[name], (most, most))


@contextlib.asynccontextmanager
async def child_process(
    argv: list[str], *, env: Mapping[str, str], stdin: int, stderr: int, umask: int = -1
) -> AsyncIterator[Process]:
    """Run a program in a session of its own, its output in a pipe; afterwards it is ended with all of it, and reaped.

    Its pipes are closed even when somebody who left the session still holds the other end: each such run would cost the
    engine a descriptor. `Process` has no way to close them, hence the transport.

    Raises:
        OSError: it could not be started.
    """
    loop = asyncio.get_running_loop()
    transport, protocol = await loop.subprocess_exec(
        lambda: SubprocessStreamProtocol(limit=_BUFFER_BYTES, loop=loop), *argv, stdin=stdin,
        stdout=asyncio.subprocess.PIPE, stderr=stderr, env=env, cwd="/", umask=umask, start_new_session=True,
    )  # fmt: skip
    child = Process(transport, protocol, loop)
    try:
        yield child
    finally:
        await _end(child)
        transport.close()
        await asyncio.sleep(0)  # the pipes are closed by the loop's next turn


async def _end(child: Process) -> None:
    if child.returncode is None:
        kill_session(child)
        await child.wait()


def kill_session(child: Process) -> None:
    """Kill what is left of a child's session; nothing if nothing is."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
