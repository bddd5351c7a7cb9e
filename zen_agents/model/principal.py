"""Who asks."""

from __future__ import annotations

from dataclasses import dataclass

#: The group of this host whose members may act.
OPS_GROUP = "zen-ops"


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


def not_an_operator(account: str) -> str:
    """Return what to tell somebody who may not act: the group, and the commands that work."""
    return (
        f"{account} is not in the group {OPS_GROUP}. Now: sudo zen-agents ...; "
        f"from the next login on: sudo usermod -aG {OPS_GROUP} {account}"
    )
