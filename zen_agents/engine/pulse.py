"""How the engine itself feels: the lateness of its loop, and whether it can write (ports.vitals)."""

from __future__ import annotations

import asyncio

from zen_agents.ports.store import Store


class Pulse:
    """Measured by the engine's own housekeeping, read by the check that watches the engine."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lag_seconds = 0.0

    async def sleep(self, seconds: float) -> None:
        """Sleep, and remember by how much the loop woke late."""
        loop = asyncio.get_running_loop()
        due = loop.time() + seconds
        await asyncio.sleep(seconds)
        self._lag_seconds = max(0.0, loop.time() - due)

    def loop_lag_seconds(self) -> float:
        """Return by how much the event loop was last late."""
        return self._lag_seconds

    def store_writable(self) -> bool:
        """Tell whether the last write of the state succeeded."""
        return self._store.writable()
