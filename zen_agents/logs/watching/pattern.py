"""One pattern as it is followed: its detector, and the last lines that counted."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Final

from zen_agents.dataclass import dataclass
from zen_agents.logs.correlation import checked_keys, keys_of_values, shared_keys
from zen_agents.logs.detection.absence import Absence, AbsenceRule
from zen_agents.logs.detection.counting import Counting, CountRule
from zen_agents.logs.detection.distinct import STEP, Distinct, DistinctRule
from zen_agents.logs.detection.found import Change, Detection
from zen_agents.logs.detection.sequence import SequenceRule, Sequences
from zen_agents.logs.keys import Key
from zen_agents.logs.memory import checked_count, checked_key, checked_number, checked_rows
from zen_agents.logs.watching.rule import Detects, PatternRule
from zen_agents.model.observation import SharedKey

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
    #: The last of them, while something is so.
    last: Sequence[str]
    #: When each of the last was written (seconds since the epoch).
    written: Sequence[float]
    #: By what its lines belong to those of other patterns and sources.
    shared: Sequence[SharedKey]


@dataclass(frozen=True, slots=True)
class _Line:
    text: str
    at: float
    shared: tuple[SharedKey, ...]


#: A line as it was taken: its text, when it was written, and its fields.
_Taken = tuple[str, float, Mapping[str, str]]


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


_Detector = Counting | Distinct | Absence | _Ordered


class WatchedPattern:
    """Follows one pattern. Times are seconds since the epoch, as the lines say or else as they came."""

    def __init__(self, rule: PatternRule, now: float, saved: Mapping[str, Any]) -> None:
        """Go on from what `saved` gave; what that cannot be is left out."""
        self.name, self._rule = rule.name, rule
        inner = saved.get("detector")
        self._detector = _restored(rule.detects, now, inner if isinstance(inner, Mapping) else {})
        self._tells_steps = isinstance(rule.detects, DistinctRule) and rule.detects.distinct == STEP
        self._lines = checked_count(saved.get("lines"))
        #: The last lines; what one is about is told from its fields once somebody asks: most are pushed out before.
        self._last: deque[_Line | _Taken] = deque(_restored_lines(saved.get("last")), MOST_LINES)
        self._was_raised = saved.get("was_raised") is True
        #: Whether something was found, or is over, since it was last asked how it stands.
        self.is_stirred = False
        #: Whose lines were found last; what is over already is told with it.
        keys = (checked_key(row, len(rule.detects.by)) for row in _rows(saved.get("lately")))
        self._lately: deque[Key] = deque((key for key in keys if key is not None), MOST_NAMED)

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

    def count(self, key: Key, at: float, line: str) -> None:
        """Count a line of which nothing else is asked than whose it is; for a pattern that counts by a key."""
        self._lines += 1
        self._last.append((line, at, {}))
        detector = self._detector
        if isinstance(detector, Counting) and (changed := detector.count(key, at)):
            self._note(changed)

    def room(self, now: float) -> int:
        """Return how many more lines have to come before one makes a difference; at least 1."""
        return self._detector.room(now) if isinstance(self._detector, Counting) else 1

    def take(self, steps: Collection[int], fields: Mapping[str, str], at: float, line: str) -> None:
        """Count a line, or several that are one record, that is one or more of the steps."""
        self._lines += 1
        self._last.append((line, at, fields))
        detector = self._detector
        if isinstance(detector, _Ordered):
            self._note(detector.hit(steps, fields, at))
        elif self._tells_steps:
            for step in steps:
                self._note(detector.hit({**fields, STEP: str(step)}, at))
        else:
            self._note(detector.hit(fields, at))

    def amend(self, before: str, line: str) -> None:
        """Show a record that counted, and of which more has come since, as it is now."""
        was, now = (_in_one_line(text) for text in (before, line))
        for number, each in enumerate(self._last):
            if not isinstance(each, _Line) and each[0] == before:
                self._last[number] = (line, *each[1:])
            elif isinstance(each, _Line) and each.text == was:
                self._last[number] = _Line(now, each.at, each.shared)

    def advance(self, now: float) -> bool:
        """Let time pass; True if that changed something."""
        changed = self._detector.advance(now)
        self._note(changed)
        return bool(changed)

    @property
    def is_raised(self) -> bool:
        """Whether something of it is so now."""
        return bool(self._detector.raised)

    @property
    def is_waiting(self) -> bool:
        """Whether time alone may change something: without this, `advance` has nothing to do."""
        return isinstance(self._detector, Absence) or self.is_raised

    def seen(self) -> Seen:
        """Return how it stands. What was raised and is over already is told once."""
        since = self._detector.raised
        was, self._was_raised, self.is_stirred = self._was_raised, False, False
        if not was and not since:
            return Seen(False, (), 0, self._lines, (), (), ())
        named = sorted(since, key=since.__getitem__)[:MOST_NAMED]
        lines = self._kept()
        texts, written = tuple(line.text for line in lines), tuple(line.at for line in lines)
        return Seen(True, named, len(since), self._lines, texts, written, tuple(self._shared(named, lines)))

    def saved(self) -> dict[str, Any]:
        """Return everything that is remembered, for JSON."""
        return {
            "detector": self._detector.saved(), "lines": self._lines, "was_raised": self._was_raised,
            "lately": [list(key) for key in self._lately],
            "last": [[line.text, line.at, [list(key) for key in line.shared]] for line in self._kept()],
        }  # fmt: skip

    def _kept(self) -> Sequence[_Line]:
        """Return the last lines, each with what it is about."""
        lines = [each if isinstance(each, _Line) else self._told(*each) for each in self._last]
        self._last = deque(lines, MOST_LINES)
        return lines

    def _told(self, text: str, at: float, fields: Mapping[str, str]) -> _Line:
        # Where `by:` tells them apart, whose lines these are is what the detector says.
        shared = () if self._rule.detects.by else tuple(shared_keys(fields, self._rule.shares))
        return _Line(_in_one_line(text), at, shared)

    def _shared(self, raised: Sequence[Key], lines: Sequence[_Line]) -> Iterator[SharedKey]:
        for name in self._rule.targets:
            yield "target", name
        for key in raised or self._lately:
            yield from keys_of_values(self._rule.detects.by, key)
        for line in reversed(lines):
            yield from line.shared

    def _note(self, changed: Sequence[Detection]) -> None:
        if not changed:
            return
        self.is_stirred = True
        found = [each.key for each in changed if each.change is Change.RAISED]
        self._was_raised = self._was_raised or bool(found)
        self._lately.extend(found)


def _in_one_line(record: str) -> str:
    """Return what is shown of a record; where a long traceback ends it says why."""
    if "\n" not in record:
        return record[:MOST_CHARACTERS]
    text, begins = " ".join(line.strip() for line in record.split("\n")), MOST_CHARACTERS // 3
    if len(text) <= MOST_CHARACTERS:
        return text
    return f"{text[:begins]} … {text[len(text) - (MOST_CHARACTERS - begins - 3) :]}"


def _rows(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _restored_lines(saved: Any) -> Iterator[_Line]:
    for text, at, shared in checked_rows(saved, width=3):
        if isinstance(text, str) and (written := checked_number(at)) is not None:
            yield _Line(text[:MOST_CHARACTERS], written, checked_keys(shared))


def _restored(rule: Detects, now: float, saved: Mapping[str, Any]) -> _Detector:
    match rule:
        case CountRule():
            return Counting.restored(rule, saved)
        case DistinctRule():
            return Distinct.restored(rule, saved)
        case AbsenceRule():
            return Absence.restored(rule, now, saved)
        case SequenceRule():
            return _Ordered(rule, saved)
