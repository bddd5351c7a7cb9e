"""All patterns of one source, fed with its lines as they come."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import tzinfo
from typing import TYPE_CHECKING, Any

from zen_agents.logs.detection.absence import AbsenceRule
from zen_agents.logs.formats.base import Format, Found
from zen_agents.logs.keys import Key
from zen_agents.logs.record import MESSAGE
from zen_agents.logs.stamps import Stamps
from zen_agents.logs.watching.held_lines import HeldLines
from zen_agents.logs.watching.hit_lines import HitLines, Line
from zen_agents.logs.watching.pattern import Seen, WatchedPattern
from zen_agents.logs.watching.rule import PatternRule
from zen_agents.logs.watching.steps import asked_of, by_groups_of, steps_by_match

if TYPE_CHECKING:
    from zen_agents.logs.watching.records import Counted, OpenRecord, OpenRecords

#: The field with the path of the file that a line stands in, for `where:` and `by:`.
FILE = "file"

#: Under which the records that may go on are saved; no pattern has such a name.
_OPEN = "open records"


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
        #: Those of which it is saved until when nothing was heard.
        self._listening = {number for number, rule in enumerate(rules) if isinstance(rule.detects, AbsenceRule)}
        self._told: dict[str, Seen] = {}
        #: Numbers of the patterns that may have been told otherwise by the last `seen` than by the one before.
        self.renewed: Sequence[int] = ()
        #: Whether for one of them something is so that was not so before, or is so no longer.
        self.has_news = True
        #: Whether lines had something found, or be over, since `seen` was last asked for.
        self.is_stirred = False
        self._saved: dict[str, Any] = {}
        self._multiline = multiline
        #: The last record of each file, once there is one; loaded then.
        self._open: OpenRecords | None = None
        if multiline and saved.get(_OPEN):
            self._records().restore(saved[_OPEN], [rule.name for rule in rules])
        matches = list(dict.fromkeys(step.match for rule in rules for step in rule.steps if step.match))
        #: By the match, None for every line: the steps whose lines these are; the fields that are asked for, None
        #: for all of them; and how its lines are counted where there is little to ask.
        self._steps = steps_by_match(rules, {match: place for place, match in enumerate(matches)})
        self._asked = {match: asked_of(steps, rules) for match, steps in self._steps.items()}
        self._held, self._last_stamps, self._known_since = HeldLines(), Stamps(now, zone), now
        self._hits = HitLines(matches, multiline=multiline, every_line=None in self._steps)
        names = enumerate(self._hits.groups_of)
        self._by_groups = {
            match: None if None in self._steps else by_groups_of(self._steps[match], rules, groups)
            for match, groups in names
        }

    def feed(self, chunk: bytes, path: str, now: float) -> None:
        """Take whole lines of one file that were read now."""
        stamps = self._stamps(now)
        # Entries of the journal are whole, and what they have below their first line is indented.
        if self._multiline and (path.startswith("/") or b"\n " in chunk):
            self._feed_records(chunk, path, stamps)
            return
        self._feed_lines(self._hits.of(chunk)[0], chunk, path, stamps)

    def advance(self, now: float) -> bool:
        """Let time pass; True if that changed something."""
        self._count_held()
        self._waiting = {number for number in self._waiting | self._changed if self._patterns[number].is_waiting}
        moved = {number for number in self._waiting if self._patterns[number].advance(now)}
        self._changed |= moved
        return bool(moved)

    @property
    def is_waiting(self) -> bool:
        """Whether time alone may change how a pattern stands."""
        return bool(self._waiting or self._changed)

    def seen(self) -> Mapping[str, Seen]:
        """Return how each pattern stands, by name; see `WatchedPattern.seen`. Only of those that are `renewed` it is new."""
        self.renewed, self.has_news, self.is_stirred = sorted(self._changed), False, False
        for number in self.renewed:
            pattern = self._patterns[number]
            before, seen = self._told.get(pattern.name), pattern.seen()
            self._told[pattern.name] = seen
            self.has_news = self.has_news or before is None or before.is_raised != seen.is_raised
        self._unsaved |= self._changed
        self._waiting |= {number for number in self._changed if self._patterns[number].is_waiting}
        # What is over already was told once, and is asked once more for how it stands.
        self._changed = {number for number in self._changed if self._is_over(number)}
        return self._told

    def _is_over(self, number: int) -> bool:
        pattern = self._patterns[number]
        return self._told[pattern.name].is_raised and not pattern.is_raised

    def raised(self, name: str) -> Mapping[Key, float]:
        """Return whose a pattern is now, by the values of its `by:`; see `WatchedPattern.raised`."""
        return next(pattern.raised() for pattern in self._patterns if pattern.name == name)

    @property
    def forgotten(self) -> int:
        """How many keys of all patterns lost their place to others."""
        return sum(pattern.forgotten for pattern in self._patterns)

    def saved(self) -> dict[str, Any]:
        """Return everything that is remembered, for JSON."""
        self._count_held()
        for number in self._unsaved | self._changed | self._listening:
            pattern = self._patterns[number]
            self._saved[pattern.name] = pattern.saved()
        self._unsaved.clear()
        saved = dict(self._saved)
        return saved if self._open is None else {**saved, _OPEN: self._open.saved([each.name for each in self._patterns])}

    def _stamps(self, now: float) -> Stamps:
        """Return what reads stamps now: what they say is known from one chunk to the next, for a second."""
        known = self._last_stamps.known if 0 <= now - self._known_since < 1 else {}
        self._known_since = now if not known else self._known_since
        self._last_stamps = stamps = Stamps(now, self._zone, known)
        return stamps

    def _records(self) -> OpenRecords:
        from zen_agents.logs.watching.records import OpenRecords  # noqa: PLC0415 - only where there are such lines

        self._open = self._open or OpenRecords()
        return self._open

    def _feed_records(self, chunk: bytes, path: str, stamps: Stamps) -> None:
        """Take lines of which several may be one record; the last may go on with the next chunk of the file."""
        from zen_agents.logs.watching.records import OpenRecord, cut, joined  # noqa: PLC0415 - as above

        records = self._records()
        before = records.of(path, stamps.now)
        lines, below = self._hits.of(chunk)
        if before is not None and isinstance(before.lines, bytes) and not (below and below[0] == 0):
            before = None  # one line, which nothing but such a line goes on with
        was = before.joiner.text if before is not None else ""
        found = cut(chunk, before.joiner if before is not None else None, below)
        counted: Counted = frozenset()
        if before is not None and found.goes_on:
            counted = self._go_on(before, was, path, stamps)
        if found.spans:
            last = counted if found.last == 0 else frozenset()
        else:
            last = self._feed_lines(lines, chunk, path, stamps, found.last)
        for record in joined(iter(lines), chunk, found.spans) if found.spans else ():
            if found.goes_on and record.start == 0:
                continue
            got = self._take(_text(chunk[record.start : record.end]).rstrip("\n"), record.matched, path, stamps)
            last = got if record.start == found.last else last
        records.keep(path, OpenRecord(found.lines, stamps.now, last))

    def _go_on(self, record: OpenRecord, was: str, path: str, stamps: Stamps) -> Counted:
        """Take what a record has become that was counted as far as it was there."""
        text = record.joiner.text
        matched = self._hits.matched_in(f"{text}\n".encode("utf-8", "replace"))
        shown = {pattern for pattern, _ in record.counted}
        self._changed |= shown
        for number in shown:
            self._patterns[number].amend(was, text)
        return self._take(text, matched, path, stamps, record.counted)

    def _feed_lines(
        self, lines: Iterable[Line], chunk: bytes, path: str, stamps: Stamps, open_at: int = -1
    ) -> Counted:  # fmt: skip
        """Take lines each of which is a record; return for what the one has counted that may go on."""
        counted: Counted = frozenset()
        for start, end, matched in lines:
            line = chunk[start:end]
            if start != open_at and len(matched) == 1 and self._by_groups[matched[0]] is not None:
                if due := self._held.add(matched[0], (line, path, stamps)):
                    self._count_held(due)
                continue
            self._count_held()
            got = self._take(_text(line), dict.fromkeys(matched, line), path, stamps)
            counted = got if start == open_at else counted
        return counted

    def _count_held(self, matches: Iterable[int] | None = None) -> None:
        """Count the lines that are held of these matches, or of all."""
        for match in self._held.matches if matches is None else matches:
            held, by_groups = self._held.take(match), self._by_groups[match]
            if by_groups is None or not held:
                continue
            pattern = self._patterns[by_groups.pattern]
            for line, path, stamps in held:
                text, key = _text(line), by_groups.key(self._hits.groups(match, line))
                if key is None:
                    self._take(text, {match: line}, path, stamps)
                    continue
                at = self._form.time(text, stamps)
                pattern.count(key, stamps.now if at is None else at, text)
            self._changed.add(by_groups.pattern)
            self.is_stirred = self.is_stirred or pattern.is_stirred
            self._held.make_room(match, pattern.room(held[-1][2].now))

    def _take(
        self, text: str, matched: Mapping[int, bytes], path: str, stamps: Stamps, already: Counted = frozenset()
    ) -> Counted:
        """Count a record for the steps whose it is; return these, with those for which it has counted already."""
        found: Found | None = None
        counts: dict[int, tuple[list[int], Mapping[str, str]]] = {}
        for match in (*matched, None):
            if steps := self._steps.get(match):
                known = {FILE: path} if match is None else {FILE: path, **self._hits.fields(match, matched[match])}
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
            self.is_stirred = self.is_stirred or self._patterns[pattern].is_stirred
        return already.union((pattern, number) for pattern, (numbers, _) in counts.items() for number in numbers)

    def _found(self, text: str, stamps: Stamps) -> Found:
        """Return what the first line of a record says; its message goes on with the others."""
        head, _, rest = text.partition("\n")
        at, fields = self._form.find(head, stamps) or (None, {})
        return at, {**fields, MESSAGE: f"{fields[MESSAGE]}\n{rest}"} if rest and MESSAGE in fields else fields


def _text(line: bytes) -> str:
    return line.decode("utf-8", "replace")


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
