"""How the engine itself feels: the lateness of its loop, and whether it can write (ports.vitals)."""

from __future__ import annotations

import asyncio

from zen_agents.engine.bell import Bell
from zen_agents.ports.store import Store

#: What is to be done every so many seconds is done with the turn of an agent once so much of the time is over.
_SOON = 0.75


class Pulse:
    """Measured by whoever waits in the engine's loop, read by the check that watches the engine."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lag_seconds = 0.0
        self._turn, self._is_soon_at = Bell(), float("inf")

    async def wait(self, bell: Bell, seconds: float) -> None:
        """Wait for a bell, at most so long, and remember by how much the loop woke late."""
        late = await bell.wait(seconds)
        if not bell.is_rung:
            self._lag_seconds = max(0.0, late)

    async def sleep(self, seconds: float) -> None:
        """Sleep that long, or somewhat less where an agent takes a turn: a waking for both is half of two."""
        self._turn.clear()
        self._is_soon_at = asyncio.get_running_loop().time() + _SOON * seconds
        await self.wait(self._turn, seconds)

    def turn_taken(self) -> None:
        """Have what is to be done soon done now, for an agent has just taken a turn."""
        if asyncio.get_running_loop().time() >= self._is_soon_at:
            self._turn.ring()

    def loop_lag_seconds(self) -> float:
        """Return by how much the event loop was last late."""
        return self._lag_seconds

    def store_writable(self) -> bool:
        """Tell whether the last write of the state succeeded."""
        return self._store.writable()
