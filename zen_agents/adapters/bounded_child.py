"""Limits of a child that may not become a burden, and its end."""

from __future__ import annotations

import asyncio
import contextlib
import os
import resource
import signal

_MOST_DESCRIPTORS = 256
_MOST_FILE_BYTES = 16 * 1024 * 1024


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


async def end(child: asyncio.subprocess.Process) -> None:
    """Kill a child that leads its own session, with all of it, unless it has ended; and reap it."""
    if child.returncode is None:
        kill_session(child)
        await child.wait()


def kill_session(child: asyncio.subprocess.Process) -> None:
    """Kill what is left of a child's session; nothing if nothing is."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
