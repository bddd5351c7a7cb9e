"""Whose turn it is to have data looked at: one at a time, and beside it one of those that take a moment."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final

#: What took so long the last time need not wait for what takes minutes (seconds).
QUICK_SECONDS: Final = 10.0
#: Files of so many bytes together are taken for quick until they were looked at: a thousand times as much takes minutes.
SMALL_BYTES: Final = 64 << 20


class DataTurns:
    """Two places: each look has at most its own `limits: {memory: ...}`, so all that goes on takes twice that."""

    def __init__(self, quick_seconds: float = QUICK_SECONDS) -> None:
        self._quick_seconds = quick_seconds
        self._any, self._quick = asyncio.Semaphore(1), asyncio.Semaphore(1)
        #: What was begun -> how long it took the last time; infinite for what has not come to its end.
        self._took: dict[str, float] = {}

    @asynccontextmanager
    async def turn(self, work: str, size: Callable[[], int | None]) -> AsyncIterator[None]:
        """Wait for a place, and give it back at the end.

        What was broken off may take long. So may what was not done before, unless `size` says it is small (bytes); None:
        nobody knows.
        """
        seconds = asyncio.get_running_loop().time
        async with self._quick if self._is_quick(work, size) else self._any:
            began, self._took[work] = seconds(), float("inf")
            yield
            self._took[work] = seconds() - began

    def _is_quick(self, work: str, size: Callable[[], int | None]) -> bool:
        if work in self._took:
            return self._took[work] < self._quick_seconds
        known = size()
        return known is not None and known <= SMALL_BYTES
