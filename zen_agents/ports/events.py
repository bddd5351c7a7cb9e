"""What wakes a tick early. An event never carries state: the tick looks for itself (level-triggered)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

from zen_agents.clock import Instant
from zen_agents.dataclass import dataclass
from zen_agents.ports.host import HostView

#: Takes in what is new of something that changes all the time, in a thread of the event source; True if it is worth a turn.
Glance = Callable[[HostView, Instant], bool]


@dataclass(frozen=True, slots=True)
class Wake:
    """Something may have changed; run these checks now."""

    #: The subject that was watched: `process:PID:START`, `path:/srv/x`, `log:/srv/x.log`, `unit:x.service`, `pressure:io`.
    subject: str
    #: Where it came from: pidfd, inotify, systemd, pressure.
    source: str


@dataclass(frozen=True, slots=True)
class Watch:
    """What a check wants to be woken by."""

    #: "process" (by pid and start time), "path", "log" (a file that is written to), "unit" or "pressure".
    kind: str
    name: str
    pid: int = 0
    start_time: int = 0
    #: Asked before anybody is woken; None: each event wakes.
    glance: Glance | None = None


class EventSource(Protocol):
    """Pushes wakes into the loop; where the kernel has no such event it simply never does (the poll stays as the truth)."""

    def open(self, wake: Callable[[Wake], None]) -> None:
        """Attach to the running asyncio loop; `wake` is called in it."""
        ...

    def watch(self, watches: Iterable[Watch]) -> None:
        """Replace the set of what is watched; cheap when nothing changed."""
        ...

    def tells_of(self, watch: Watch) -> bool:
        """Tell whether each change of this wakes by now, whoever makes it; False where that is not sure."""
        ...

    def close(self) -> None: ...

    @property
    def unwatched(self) -> Mapping[str, int]:
        """How many wanted watches of each kind only the poll sees, for `status`."""
        ...
