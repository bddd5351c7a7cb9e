"""A child that may not become a burden: its start, its limits and its end."""

from __future__ import annotations

import asyncio
import contextlib
import os
import resource
import secrets
import signal
from asyncio.subprocess import Process, SubprocessStreamProtocol
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

#: How many files a child may hold open, where nothing else is said.
MOST_DESCRIPTORS = 256
#: The largest file that a child may write, where nothing else is said.
MOST_FILE_BYTES = 16 * 1024 * 1024
_BUFFER_BYTES = 64 * 1024
#: In the environment of whatever a child starts: by this they are found who left its session.
_MARK = "ZEN_AGENTS_CHILD"
#: How often it is looked whether somebody is left.
_ROUNDS = 5


#: Name, as `prlimit` has it -> the limit.
_KINDS = {
    "as": resource.RLIMIT_AS, "cpu": resource.RLIMIT_CPU, "core": resource.RLIMIT_CORE, "fsize": resource.RLIMIT_FSIZE,
    "nofile": resource.RLIMIT_NOFILE,
}  # fmt: skip


def limits(
    *, memory_bytes: int, cpu_seconds: int, file_bytes: int = MOST_FILE_BYTES, descriptors: int = MOST_DESCRIPTORS
) -> dict[str, int]:
    """Return what a child may take, by the names of `prlimit`; never more than this process itself may."""
    wanted = {"as": memory_bytes, "cpu": cpu_seconds, "core": 0, "fsize": file_bytes, "nofile": descriptors}
    hard = {name: resource.getrlimit(kind)[1] for name, kind in _KINDS.items()}
    return {name: most if hard[name] == resource.RLIM_INFINITY else min(most, hard[name]) for name, most in wanted.items()}


def limit(
    pid: int, *, memory_bytes: int, cpu_seconds: int, file_bytes: int = MOST_FILE_BYTES, descriptors: int = MOST_DESCRIPTORS
) -> None:
    """Set a child's limits from outside: no code of ours runs between fork and exec."""
    wanted = limits(memory_bytes=memory_bytes, cpu_seconds=cpu_seconds, file_bytes=file_bytes, descriptors=descriptors)
    for name, most in wanted.items():
        with contextlib.suppress(ProcessLookupError):  # it ended by itself already
            resource.prlimit(pid, _KINDS[name], (most, most))


class BoundedChild(Process):
    """A child that runs."""

    def __init__(
        self, transport: asyncio.SubprocessTransport, protocol: SubprocessStreamProtocol, loop: asyncio.AbstractEventLoop,
        mark: bytes,
    ) -> None:  # fmt: skip
        super().__init__(transport, protocol, loop)
        self._mark = mark

    def kill_all(self) -> None:
        """Kill what is left of its session, and whoever of it has left that: they are known by their environment."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        # Who was killed while it started another is found to have done so in the next round.
        for _ in range(_ROUNDS):
            if not sum(_kill_if_marked(entry, self._mark) for entry in Path("/proc").glob("[0-9]*")):
                return


def _kill_if_marked(process: Path, mark: bytes) -> bool:
    try:
        descriptor = os.pidfd_open(int(process.name))
    except OSError:  # it has just ended
        return False
    try:
        # Read behind the open descriptor: it is this process and no later one of its number (R20).
        marked = mark in (process / "environ").read_bytes().split(b"\0")
        if marked:
            signal.pidfd_send_signal(descriptor, signal.SIGKILL)
        return marked
    except OSError:  # it has just ended, or is another account's and none that this one could have started
        return False
    finally:
        os.close(descriptor)


@contextlib.asynccontextmanager
async def child_process(
    argv: list[str], *, env: Mapping[str, str], stdin: int, stderr: int, umask: int = -1
) -> AsyncIterator[BoundedChild]:
    """Run a program in a session of its own, its output in a pipe; afterwards it has ended and is reaped.

    Where the block ends by an exception, a time-out or a cancellation, all that it began is killed. Its pipes are closed
    even when somebody still holds the other end: each such run would cost the engine a descriptor. `Process` has no way to
    close them, hence the transport.

    Raises:
        OSError: it could not be started.
    """
    loop, mark = asyncio.get_running_loop(), secrets.token_hex(8)
    transport, protocol = await loop.subprocess_exec(
        lambda: SubprocessStreamProtocol(limit=_BUFFER_BYTES, loop=loop), *argv, stdin=stdin,
        stdout=asyncio.subprocess.PIPE, stderr=stderr, env={**env, _MARK: mark}, cwd="/", umask=umask,
        start_new_session=True,
    )  # fmt: skip
    child = BoundedChild(transport, protocol, loop, f"{_MARK}={mark}".encode())
    try:
        yield child
    except BaseException:
        child.kill_all()
        raise
    finally:
        if child.returncode is None:
            child.kill_all()
            await child.wait()
        transport.close()
        await asyncio.sleep(0)  # the pipes are closed by the loop's next turn
