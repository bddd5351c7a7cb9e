"""What every source of one kind of event offers to `EventSources`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Protocol

from zen_agents.ports.events import Wake, Watch

#: Takes a wake from a source; called in the loop.
Push = Callable[[Wake], None]


class KindSource(Protocol):
    """Turns one kind of kernel or bus event into wakes. Where there is none it does nothing: the poll finds out."""

    #: The `Watch.kind` it serves.
    kind: str

    def open(self, loop: asyncio.AbstractEventLoop, push: Push) -> None:
        """Attach to the loop; a missing kernel feature is no error."""
        ...

    def watch(self, watches: Iterable[Watch]) -> None:
        """Replace what is watched of this kind."""
        ...

    def close(self) -> None:
        """Give back every descriptor; afterwards nothing is pushed."""
        ...

    @property
    def unwatched(self) -> int:
        """How many of the wanted watches could not be had, so that only the poll sees them."""
        ...
