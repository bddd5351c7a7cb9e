"""Which reserved actions have certainly not begun: these are not verified after the engine's death, but done."""

from __future__ import annotations

from typing import Protocol


class Unbegun(Protocol):
    """Knows over the engine's death which reserved actions have certainly not begun."""

    def note(self, action: str) -> None:
        """Note that an action has not begun; that it cannot be noted is no error."""
        ...

    def begin(self, action: str) -> None:
        """Forget that again, before the deed; raises HostError where that is not certain."""
        ...

    def holds(self, action: str) -> bool:
        """Tell whether it has certainly not begun."""
        ...

    def clear(self) -> None:
        """Forget all of them."""
        ...


class NobodyKnows:
    """No memory of what has not begun: whatever an engine leaves unfinished is verified."""

    def note(self, action: str) -> None:
        """Keep nothing."""

    def begin(self, action: str) -> None:
        """Have nothing to forget."""

    def holds(self, action: str) -> bool:
        """Be certain of nothing."""
        del action
        return False

    def clear(self) -> None:
        """Have nothing to forget."""
