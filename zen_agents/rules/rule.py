"""A rule: condition, hold, severity and ladder, as data."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import field
from typing import Protocol

from zen_agents.clock import Instant
from zen_agents.dataclass import dataclass
from zen_agents.model.action import ActionRequest
from zen_agents.model.observation import Finding, Observation
from zen_agents.model.severity import Severity


class Samples(Protocol):
    """What was measured under one (name, target), without what could not be told; both sequences are of equal length."""

    @property
    def times(self) -> Sequence[float]:
        """Steady times, oldest first."""
        ...

    @property
    def values(self) -> Sequence[float]:
        """The finite numbers measured at those times."""
        ...

    @property
    def watched_since(self) -> float:
        """Steady time of the first observation ever, whether it could tell or not."""
        ...


class Window(Protocol):
    """The recent observations a condition may look at."""

    def last(self, name: str, target: str) -> Observation | None:
        """Return the newest observation, or None if there is none."""
        ...

    def samples(self, name: str, target: str) -> Samples | None:
        """Return the kept measurements, or None if there was no observation yet or nobody required its history."""
        ...


class Condition(Protocol):
    """A predicate over observations."""

    @property
    def names(self) -> frozenset[tuple[str, str]]:
        """The (observation name, target) pairs it reads."""
        ...

    @property
    def histories(self) -> Mapping[tuple[str, str], float]:
        """How many seconds of the past it needs, by (name, target); pairs of which it reads the newest only are left out."""
        ...

    def evaluate(self, window: Window, now: Instant) -> Finding:
        """Return OK, PROBLEM or UNKNOWN; never raise for missing or odd data (that is UNKNOWN).

        The finding's `at` is the moment of the observation it rests on, so that one observation is counted once.
        """
        ...


@dataclass(frozen=True, slots=True)
class Hold:
    """How long a finding must last before it counts, in both directions."""

    #: Bad findings in a row before it is open, and good ones before it is resolved.
    fail_after: int = 1
    recover_after: int = 1
    #: Seconds it must be bad, and good, without a break.
    held_for_seconds: float = 0.0
    clear_for_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Rung:
    """One step of the ladder: the first action of `alternatives` that guards allow is taken."""

    alternatives: tuple[ActionRequest, ...]
    #: Attempts in all: the first at once, then the retries with backoff.
    attempts: int = 4
    #: Backoff before retry n is min(maximum, first * 2**(n-1)), with full jitter of up to `jitter` seconds added.
    backoff_first_seconds: float = 10.0
    backoff_maximum_seconds: float = 300.0
    jitter_seconds: float = 5.0
    #: Wait before the effect is judged, and by when it must be good.
    settle_seconds: float = 0.0
    verify_within_seconds: float = 60.0
    #: It must then stay good this long (bake window) before it counts as verified.
    bake_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class FlapLimit:
    """More openings than `opens_after` within the window means flapping."""

    opens_after: int = 4
    within_seconds: float = 1800.0


#: One for all rules: there may be thousands, and nobody changes it.
_NO_LABELS: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule on one target."""

    #: `system_health.web`; unique together with the target.
    name: str
    agent: str
    target: str
    condition: Condition
    hold: Hold = Hold()
    #: While this says PROBLEM the incident does not clear (hysteresis); None: the condition itself.
    clear: Condition | None = None
    severity: Severity = Severity.WARNING
    ladder: Sequence[Rung] = ()
    flapping: FlapLimit = FlapLimit()
    #: UNKNOWN for longer than this tells people.
    unknown_patience_seconds: float = 900.0
    #: How long its check may have to look before it can tell (seconds); an engine that has just started begins anew.
    known_after_seconds: float = 0.0
    #: Refused for longer than this tells people; 300 for critical.
    patience_seconds: float = 900.0
    #: Keys (`rule|target`) whose open incident mutes this one.
    depends_on: frozenset[str] = frozenset()
    #: `file:line:column` of its definition, "" for a built-in.
    origin: str = ""
    runbook: str = ""
    #: A sentence for people: what it watches.
    summary: str = ""
    #: True if only a log line says so; a present-state check has to confirm it (R32).
    needs_confirmation: bool = False
    labels: Mapping[str, str] = field(default_factory=lambda: _NO_LABELS)

    #: The dedup key of its incidents; made once, since every look at every rule asks for it.
    key: str = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "target", sys.intern(self.target))
        object.__setattr__(self, "key", f"{self.name}|{self.target}")
