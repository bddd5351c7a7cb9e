"""What is looked for in one source."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from zen_agents.dataclass import dataclass
from zen_agents.logs.detection.absence import AbsenceRule
from zen_agents.logs.detection.counting import CountRule
from zen_agents.logs.detection.distinct import DistinctRule
from zen_agents.logs.detection.sequence import SequenceRule

#: What decides about the lines of a pattern.
Detects = CountRule | DistinctRule | AbsenceRule | SequenceRule


@dataclass(frozen=True, slots=True)
class Step:
    """Which lines count. One that says neither is every line of its source."""

    #: Regular expression that the line must hold, as `logs.matching` reads it.
    match: str = ""
    #: What its fields must be, as `logs.detection.where` reads it; the named groups of `match` are fields as well.
    where: Mapping[str, object] | None = None
    #: A Sigma rule that the line must be meant by, as `logs.sigma.rules` reads it.
    sigma: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class PatternRule:
    """A pattern: its lines, and what has to be so of them. A sequence has several steps, as has what comes in any order."""

    name: str
    steps: Sequence[Step]
    detects: Detects
    #: Fields by which its lines belong to those of others, besides the usual ones.
    shares: Sequence[str] = ()
    #: Names of targets that it concerns.
    targets: Sequence[str] = ()
