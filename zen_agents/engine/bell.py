"""Something to wait for, or to be late for: what wakes a loop of the engine, at the latest after some seconds.

Every agent waits so between two turns, and at each turn for its checks. An `asyncio.timeout` around an `asyncio.Event` does
the same by cancelling who waits, through five times as much code; see docs/adr/0049-one-waking-for-all.md.
"""

from __future__ import annotations

import asyncio


class Bell:
    """Rung by anybody in the loop, awaited by one; it stays rung until it is cleared."""

    def __init__(self) -> None:
        self.is_rung = False
        self._waiter: asyncio.Future[None] | None = None

    def ring(self) -> None:
        """Wake whoever waits, or will wait."""
        self.is_rung = True
        self._release()

    def clear(self) -> None:
        """Have the next wait last again."""
        self.is_rung = False

    async def wait(self, seconds: float) -> float:
        """Return once it rings, or after so long; returns by how many seconds too late the loop was then, 0 if it rang."""
        if self.is_rung:
            return 0.0
        loop = asyncio.get_running_loop()
        self._waiter, due = loop.create_future(), loop.time() + seconds
        timer = loop.call_at(due, self._release)
        try:
            await self._waiter
        finally:
            timer.cancel()
        return 0.0 if self.is_rung else loop.time() - due

    def _release(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
