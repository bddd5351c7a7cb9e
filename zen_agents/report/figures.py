"""The figures of a report, as they are counted; all durations are seconds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from zen_agents.dataclass import dataclass
from zen_agents.report.objectives import Objective
from zen_agents.report.rate import Rate


@dataclass(frozen=True, slots=True)
class Spread:
    """Half of them took no longer than `median`, 19 of 20 no longer than `p95`; None of nothing."""

    median: float | None
    p95: float | None


@dataclass(frozen=True, slots=True)
class RuleProof:
    """What one rule achieved."""

    rule: str
    incidents: int
    #: Of the judged actions of this rule, those that were verified: the fault was gone and stayed gone while it was watched.
    verified: Rate
    #: Of the incidents that the engine repaired, those after which the same opened again within `AGAIN_WITHIN`. Left out is
    #: what was repaired so lately that it cannot be told yet.
    recurred: Rate
    #: Cleared within `CLEARED_WITHIN` of opening: of the incidents that were acted on, and, as the counterfactual, of those
    #: that nobody acted on. Left out is what opened so lately that it cannot be told yet.
    cleared_acted: Rate
    cleared_alone: Rate
    #: From the first bad look to the end, of incidents that the engine repaired.
    repaired: Spread


@dataclass(frozen=True, slots=True)
class Debt:
    """One thing that is repaired again and again."""

    rule: str
    target: str
    repairs: int
    first: datetime
    last: datetime
    #: How long it was broken in all (seconds).
    broken_seconds: float
    #: The actions that mended it, the most used first.
    actions: Sequence[str]


@dataclass(frozen=True, slots=True)
class Person:
    """What one person did, by verb, and how many actions were run for them."""

    name: str
    did: Mapping[str, int]
    actions: int


@dataclass(frozen=True, slots=True)
class Report:
    """All figures of a span."""

    since: datetime
    until: datetime
    incidents: int
    open: int
    #: Of the incidents that are over and did not clear by themselves, those that the engine ended with nobody called.
    fixed_without_person: Rate
    #: From the first bad look to the end, of all that are over.
    lasted: Spread
    outcomes: Mapping[str, int]
    skipped: Mapping[str, int]
    #: Local nights in which somebody was paged, or told of something critical.
    nights: int
    told: Mapping[str, int]
    #: Incidents by local day and how they ended: `engine`, `itself`, `person`, `open`.
    days: Mapping[str, Mapping[str, int]]
    rules: Sequence[RuleProof]
    debts: Sequence[Debt]
    objectives: Sequence[Objective]
    people: Sequence[Person]
    is_cut: bool
