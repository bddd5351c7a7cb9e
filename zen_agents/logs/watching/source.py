"""All patterns of one source, fed with its lines as they come."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import tzinfo
from itertools import groupby
from typing import TYPE_CHECKING, Any

from zen_agents.dataclass import dataclass
from zen_agents.logs.detection.distinct import DistinctRule
from zen_agents.logs.detection.where import Test, compiled
from zen_agents.logs.formats.base import Format, Found
from zen_agents.logs.keys import Key
from zen_agents.logs.matching.base import Matcher
from zen_agents.logs.matching.choose import choose
from zen_agents.logs.record import MESSAGE, LogRecord
from zen_agents.logs.stamps import Stamps
from zen_agents.logs.watching.pattern import Seen, WatchedPattern
from zen_agents.logs.watching.rule import PatternRule

if TYPE_CHECKING:
    from zen_agents.logs.watching.records import Counted, OpenRecord, OpenRecords

#: The field with the path of the file that a line stands in, for `where:` and `by:`.
FILE = "file"

#: Under which the records that may go on are saved; no pattern has such a name.
_OPEN = "open records"

Spans = Iterator[tuple[int, int, tuple[int, ...]]]


@dataclass(frozen=True, slots=True)
class _Step:
    """A step of a pattern."""

    pattern: int
    number: int
    holds: Test | None
    means: Callable[[LogRecord], bool] | None

    def counts(self, text: str, found: Found | None, fields: Mapping[str, str]) -> bool:
        """Tell whether a line that its pattern matches is one of its lines."""
        if self.holds is not None and not self.holds(fields):
            return False
        return self.means is None or self.means(LogRecord("", text, found[0] if found else None, fields))


class SourceWatch:
    """Finds the lines of each pattern and feeds its detector. A line is read (its format, its time) only if it counts."""

    def __init__(
        self, rules: Sequence[PatternRule], form: Format, zone: tzinfo | None, now: float, saved: Mapping[str, Any], *,
        multiline: bool = False,
    ) -> None:  # fmt: skip
        """Go on from what `saved` gave; with `multiline`, lines that belong together are one record.

        Raises:
            PatternRefusedError, WhereRefusedError, SigmaRefusedError: a rule means nothing; settings were checked before.
        """
        self._form, self._zone = form, zone
        self._patterns = [WatchedPattern(rule, now, _mapping(saved.get(rule.name))) for rule in rules]
        #: Of hundreds of patterns few have lines or wait for anything: by number, those that may stand otherwise than they
        #: were told, those that are to be saved anew, and those that time alone may change.
        self._changed, self._unsaved, self._waiting = (set(range(len(rules))) for _ in range(3))
        self._told: dict[str, Seen] = {}
        #: Numbers of the patterns that may have been told otherwise by the last `seen` than by the one before.
        self.renewed: Sequence[int] = ()
        #: Whether of one of them it was other than how many lines there are: that something is so, or of whom.
        self.has_news = True
        self._saved: dict[str, Any] = {}
        self._multiline = multiline
        #: The last record of each file, once there is one; loaded then.
        self._open: OpenRecords | None = None
        if multiline and saved.get(_OPEN):
            self._records().restore(saved[_OPEN], [rule.name for rule in rules])
        matches = list(dict.fromkeys(step.match for rule in rules for step in rule.steps if step.match))
        self._matcher: Matcher | None = choose(matches).matcher if matches else None
        #: By the matcher's pattern, None for every line: the steps whose lines these are.
        self._steps: dict[int | None, list[_Step]] = {}
        places = {match: place for place, match in enumerate(matches)}
        for pattern, rule in enumerate(rules):
            for number, step in enumerate(rule.steps):
                match = places.get(step.match)
                self._steps.setdefault(match, []).append(_Step(pattern, number, _test(step.where), _meaning(step.sigma)))
        #: By the same, the fields that are asked for; None for all of them.
        self._asked = {match: _asked(steps, rules) for match, steps in self._steps.items()}

    def feed(self, chunk: bytes, path: str, now: float) -> None:
        """Take whole lines of one file that were read now."""
        stamps = Stamps(now, self._zone)
        # Entries of the journal are whole, and what they have below their first line is indented.
        if self._multiline and (path.startswith("/") or b"\n " in chunk):
            self._feed_records(chunk, path, stamps)
            return
        for start, end, matched in self._spans(chunk):
            line = chunk[start:end]
            self._take(_text(line), dict.fromkeys(matched, line), path, stamps)

    def advance(self, now: float) -> bool:
        """Let time pass; True if that changed something."""
        self._waiting = {number for number in self._waiting | self._changed if self._patterns[number].is_waiting}
        changed = sum(self._patterns[number].advance(now) for number in self._waiting)
        self._changed |= self._waiting
        return changed > 0

    def seen(self) -> Mapping[str, Seen]:
        """Return how each pattern stands, by name; see `WatchedPattern.seen`. Only of those that are `renewed` it is new."""
        self.renewed, self.has_news = sorted(self._changed), False
        for number in self.renewed:
            pattern = self._patterns[number]
            before, seen = self._told.get(pattern.name), pattern.seen()
            self._told[pattern.name] = seen
            self.has_news = self.has_news or before is None or before.whose != seen.whose
        self._unsaved |= self._changed
        self._changed = {number for number in self._changed if self._told[self._patterns[number].name].is_raised}
        return self._told

    def raised(self, name: str) -> Mapping[Key, float]:
        """Return whose a pattern is now, by the values of its `by:`; see `WatchedPattern.raised`."""
        return next(pattern.raised() for pattern in self._patterns if pattern.name == name)

    @property
    def forgotten(self) -> int:
        """How many keys of all patterns lost their place to others."""
        return sum(pattern.forgotten for pattern in self._patterns)

    def saved(self) -> dict[str, Any]:
        """Return everything that is remembered, for JSON."""
        for number in self._unsaved | self._changed:
            pattern = self._patterns[number]
            self._saved[pattern.name] = pattern.saved()
        self._unsaved.clear()
        saved = dict(self._saved)
        return saved if self._open is None else {**saved, _OPEN: self._open.saved([each.name for each in self._patterns])}

    def _spans(self, chunk: bytes) -> Spans:
        """Yield each line that may count, with the matcher's patterns that it holds."""
        hits = self._matcher.hits(chunk) if self._matcher is not None else iter(())
        found = (
            (start, end, tuple(hit.pattern for hit in same)) for (start, end), same in groupby(hits, lambda hit: hit[1:])
        )
        return _with_every_line(chunk, found) if None in self._steps else found

    def _records(self) -> OpenRecords:
        from zen_agents.logs.watching.records import OpenRecords  # noqa: PLC0415 - only where there are such lines

        self._open = self._open or OpenRecords()
        return self._open

    def _feed_records(self, chunk: bytes, path: str, stamps: Stamps) -> None:
        """Take lines of which several may be one record; the last may go on with the next chunk of the file."""
        from zen_agents.logs.watching.records import OpenRecord, cut, joined  # noqa: PLC0415 - as above

        records = self._records()
        before = records.of(path, stamps.now)
        was = before.joiner.text if before is not None else ""
        found = cut(chunk, before.joiner if before is not None else None)
        counted: Counted = frozenset()
        if before is not None and found.goes_on:
            counted = self._go_on(before, was, path, stamps)
        last = counted if found.last == 0 else frozenset()
        for record in joined(self._spans(chunk), chunk, found.spans):
            if found.goes_on and record.start == 0:
                continue
            got = self._take(_text(chunk[record.start : record.end]).rstrip("\n"), record.matched, path, stamps)
            last = got if record.start == found.last else last
        records.keep(path, OpenRecord(found.joiner, stamps.now, last))

    def _go_on(self, record: OpenRecord, was: str, path: str, stamps: Stamps) -> Counted:
        """Take what a record has become that was counted as far as it was there."""
        text = record.joiner.text
        lines = f"{text}\n".encode("utf-8", "replace")
        matched: dict[int, bytes] = {}
        for hit in self._matcher.hits(lines) if self._matcher is not None else ():
            matched.setdefault(hit.pattern, lines[hit.start : hit.end])
        shown = {pattern for pattern, _ in record.counted}
        self._changed |= shown
        for number in shown:
            self._patterns[number].amend(was, text)
        return self._take(text, matched, path, stamps, record.counted)

    def _take(
        self, text: str, matched: Mapping[int, bytes], path: str, stamps: Stamps, already: Counted = frozenset()
    ) -> Counted:
        """Count a record for the steps whose it is; return these, with those for which it has counted already."""
        found: Found | None = None
        counts: dict[int, tuple[list[int], Mapping[str, str]]] = {}
        for match in (*matched, None):
            if steps := self._steps.get(match):
                known = {FILE: path} if match is None else {FILE: path, **self._groups(match, matched[match])}
                asked = self._asked[match]
                if asked is None or not asked <= known.keys():
                    # Only here what the format says is taken apart.
                    found = found or self._found(text, stamps)
                    known = {**found[1], **known}
                for step in steps:
                    if (step.pattern, step.number) not in already and step.counts(text, found, known):
                        counts.setdefault(step.pattern, ([], known))[0].append(step.number)
        at = self._form.time(text.partition("\n")[0], stamps) if found is None else found[0]
        self._changed.update(counts)
        for pattern, (numbers, said) in counts.items():
            self._patterns[pattern].take(numbers, said, stamps.now if at is None else at, text)
        return already.union((pattern, number) for pattern, (numbers, _) in counts.items() for number in numbers)

    def _found(self, text: str, stamps: Stamps) -> Found:
        """Return what the first line of a record says; its message goes on with the others."""
        head, _, rest = text.partition("\n")
        at, fields = self._form.find(head, stamps) or (None, {})
        return at, {**fields, MESSAGE: f"{fields[MESSAGE]}\n{rest}"} if rest and MESSAGE in fields else fields

    def _groups(self, match: int, line: bytes) -> Mapping[str, str]:
        assert self._matcher is not None  # noqa: S101 - it has found the match
        return self._matcher.fields(match, line)


def _with_every_line(chunk: bytes, found: Spans) -> Spans:
    """Yield every line of a chunk, with what was found of it."""
    start, ahead = 0, next(found, None)
    while start < len(chunk):
        end = chunk.find(b"\n", start)
        end = len(chunk) if end < 0 else end
        if ahead is not None and ahead[0] == start:
            yield start, end, ahead[2]
            ahead = next(found, None)
        elif end > start:
            yield start, end, ()
        start = end + 1


def _asked(steps: Sequence[_Step], rules: Sequence[PatternRule]) -> frozenset[str] | None:
    """Return the fields that are asked of lines of these steps; None if it may be any: by a test, or for what is shared."""
    names: set[str] = set()
    for step in steps:
        detects = rules[step.pattern].detects
        if step.holds is not None or step.means is not None or not detects.by:
            return None
        names.update(detects.by, (detects.distinct,) if isinstance(detects, DistinctRule) else ())
    return frozenset(names)


def _text(line: bytes) -> str:
    return line.decode("utf-8", "replace")


def _test(where: Mapping[str, object] | None) -> Test | None:
    return compiled(where) if where else None


def _meaning(sigma: Mapping[str, Any] | None) -> Callable[[LogRecord], bool] | None:
    if sigma is None:
        return None
    from zen_agents.logs.sigma.rules import rules_of  # noqa: PLC0415 - only where there is such a rule

    return rules_of([sigma])[0].means


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
