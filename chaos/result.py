"""What came of one scenario with one contender."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from chaos.engines.base import Cost, Performed
from chaos.scenario import Kind


class Outcome(StrEnum):
    """How it counts. Only `passed` is ever good."""

    PASSED = "passed"
    FAILED = "failed"
    #: It needs what this version does not have; counts as not repaired.
    WAITING = "waiting"
    #: The contender has no way to do it; counts as not repaired.
    CANNOT = "cannot"
    #: It needs a kernel of its own: nothing was run on a real host.
    NOT_SHOWN = "not_shown"


@dataclass(frozen=True, slots=True)
class Seconds:
    """Since the fault was asked for; None for what did not happen or is not said.

    `repaired` and `held` are seen from outside, the others are the contender's own word.
    """

    detected: float | None = None
    acted: float | None = None
    verified: float | None = None
    #: From then on it was well.
    repaired: float | None = None
    #: It had been well for as long as it must.
    held: float | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """One record, plain enough for JSON."""

    scenario: str
    number: str
    kind: Kind
    engine: str
    outcome: Outcome
    #: Everything that was not as expected, or why nothing was run; one sentence each.
    because: tuple[str, ...] = ()
    repaired: bool = False
    seconds: Seconds = field(default_factory=Seconds)
    actions: tuple[Performed, ...] = ()
    #: Actions that nothing asked for.
    unnecessary: tuple[Performed, ...] = ()
    #: What must never happen and did: damage, a broken invariant, a change that nobody allowed.
    harm: tuple[str, ...] = ()
    pages: tuple[str, ...] = ()
    pages_needed: int = 0
    cost: Cost = field(default_factory=Cost)

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON can hold it."""
        return dataclasses.asdict(self)
