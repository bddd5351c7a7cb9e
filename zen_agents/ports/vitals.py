"""How the engine itself feels, for the check that watches it. The engine implements it; checks cannot import the engine."""

from __future__ import annotations

from typing import Protocol


class Vitals(Protocol):
    """What only the engine knows of itself; asked from the sampler's thread."""

    def loop_lag_seconds(self) -> float:
        """Return by how much the event loop was last late."""
        ...

    def store_writable(self) -> bool:
        """Tell whether the last write of the state succeeded."""
        ...
