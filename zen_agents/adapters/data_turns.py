"""Whose turn it is to have data looked at: one at a time, and beside it one of those that are known to take a moment."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

#: What took so long the last time need not wait for what takes minutes (seconds).
QUICK_SECONDS = 10.0


class DataTurns:
    """Two places: each look has at most its own `limits: {memory: ...}`, so all that goes on takes twice that."""

    def __init__(self, quick_seconds: float = QUICK_SECONDS) -> None:
        self._quick_seconds = quick_seconds
        self._any, self._quick = asyncio.Semaphore(1), asyncio.Semaphore(1)
        #: What is done -> how long it took the last time.
        self._took: dict[str, float] = {}

    @asynccontextmanager
    async def turn(self, work: str) -> AsyncIterator[None]:
        """Wait for a place, and give it back at the end; what was not done before, or was broken off, may take long."""
        seconds = asyncio.get_running_loop().time
        async with self._quick if self._took.pop(work, self._quick_seconds) < self._quick_seconds else self._any:
            began = seconds()
            yield
            self._took[work] = seconds() - began
