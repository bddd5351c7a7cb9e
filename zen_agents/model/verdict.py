"""What the guards answered."""

from __future__ import annotations

from enum import IntEnum

from zen_agents.dataclass import dataclass
from zen_agents.model.reason import Reason


class Ruling(IntEnum):
    """The answers a guard can give; the largest wins: DENY > SIMULATE > HOLD > ALLOW."""

    ALLOW = 0
    HOLD = 1
    SIMULATE = 2
    DENY = 3


@dataclass(frozen=True, slots=True)
class Answer:
    """One guard's answer, with the value it judged by."""

    guard: str
    ruling: Ruling
    #: None when it allows.
    reason: Reason | None = None
    #: What it looked at, for people: `1 of 5 this hour`, `10m, last run never`.
    value: str = ""
    #: `file:line:column` of the configuration it came from, "" for a default.
    origin: str = ""
    #: Steady time from which the answer may differ; None if that is not known.
    until: float | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """The most restrictive of all answers; every guard is always asked."""

    ruling: Ruling
    reason: Reason | None
    answers: tuple[Answer, ...]

    @property
    def deciding(self) -> Answer | None:
        """The first answer as restrictive as the whole, None when all allow."""
        if self.ruling is Ruling.ALLOW:
            return None
        return next(a for a in self.answers if a.ruling is self.ruling)
