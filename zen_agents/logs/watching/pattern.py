"""One pattern as it is followed: its detector, and the last lines that counted."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from zen_agents.dataclass import dataclass
from zen_agents.logs.detection.absence import Absence, AbsenceRule
from zen_agents.logs.detection.counting import Counting, CountRule
from zen_agents.logs.detection.found import Change, Detection
from zen_agents.logs.detection.sequence import SequenceRule, Sequences
from zen_agents.logs.keys import Key
from zen_agents.logs.memory import checked_count, checked_key, checked_number, checked_rows
from zen_agents.logs.watching.rule import Detects, PatternRule

#: So many of the last lines are kept, of so many characters each, and so many keys are named.
MOST_LINES, MOST_CHARACTERS, MOST_NAMED = 5, 300, 5
#: So many sequences are remembered as lately complete.
_MOST_COMPLETE: Final = 100


@dataclass(frozen=True, slots=True)
class Seen:
    """How a pattern stands. All texts are untrusted."""

    #: Something of it is so now, or was since it was last asked.
    is_raised: bool
    #: Whose: the values of `by:`, the one that is raised the longest first; and how many there are in all.
    keys: Sequence[Key]
    raised: int
    #: How many lines counted since the pattern is followed.
    lines: int
    last: Sequence[str]


class _Ordered:
    """A sequence that is complete stays raised for as long as it may take."""

    def __init__(self, rule: SequenceRule, saved: Mapping[str, Any]) -> None:
        self._rule = rule
        inner = saved.get("steps")
        self._inner = Sequences.restored(rule, inner if isinstance(inner, Mapping) else {})
        self.raised: dict[Key, float] = {}
        for row in checked_rows(saved.get("raised"), width=2)[:_MOST_COMPLETE]:
            key, at = checked_key(row[0], len(rule.by)), checked_number(row[1])
            if key is not None and at is not None:
                self.raised[key] = at

    @property
    def forgotten(self) -> int:
        return self._inner.forgotten

    def latest(self, key: Key) -> float:
        return self.raised[key]

    def hit(self, steps: Collection[int], fields: Mapping[str, str], at: float) -> Sequence[Detection]:
        found = self._inner.hit(steps, fields, at)
        if found is None:
            return ()
        self.raised.pop(found.key, None)
        self.raised[found.key] = found.at
        if len(self.raised) > _MOST_COMPLETE:
            del self.raised[next(iter(self.raised))]
        return (found,)

    def advance(self, now: float) -> Sequence[Detection]:
        over = [key for key, at in self.raised.items() if now - at > self._rule.within_seconds]
        return [Detection(Change.CLEARED, key, now, self.raised.pop(key), 0) for key in over]

    def saved(self) -> dict[str, Any]:
        return {"steps": self._inner.saved(), "raised": [[list(key), at] for key, at in self.raised.items()]}


_Detector = Counting | Absence | _Ordered


class WatchedPattern:
    """Follows one pattern. Times are seconds since the epoch, as the lines say or else as they came."""

    def __init__(self, rule: PatternRule, now: float, saved: Mapping[str, Any]) -> None:
        """Go on from what `saved` gave; what that cannot be is left out."""
        self.name = rule.name
        inner, lines = saved.get("detector"), saved.get("last")
        self._detector = _restored(rule.detects, now, inner if isinstance(inner, Mapping) else {})
        self._lines = checked_count(saved.get("lines"))
        kept = [line[:MOST_CHARACTERS] for line in lines if isinstance(line, str)] if isinstance(lines, list) else []
        self._last: deque[str] = deque(kept, MOST_LINES)
        self._was_raised = saved.get("was_raised") is True

    @property
    def forgotten(self) -> int:
        """How many keys lost their place to others."""
        return self._detector.forgotten

    def raised(self) -> Mapping[Key, float]:
        """Return whose it is now, whose it is the longest first, with when their last line was; of an absence nobody's."""
        detector = self._detector
        if isinstance(detector, Absence):
            return {}
        since = detector.raised
        return {key: detector.latest(key) for key in sorted(since, key=since.__getitem__)}

    def take(self, steps: Collection[int], fields: Mapping[str, str], at: float, line: str) -> None:
        """Count a line that is one or more of the steps."""
        self._lines += 1
        self._last.append(line[:MOST_CHARACTERS])
        detector = self._detector
        self._note(detector.hit(steps, fields, at) if isinstance(detector, _Ordered) else detector.hit(fields, at))

    def advance(self, now: float) -> bool:
        """Let time pass; True if that changed something."""
        changed = self._detector.advance(now)
        self._note(changed)
        return bool(changed)

    @property
    def is_waiting(self) -> bool:
        """Whether time alone may change something: without this, `advance` has nothing to do."""
        return isinstance(self._detector, Absence) or bool(self._detector.raised)

    def seen(self) -> Seen:
        """Return how it stands. What was raised and is over already is told once."""
        since = self._detector.raised
        was, self._was_raised = self._was_raised, False
        named = sorted(since, key=since.__getitem__)[:MOST_NAMED]
        return Seen(was or bool(since), named, len(since), self._lines, tuple(self._last))

    def saved(self) -> dict[str, Any]:
        """Return everything that is remembered, for JSON."""
        return {
            "detector": self._detector.saved(), "lines": self._lines, "last": list(self._last),
            "was_raised": self._was_raised,
        }  # fmt: skip

    def _note(self, changed: Sequence[Detection]) -> None:
        self._was_raised = self._was_raised or any(each.change is Change.RAISED for each in changed)


def _restored(rule: Detects, now: float, saved: Mapping[str, Any]) -> _Detector:
    match rule:
        case CountRule():
            return Counting.restored(rule, saved)
        case AbsenceRule():
            return Absence.restored(rule, now, saved)
        case SequenceRule():
            return _Ordered(rule, saved)
