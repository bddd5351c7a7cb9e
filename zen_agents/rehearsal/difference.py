"""What a replay decides otherwise than was decided then."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from zen_agents.dataclass import dataclass
from zen_agents.model.entry import ChainedEntry
from zen_agents.rehearsal.recording import Gap
from zen_agents.rehearsal.replayed_decisions import Decided

#: Decisions about the same, so many seconds apart, are one: retries have a jitter, and an action took its time then.
SAME_WITHIN = 120.0
#: Reasons of decisions that only wait; a replay has none of them.
_WAITING = frozenset({
    "settling", "verifying", "not_held", "cleared", "escalated", "acknowledged", "backoff", "unknown_observation",
})  # fmt: skip
_OUTCOMES = frozenset({"act", "ask", "alert", "skip"})


@dataclass(frozen=True, slots=True)
class Difference:
    """One decision that is new (`+`), gone (`-`), or otherwise (`~`)."""

    sign: str
    now: Decided | None
    then: Decided | None

    @property
    def decided(self) -> Decided:
        """The decision of now, or where there is none of then."""
        found = self.now or self.then
        assert found is not None  # noqa: S101  one of them is there
        return found


def recorded_decisions(entries: Iterable[ChainedEntry], gaps: Sequence[Gap]) -> Iterator[Decided]:
    """Yield what was decided then, without mere waiting and without what lies where nothing was recorded."""
    for row in entries:
        facts, at = row.entry.body, row.entry.at
        outcome, reason = str(facts.get("outcome")), str(facts.get("reason"))
        if outcome not in _OUTCOMES or (outcome == "skip" and reason in _WAITING):
            continue
        if any(gap.since.steady < at.steady < gap.until.steady for gap in gaps):
            continue
        action = str(facts.get("action") or "")
        yield Decided(at, str(facts.get("rule")), str(facts.get("target")), outcome, reason, action)


def differences(now: Sequence[Decided], then: Iterable[Decided]) -> list[Difference]:
    """Return how two rows of decisions differ, oldest first."""
    left: dict[tuple[str, str], list[Decided]] = {}
    for decided in then:
        left.setdefault((decided.rule, decided.target), []).append(decided)
    found, unmatched = [], []
    for decided in now:
        if not _take(left, decided, same=True):
            unmatched.append(decided)
    for decided in unmatched:
        other = _take(left, decided, same=False)
        found.append(Difference("~" if other else "+", decided, other))
    found += [Difference("-", None, gone) for rest in left.values() for gone in rest]
    return sorted(found, key=lambda difference: difference.decided.at.steady)


def _take(left: dict[tuple[str, str], list[Decided]], decided: Decided, *, same: bool) -> Decided | None:
    """Take the nearest decision about the same out of those left: the same one, or any."""
    rest = left.get((decided.rule, decided.target), [])
    near = [one for one in rest if _apart(one, decided) <= SAME_WITHIN and (not same or _is_same(one, decided))]
    if not near:
        return None
    nearest = min(near, key=lambda one: _apart(one, decided))
    rest.remove(nearest)
    return nearest


def _apart(one: Decided, other: Decided) -> float:
    return abs(one.at.steady - other.at.steady)


def _is_same(one: Decided, other: Decided) -> bool:
    # Why an attempt was made (the first, a retry) follows from what the one before it came to.
    same = (one.outcome, one.action) == (other.outcome, other.action)
    return same and (one.outcome == "act" or one.reason == other.reason)
