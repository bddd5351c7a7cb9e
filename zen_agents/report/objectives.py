"""What remediation itself is held to, whether that is met, and how much of the error budget is spent; pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import StrEnum

from zen_agents.dataclass import dataclass
from zen_agents.model.action import OutcomeKind
from zen_agents.model.duration import duration
from zen_agents.report.rate import Rate

#: Where sums of floating point are compared.
_HAIR = 1e-9


class Measured(StrEnum):
    """What of remediation is measured."""

    VERIFIED = "verified"
    RECURRING = "recurring"
    UNKNOWN = "unknown"
    IN_TIME = "in_time"

    @property
    def is_at_least(self) -> bool:
        """True if the share is to be at least the target, False if at most."""
        return self in (Measured.VERIFIED, Measured.IN_TIME)


@dataclass(frozen=True, slots=True)
class Target:
    """One share that is promised: from 0 to 1, of everything or of one rule."""

    measured: Measured
    share: float
    #: For `IN_TIME`: from the first bad look to the verified repair.
    within_seconds: float = 300.0
    #: "" for all rules together.
    rule: str = ""


#: What holds without a configuration.
USUAL = (
    Target(Measured.VERIFIED, 0.95),
    Target(Measured.RECURRING, 0.10),
    Target(Measured.UNKNOWN, 0.01),
    Target(Measured.IN_TIME, 0.95),
)


@dataclass(frozen=True, slots=True)
class Budget:
    """How many may go wrong of so many as there were, and how many did."""

    allowed: float
    spent: int


@dataclass(frozen=True, slots=True)
class Objective:
    """One target, and whether it is met; None: too little to tell."""

    name: str
    #: "" for all rules together.
    rule: str
    target: str
    value: str
    met: bool | None
    #: None if there was nothing to measure.
    budget: Budget | None


@dataclass(frozen=True, slots=True)
class Evidence:
    """What one rule, or all together, gave to judge by."""

    #: How its actions that ran to an outcome ended.
    outcomes: Sequence[OutcomeKind]
    #: Of its repairs of which it can be told, those after which the same broke again within a day.
    recurred: Rate
    #: How long each of its repairs took, from the first bad look (seconds).
    lasted: Sequence[float]


def judge(targets: Iterable[Target], whole: Evidence, by_rule: Mapping[str, Evidence]) -> Sequence[Objective]:
    """Judge each target; one of a rule that gave nothing to judge by says `none`."""
    nothing = Evidence((), Rate(0, 0), ())
    return tuple(_objective(each, by_rule.get(each.rule, nothing) if each.rule else whole) for each in targets)


def _objective(target: Target, evidence: Evidence) -> Objective:
    rate, name = _MEASURES[target.measured](target, evidence)
    at_least = target.measured.is_at_least
    words = f"at {'least' if at_least else 'most'} {100 * target.share:g} %"
    if rate.share is None:
        return Objective(name, target.rule, words, "none", None, None)
    budget = Budget(
        (1 - target.share if at_least else target.share) * rate.of, rate.of - rate.times if at_least else rate.times
    )
    met = None if rate.is_few else budget.spent <= budget.allowed + _HAIR
    return Objective(name, target.rule, words, f"{100 * rate.share:.1f} % ({rate.times} of {rate.of})", met, budget)


def _outcome(kind: OutcomeKind, name: str) -> Callable[[Target, Evidence], tuple[Rate, str]]:
    return lambda _, evidence: (Rate(evidence.outcomes.count(kind), len(evidence.outcomes)), name)


def _in_time(target: Target, evidence: Evidence) -> tuple[Rate, str]:
    in_time = sum(seconds <= target.within_seconds for seconds in evidence.lasted)
    return Rate(in_time, len(evidence.lasted)), f"repaired within {duration(target.within_seconds)}"


_MEASURES: Mapping[Measured, Callable[[Target, Evidence], tuple[Rate, str]]] = {
    Measured.VERIFIED: _outcome(OutcomeKind.VERIFIED, "actions verified"),
    Measured.RECURRING: lambda _, evidence: (evidence.recurred, "broken again within a day"),
    Measured.UNKNOWN: _outcome(OutcomeKind.UNKNOWN, "outcome unknown"),
    Measured.IN_TIME: _in_time,
}
