"""Whether a file that holds a pid is stale: its process is gone, or the number was given to another one since."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from zen_agents.errors import RefusedError, StalePlanError, UnsafePathError
from zen_agents.ports.host_processes import ENDED

if TYPE_CHECKING:
    from zen_agents.clock import ForwardSteps, Instant
    from zen_agents.ports.host import HostView
    from zen_agents.ports.host_files import FileState
    from zen_agents.ports.host_processes import Process

_TICKS = os.sysconf("SC_CLK_TCK")
#: How far the times of a file and of a process may be apart by rounding.
_SLACK_SECONDS = 2.0


def stale_pid_file(
    path: str, executable: str, host: HostView, *, now: Instant, steps: ForwardSteps
) -> tuple[FileState, str]:  # fmt: skip
    """Return the file and why it is stale, in words.

    Without an executable a pid that is alive is never stale. `steps` are those of the clock since this file was first asked
    about: they make no process look younger than the file. Raises StalePlanError if the file is not there, RefusedError if
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
    return state, _reused(path, executable, process, state, host, now, steps)


def _reused(
    path: str, executable: str, process: Process, state: FileState, host: HostView, now: Instant, steps: ForwardSteps
) -> str:  # fmt: skip
    """Return why a live process is not the file's: another program, and one that began after the file was written."""
    alive = f"process {process.pid} ({process.name}) is alive; {path} is left"
    if not executable:
        raise RefusedError(alive)
    running = host.executable(process).removesuffix(" (deleted)")
    if running == executable or executable in host.command_line(process):
        raise RefusedError(alive)
    age = host.boot_seconds() - process.start_time / _TICKS
    # One that has just begun may have done so before a step that is seen only now.
    ahead = steps.within(max(age, _SLACK_SECONDS), now)
    if now.wall.timestamp() - ahead - age <= state.modified + _SLACK_SECONDS:
        raise RefusedError(alive)
    return f"process {process.pid} is {running}, not {executable}, and began after the file was written"
