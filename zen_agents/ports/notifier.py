"""Telling people. It never blocks and never raises into the tick: acting broken must not silence it (R15)."""

from __future__ import annotations

from typing import Protocol

from zen_agents.model.message import Message


class Notifier(Protocol):
    """Takes a message durably, or as durably as the disk lets it; delivery is somebody else's."""

    def tell(self, message: Message) -> None:
        """Accept a message for delivery."""
        ...
