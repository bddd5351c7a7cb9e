"""Time that passes only when it is told to: whoever waits on it is woken in order."""

from __future__ import annotations

import asyncio
import heapq
from datetime import datetime
from itertools import count

from zen_agents.clock import ManualClock
from zen_agents.engine.aside import Work


class Timeline(ManualClock):
    """A clock moved by hand that coroutines can wait on."""

    def __init__(self, wall: datetime, steady: float) -> None:
        super().__init__(wall, steady)
        self._waiting: list[tuple[float, int, asyncio.Event]] = []
        self._order = count()

    @property
    def waiting(self) -> int:
        """How many wait."""
        return len(self._waiting)

    @property
    def next_at(self) -> float:
        """Steady time at which the next of those who wait is due."""
        return self._waiting[0][0] if self._waiting else float("inf")

    async def sleep(self, seconds: float) -> None:
        """Come back when so many seconds of this time have passed; at once for none."""
        if seconds <= 0:
            return
        event = asyncio.Event()
        heapq.heappush(self._waiting, (self.now().steady + seconds, next(self._order), event))
        await event.wait()

    def wake(self) -> None:
        """Wake all who are due by now."""
        while self._waiting and self._waiting[0][0] <= self.now().steady:
            heapq.heappop(self._waiting)[2].set()


class SameThread:
    """Does at once, and in the loop's own thread, what an engine asks beside its loop: written facts never hang."""

    def give(self, work: Work | None) -> None:
        """Do it now."""
        if work is not None:
            work.run()

    def is_alive(self) -> bool:
        """Tell that it never hangs."""
        return False
