"""What only the kernel can tell: where a process hangs, and what it met on a file system's disk."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from zen_agents.ports.host_processes import Process
    from zen_agents.ports.host_resources import Mount


class KernelView(Protocol):
    """Read-only questions to the kernel."""

    def kernel_stack(self, process: Process) -> Sequence[str]:
        """Return the functions of the kernel that a process is in, the innermost first; () if it is in none.

        HostError if the process is gone or the engine may not look (that takes root).
        """
        ...

    def file_system_errors(self, mount: Mount) -> Sequence[str]:
        """Return what the kernel has said about errors of a file system and its disk since it was last mounted.

        HostError if that cannot be told: the kernel's log may not be read, or no longer reaches back to the mount.
        """
        ...
