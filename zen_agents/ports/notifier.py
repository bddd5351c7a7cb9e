"""Telling people. It never blocks and never raises into the tick: acting broken must not silence it (R15)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from zen_agents.model.message import Message


class Notifier(Protocol):
    """Takes a message durably, or as durably as the disk lets it; delivery is somebody else's."""

    def tell(self, message: Message) -> None:
        """Accept a message for delivery."""
        ...

    def expect(self, message: Message) -> None:
        """Get going what delivers one like this: it may be told in a moment."""
        ...


class Courier(Protocol):
    """Delivers what the notifier took."""

    async def deliver_due(self) -> None:
        """Start sending what is due and return; never raises."""
        ...

    async def ripe(self) -> None:
        """Return once something is to be sent that does not wait for the next round."""
        ...

    async def close(self, timeout_seconds: float) -> None:
        """Send what is due and wait for it at most so long."""
        ...

    def undelivered(self) -> Sequence[str]:
        """Return what could not be delivered and why, for `status`."""
        ...
