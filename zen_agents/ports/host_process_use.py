"""What processes use and run with, and what their control groups grant."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from zen_agents.ports.host_processes import Process


class Busy(NamedTuple):
    """A process that uses much of a CPU."""

    process: Process
    #: Of one CPU, between the last two looks: a process with several threads may use more than 100.
    percent: float
    #: For how long (seconds) it has been above the limit that was asked for, in each look.
    seconds: float
    #: Whether it was so at every look there was: for how long before that is not known.
    at_every_look: bool = False


class ProcessUseView(Protocol):
    """Read-only questions about what processes use."""

    def memory_limit(self, process: Process) -> int | None:
        """Return the bytes at which the kernel kills in the cgroup of a process, or in one above it; None for no limit.

        HostError if the process is gone.
        """
        ...

    def busy_processes(self, above_percent: float) -> Sequence[Busy]:
        """Return who uses more of one CPU than that since the look before, who has done so longest first.

        Raises HostError at the first look of all: there is nothing to compare with.
        """
        ...

    def replaced_files(self, process: Process) -> Sequence[str]:
        """Return the mapped libraries and the program of a process that were deleted or replaced since.

        Nothing for a process that is gone; HostError if it may not be looked into.
        """
        ...

    def oom_kills(self) -> int:
        """Return how many processes the kernel has ended for want of memory since boot; HostError if it does not count."""
        ...

    def oom_victims(self, most: int) -> Sequence[str]:
        """Return `name (pid)` of the last ones as far as the kernel's log goes back; HostError if it may not be read."""
        ...

    def cpu_quota(self, cgroup: str) -> float | None:
        """Return the percent of one CPU that a cgroup may use by its own limit, None for no limit."""
        ...

    def can_limit_cpu(self) -> bool:
        """Tell whether the control groups of this host can limit CPUs at all."""
        ...

    def niceness(self, process: Process) -> int:
        """Return the niceness of a process, from -20 (first) to 19 (last); HostError if it is gone."""
        ...

    def sleeps(self, process: Process) -> int:
        """Return how often the first thread of a process has gone to sleep by itself; HostError if it is gone."""
        ...
