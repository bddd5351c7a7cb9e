"""What is done for the engine by who built it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol


class Upkeep(Protocol):
    """What the runtime does for the engine now and then."""

    def save_time(self) -> None:
        """Save the anchor of the steady timeline."""
        ...

    def prune(self) -> None:
        """Drop what retention no longer keeps."""
        ...

    def accept_state(self) -> None:
        """Take the state as this host's own: a person has looked."""
        ...

    async def reload(self) -> Mapping[str, Any]:
        """Load the configuration anew and swap it in, or leave everything as it is and raise SettingsError."""
        ...

    def config_facts(self) -> Mapping[str, Any]:
        """Return path, digest and age of the configuration in force, and why a newer one was not applied."""
        ...

    def config_trouble(self) -> Mapping[str, Any] | None:
        """Return why a newer configuration was not applied, and how long ago; None if there is no such."""
        ...

    async def good_tick(self) -> None:
        """Tell the outside world that the engine is alive: watchdog and heartbeat."""
        ...
