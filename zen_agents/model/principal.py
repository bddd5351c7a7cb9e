"""Who asks."""

from __future__ import annotations

from zen_agents.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Principal:
    """The engine itself, or a person by name and uid."""

    name: str
    #: Login uid of the person; None for the engine.
    uid: int | None = None
    #: False for a person who is not among those whom the configuration lets approve.
    approves: bool = True

    @property
    def is_person(self) -> bool:
        """True unless this is the engine."""
        return self.uid is not None


ENGINE = Principal("engine")
