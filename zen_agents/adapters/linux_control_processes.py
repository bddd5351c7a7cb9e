"""Signals that reach the very process that was seen: by pidfd, after comparing its start time (R20)."""

from __future__ import annotations

import contextlib
import os
import re
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

from zen_agents.adapters.launcher import readable
from zen_agents.adapters.linux_view_reading import read_kernel_file
from zen_agents.errors import ActionFailedError, HostError, StalePlanError, UnsafePathError
from zen_agents.ports.host import HostView
from zen_agents.ports.host_processes import Process

#: How long a killed process may take to go; one that hangs in the kernel takes longer than anybody waits.
_KILLED_WITHIN_SECONDS = 5.0
_ENDED = frozenset("ZXx")
_UNINTERRUPTIBLE = "D"
#: Signals that wait for a process and for its threads, as masks; KILL is the ninth bit.
_PENDING, _KILL = re.compile(rb"^S(?:ig|hd)Pnd:\s+([0-9a-f]{16})$", re.MULTILINE), 1 << (signal.SIGKILL - 1)


@contextlib.contextmanager
def held_process(process: Process, view: HostView) -> Iterator[int]:
    """Hold a process by a pidfd; StalePlanError if the pid is gone or another's, UnsafePathError for init and ourselves."""
    if process.pid in (1, os.getpid()) or process.pid < 1:
        raise UnsafePathError(f"process {process.pid} is never signalled")
    try:
        pidfd = os.pidfd_open(process.pid)
    except ProcessLookupError as error:
        raise StalePlanError(f"process {process.pid} is gone") from error
    except OSError as error:
        raise HostError(f"process {process.pid} cannot be held: {error.strerror}") from error
    try:
        present = view.process(process.pid)
        if present is None or present.start_time != process.start_time:
            raise StalePlanError(f"process {process.pid} is gone; its number may be another's now")
        yield pidfd
    finally:
        os.close(pidfd)


def send(pidfd: int, process: Process, number: int) -> None:
    """Send a signal through a pidfd; StalePlanError if the process has just ended, HostError if the engine may not."""
    try:
        signal.pidfd_send_signal(pidfd, number)
    except ProcessLookupError as error:
        raise StalePlanError(f"process {process.pid} is gone") from error
    except OSError as error:
        raise HostError(f"process {process.pid} cannot be signalled: {error.strerror}") from error


def renice(process: Process, nice: int) -> None:
    """Set the niceness of each thread of a process that is held: the kernel has one for each.

    Raises StalePlanError if it has just ended, HostError if the engine may not.
    """
    try:
        for thread in Path(f"/proc/{process.pid}/task").iterdir():
            with contextlib.suppress(ProcessLookupError):
                os.setpriority(os.PRIO_PROCESS, int(thread.name), nice)
    except FileNotFoundError as error:
        raise StalePlanError(f"process {process.pid} is gone") from error
    except OSError as error:
        raise HostError(f"the priority of process {process.pid} cannot be set: {error.strerror}") from error


async def stop(process: Process, look: Callable[[], HostView], *, timeout_seconds: float) -> bool:
    """End a process, and what is left of its session if it leads one; True when the process itself is gone.

    TERM, with CONT so that a suspended one hears it, then KILL after the time-out. Left-over members of its session would
    hold its ports; they are ended only if they were there before, each by its own start time.
    """
    view = look()
    present = view.process(process.pid)
    if present is not None and present.start_time == process.start_time and present.state in _ENDED:
        return True
    if present is not None and present.state == _UNINTERRUPTIBLE and _kill_is_pending(process):
        raise ActionFailedError(
            f"process {process.pid} hangs in the kernel and was killed already; another signal would wait too"
        )
    with held_process(process, view) as pidfd:
        family = [
            member
            for member in view.processes().values()
            if process.session == process.pid == member.session and member.pid != process.pid
        ]
        gone = await _end(pidfd, process, timeout_seconds)
    for member in family:
        # A member that ended with its leader is what we want.
        with contextlib.suppress(StalePlanError), held_process(member, look()) as pidfd:
            await _end(pidfd, member, min(timeout_seconds, 2.0))
    return gone


def _kill_is_pending(process: Process) -> bool:
    content = read_kernel_file(f"/proc/{process.pid}/status") or b""
    return any(int(mask, 16) & _KILL for mask in _PENDING.findall(content))


async def _end(pidfd: int, process: Process, timeout_seconds: float) -> bool:
    with contextlib.suppress(StalePlanError):
        send(pidfd, process, signal.SIGTERM)
        send(pidfd, process, signal.SIGCONT)
    if await readable(pidfd, timeout_seconds):
        return True
    with contextlib.suppress(StalePlanError):
        send(pidfd, process, signal.SIGKILL)
    return await readable(pidfd, _KILLED_WITHIN_SECONDS)
