"""The score card: figures that follow from results alone."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from chaos.engines.monit import Monit
from chaos.engines.zen import Zen
from chaos.result import Outcome, Result


@dataclass(frozen=True, slots=True)
class Spread:
    """Of so many samples, the middle and the one that 95 % do not exceed."""

    p50: float
    p95: float
    count: int


def spread(samples: Iterable[float | None]) -> Spread | None:
    """Return the spread of all that are there, without interpolation; None of nothing."""
    there = sorted(sample for sample in samples if sample is not None)
    if not there:
        return None
    return Spread(statistics.median(there), there[-(-len(there) * 95 // 100) - 1], len(there))


@dataclass(frozen=True, slots=True)
class EngineCard:
    """What one contender did, when nothing else went wrong."""

    engine: str
    runs: int
    outcomes: Mapping[Outcome, int]
    #: Runs in which something was to be repaired, whether it was run or not, and those in which it was and held.
    to_repair: int
    repaired: int
    detected: Spread | None
    acted: Spread | None
    verified: Spread | None
    seen_repaired: Spread | None
    #: Of the time to repair: until the fault showed, waiting for a person (of those that did), and what is left.
    shown: Spread | None
    waited: Spread | None
    own: Spread | None
    unnecessary: int
    harmful: int
    pages_sent: int
    pages_needed: int
    actions: int
    claims_inverse: int
    #: Of those, how many were to be undone, and how many were.
    tried_to_undo: int
    undone: int
    cpu_seconds: Spread | None
    rss_kib: Spread | None

    @property
    def repaired_percent(self) -> float | None:
        return 100 * self.repaired / self.to_repair if self.to_repair else None


def engine_card(engine: str, results: Sequence[Result]) -> EngineCard:
    """Return the figures of one contender; only what was run has times, pages and costs."""
    plain = [result for result in results if result.engine == engine and not result.variant]
    ran = [result for result in plain if result.outcome in (Outcome.PASSED, Outcome.FAILED)]
    fixed = [result.seconds for result in ran if result.to_be_repaired and result.repaired]
    return EngineCard(
        engine, len(plain), Counter(result.outcome for result in plain),
        to_repair=sum(result.to_be_repaired for result in plain), repaired=len(fixed),
        detected=spread(seconds.detected for seconds in fixed), acted=spread(seconds.acted for seconds in fixed),
        verified=spread(seconds.verified for seconds in fixed), seen_repaired=spread(seconds.repaired for seconds in fixed),
        shown=spread(seconds.shown for seconds in fixed), waited=spread(seconds.waited or None for seconds in fixed),
        own=spread(seconds.own for seconds in fixed),
        unnecessary=sum(len(result.unnecessary) for result in ran), harmful=sum(len(result.harm) for result in ran),
        pages_sent=sum(len(result.pages) for result in ran), pages_needed=sum(result.pages_needed for result in ran),
        actions=sum(len(result.actions) for result in ran),
        claims_inverse=sum(done.claims_inverse for result in ran for done in result.actions),
        tried_to_undo=sum(done.undone is not None for result in ran for done in result.actions),
        undone=sum(done.undone is True for result in ran for done in result.actions),
        cpu_seconds=spread(result.cost.cpu_seconds for result in ran), rss_kib=spread(result.cost.rss_kib for result in ran),
    )  # fmt: skip


def engines_of(results: Sequence[Result]) -> list[str]:
    """Return all contenders that results are there of, in the order in which they came first."""
    return list(dict.fromkeys(result.engine for result in results))


@dataclass(frozen=True, slots=True)
class Times:
    """The time to repair in one scenario and what is in it, each the median over all seeds."""

    whole: float
    #: Until the fault showed, whoever looked; what a question waited for a person; what is left of the whole without both.
    shown: float
    waited: float
    own: float
    #: The first thing that it harmed with any of the seeds; a repair counts all the same.
    harm: str = ""


@dataclass(frozen=True, slots=True)
class Comparison:
    """One scenario, by the times to repair that were seen from outside; None where an engine did not repair it."""

    scenario: str
    ours: Times | None
    theirs: Times | None
    #: Why it has no time.
    why_not_ours: str
    why_not_theirs: str

    @property
    def ratio(self) -> float | None:
        """How many times as long it took them, all in all."""
        return _ratio(self.theirs.whole, self.ours.whole) if self.ours and self.theirs else None

    @property
    def own_ratio(self) -> float | None:
        """The same of the time that was each one's own; None if ours ended with the moment that the fault showed."""
        return _ratio(self.theirs.own, self.ours.own) if self.ours and self.theirs else None


def comparisons(results: Sequence[Result], *, ours: str = Zen.name, theirs: str = Monit.name) -> list[Comparison]:
    """Return every scenario in which something was to be repaired, by the medians over all its seeds."""
    plain = [result for result in results if not result.variant and result.to_be_repaired]
    both = {result.scenario for result in plain if result.engine == theirs} & {
        result.scenario for result in plain if result.engine == ours
    }
    found = []
    for scenario in sorted(both):
        mine, other = (
            [result for result in plain if (result.scenario, result.engine) == (scenario, engine)]
            for engine in (ours, theirs)
        )
        found.append(Comparison(scenario, _times(mine), _times(other), _why_not(mine), _why_not(other)))
    return found


def median_ratio(compared: Sequence[Comparison]) -> float | None:
    """Return the median over the scenarios that both repair; None if there is none."""
    return _median(each.ratio for each in compared)


def median_own_ratio(compared: Sequence[Comparison]) -> float | None:
    """Return the same for the time that was each one's own."""
    return _median(each.own_ratio for each in compared)


def _ratio(theirs: float, ours: float) -> float | None:
    return theirs / ours if ours > 0 else None


def _median(ratios: Iterable[float | None]) -> float | None:
    there = [ratio for ratio in ratios if ratio is not None]
    return statistics.median(there) if there else None


def _times(results: Sequence[Result]) -> Times | None:
    repaired = [result.seconds for result in results if result.seconds.repaired is not None]
    # One that it did not repair with some seed is not one that it repairs.
    if not repaired or len(repaired) < len(results):
        return None
    parts = zip(*((each.repaired, each.shown or 0.0, each.waited, each.own) for each in repaired), strict=True)
    harm = next((sentence for result in results for sentence in result.harm), "")
    whole, shown, waited, own = map(statistics.median, parts)
    return Times(whole, shown, waited, own, harm)


def _why_not(results: Sequence[Result]) -> str:
    first = next((result for result in results if result.seconds.repaired is None), None)
    return (
        ""
        if first is None
        else f"{first.outcome.value.replace('_', ' ')}: {first.because[0] if first.because else ''}".rstrip(": ")
    )
