"""What came of one scenario with one contender."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from pydantic import TypeAdapter

from chaos.engines.base import Contender, Cost, Performed
from chaos.kinds import Kind, Right
from chaos.scenario import Scenario
from chaos.variants.base import Variant


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
    #: The bench itself could not run or judge it; counts as not repaired.
    BROKEN = "broken"


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
    #: Until then the bench itself still found all well; None where it never found anything broken.
    shown: float | None = None
    #: For how long until the repair a question waited for a person's answer, with its way to the person and back.
    waited: float = 0.0
    #: It had been well for as long as it must.
    held: float | None = None

    @property
    def own(self) -> float | None:
        """What is left of the time to repair without that of the fault to show and that of the person: the contender's."""
        return None if self.repaired is None else self.repaired - self.waited - (self.shown or 0.0)


@dataclass(frozen=True, slots=True)
class Result:
    """One record, plain enough for JSON."""

    scenario: str
    number: str
    kind: Kind
    engine: str
    outcome: Outcome
    #: What else went wrong meanwhile; "" for nothing.
    variant: str = ""
    seed: int = 0
    #: Whether something was to be repaired.
    to_be_repaired: bool = False
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

    @staticmethod
    def from_json(record: Mapping[str, Any]) -> Result:
        """Return what `as_json` was called on; ValidationError for anything else."""
        return _ADAPTER.validate_python(record)


_ADAPTER = TypeAdapter(Result)


def named_result(scenario: Scenario, kind: type[Contender], variant: type[Variant], seed: int) -> Result:
    """Return the record of a run of which nothing is known yet."""
    expected = variant().expectation(scenario.expect)
    return Result(
        scenario.name, scenario.number, scenario.kind, kind.name, Outcome.FAILED, variant.name, seed,
        to_be_repaired=expected.outcome is Right.REPAIRED, pages_needed=expected.pages,
    )  # fmt: skip
