"""A command as an argument list, and how it ended."""

from __future__ import annotations

from typing import NamedTuple

from zen_agents.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Command:
    """An argument list to run; never a shell string (R18)."""

    argv: tuple[str, ...]
    #: Account to run as; "" for the engine's own.
    user: str = ""
    directory: str = "/"
    #: Added to the small fixed environment (R23).
    environment: tuple[tuple[str, str], ...] = ()
    timeout_seconds: float = 60.0
    #: As a service: it ends and leaves a daemon behind, which its pidfile names; not remembered as the service's process.
    leaves_daemon: bool = False
    #: Once begun it is never broken off: not by its time-out, which is then only told, nor by the engine's own end.
    is_let_finish: bool = False


class CommandResult(NamedTuple):
    """How a command ended; `exit_code` is negative for a signal."""

    exit_code: int
    #: Bounded tail of stdout and stderr, decoded with replacement. Untrusted text.
    output: str
    timed_out: bool
    seconds: float
