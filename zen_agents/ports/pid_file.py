"""Whether a file that holds a pid is stale: its process is gone, or the number was given to another one since."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from zen_agents.errors import RefusedError, StalePlanError, UnsafePathError
from zen_agents.ports.host_processes import ENDED

if TYPE_CHECKING:
    from zen_agents.ports.host import FileState, HostView, Process

_TICKS = os.sysconf("SC_CLK_TCK")
#: How far the times of a file and of a process may be apart by rounding.
_SLACK_SECONDS = 2.0


def stale_pid_file(path: str, executable: str, host: HostView, *, wall_seconds: float) -> tuple[FileState, str]:
    """Return the file and why it is stale, in words.

    Without an executable a pid that is alive is never stale. Raises StalePlanError if the file is not there, RefusedError if
    its process lives or that cannot be told, UnsafePathError for what is no plain file.
    """
    state = host.file(path)
    if state is None:
        raise StalePlanError(f"{path} is not there; there is nothing to do")
    if state.kind != "file" or state.links != 1:
        raise UnsafePathError(f"{path} is a {state.kind} with {state.links} links, no plain pidfile; it is left")
    text = host.read_text(path, limit=64).strip()
    if not (text.isascii() and text.isdigit()) or not 0 < int(text) <= 2**22:
        raise RefusedError(f"{path} holds no pid; whether it is stale cannot be told, so it is left")
    process = host.process(int(text))
    if process is None or process.state in ENDED:
        return state, f"process {text} is gone"
    return state, _reused(path, executable, process, state, host, wall_seconds)


def _reused(
    path: str, executable: str, process: Process, state: FileState, host: HostView, wall_seconds: float
) -> str:  # fmt: skip
    """Return why a live process is not the file's: another program, and one that began after the file was written."""
    alive = f"process {process.pid} ({process.name}) is alive; {path} is left"
    if not executable:
        raise RefusedError(alive)
    running = host.executable(process).removesuffix(" (deleted)")
    if running == executable or executable in host.command_line(process):
        raise RefusedError(alive)
    age = host.boot_seconds() - process.start_time / _TICKS
    if wall_seconds - age <= state.modified + _SLACK_SECONDS:
        raise RefusedError(alive)
    return f"process {process.pid} is {running}, not {executable}, and began after the file was written"
