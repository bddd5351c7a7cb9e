"""What is asked of the processes of a host beyond each one's line in the table."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from zen_agents.ports.host import Process

#: Zombie and dead, as ps writes them.
ENDED = frozenset("ZXx")


class ProcessQuestions(Protocol):
    """The part of `HostView` about what processes use."""

    def memory_limit(self, process: Process) -> int | None:
        """Return the bytes at which the kernel kills in the cgroup of a process, or in one above it; None for no limit.

        HostError if the process is gone.
        """
        ...


def family(process: Process, table: Mapping[int, Process]) -> Sequence[Process]:
    """Return a process and all that descend from it, zombies too, itself first."""
    children: dict[int, list[Process]] = defaultdict(list)
    for each in table.values():
        children[each.parent].append(each)
    found, seen = [process], {process.pid}
    for member in found:
        # A table that was read while processes came and went may name one as its own ancestor.
        new = [child for child in children.get(member.pid, ()) if child.pid not in seen]
        seen.update(child.pid for child in new)
        found += new
    return found
