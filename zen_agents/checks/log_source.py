"""What the new lines of a log say: the patterns that are looked for in it, and how far behind it is read.

What was read and what came of it are remembered together, so that a restart loses no line and counts none twice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import tzinfo
from functools import partial
from itertools import repeat
from typing import TYPE_CHECKING, Any

from zen_agents.checks.base import Check
from zen_agents.checks.log_reading import LogReading
from zen_agents.clock import Instant
from zen_agents.errors import HostError
from zen_agents.logs.formats.base import Format
from zen_agents.logs.watching.pattern import Seen
from zen_agents.logs.watching.rule import PatternRule
from zen_agents.logs.watching.source import SourceWatch
from zen_agents.model.observation import Observation, Status, facts_of_lines
from zen_agents.model.units import size_in_words
from zen_agents.ports.events import Watch
from zen_agents.ports.host import HostView
from zen_agents.ports.host_logs import Checkpoint, LogChange, LogEvent, LogPiece, LogRequest

if TYPE_CHECKING:
    from zen_agents.checks.log_catch_up import Caught, LogCatchUp

#: So many bytes behind, a worker is worth its start; less is read in a few looks.
FAR_BEHIND = 64 << 20
#: So often one look reads on while there is more: 16 MiB.
_MOST_PIECES = 4
#: A look at that much may take so long (seconds), where every line of it has to be read.
_TIMEOUT_SECONDS = 30.0
#: What is remembered is written no more often than this (seconds) where only time passes, and where lines were counted of
#: which nothing came: those are read again after a restart, and counted as if they had not been.
_REMEMBER_EVERY, _REMEMBER_LINES_EVERY = 60.0, 1.0
#: So many files of one source wake it; the others are looked at by its rhythm.
_MOST_WATCHED = 64
#: So many changes of files are named.
_MOST_TOLD = 3
#: What was left out is said for so long (seconds): with one look it would be over before anybody is told.
_SAID_FOR = 300.0
_TROUBLE = frozenset({LogChange.LOST, LogChange.SKIPPED, LogChange.UNREADABLE})


def source_name(source: str) -> str:
    """Return the name of the observation about a source itself."""
    return f"log_source.{source}"


def pattern_name(pattern: str) -> str:
    """Return the name of the observation about a pattern."""
    return f"pattern.{pattern}"


class LogSourceCheck(Check):
    """Observes `log_source.NAME`, bytes that are not read yet, and `pattern.NAME`, lines that counted, of each pattern.

    PROBLEM for a source that is not there, of which lines were lost or refused since the last look, or left out in the last
    five minutes; for a pattern that is found. Of a source that cannot be read nothing is known.
    """

    kind = "log_source"
    summary = "What do the new lines of this log say?"

    def __init__(
        self, label: str, *, request: LogRequest, form: Format, zone: tzinfo | None, rules: Sequence[PatternRule],
        every_seconds: float, multiline: bool = False, written: tuple[str, str, bool] | None = None,
    ) -> None:  # fmt: skip
        """With `written`, which says what `form` is, a worker reads on where the source is far behind."""
        super().__init__(
            name=source_name(label), target=f"source:{label}", every_seconds=every_seconds, timeout_seconds=_TIMEOUT_SECONDS
        )
        self._reading = LogReading(request)
        self._form, self._zone, self._rules, self._multiline = form, zone, tuple(rules), multiline
        self._catch_up = _catch_up(self.name, written, zone, self._rules, multiline=multiline)
        self._names = (self.name, *(pattern_name(rule.name) for rule in rules))
        #: What was observed of each pattern at the last look.
        self._last: Sequence[Observation] = ()
        #: What an earlier engine remembered of the patterns, until the first look goes on from it.
        self._saved: Mapping[str, Any] = {}
        self._watch: SourceWatch | None = None
        self._memory: Mapping[str, Any] | None = None
        self._remembered_at = float("-inf")
        #: What was left out last, and until when that is said (steady seconds).
        self._left_out, self._said_until = "", float("-inf")
        self._watches: tuple[Watch, ...] = ()
        #: The checkpoint whose files these are.
        self._watched: Checkpoint | None = None

    @property
    def observes(self) -> tuple[str, ...]:
        return self._names

    def observe(self, host: HostView, now: Instant) -> Sequence[Observation]:
        """Read what is new, as much as one look may, and say how everything stands."""
        at = now.wall.timestamp()
        before = self._reading.checkpoint
        caught = self._caught(host, now)
        watch = self._watch = self._watch or self._new_watch(at)
        try:
            pieces: Sequence[LogPiece] = [caught.piece] if caught is not None else self._read(host, watch, at)
        except HostError as error:
            return self.unknown(now, str(error))
        changed = watch.advance(at)
        observed = self._observed(watch, now)
        checkpoint = self._reading.checkpoint
        # What came of a look must not be told again after a restart.
        is_news = changed or watch.has_news or any(piece.events for piece in pieces)
        if is_news or self._is_due(now):
            self._memory = {"checkpoint": checkpoint, "patterns": watch.saved()}
            self._remembered_at = now.steady
        if self._catch_up is not None and pieces[-1].behind > FAR_BEHIND and (caught is None or caught.saved is not None):
            self._catch_up.begin(
                host, self._reading.request, checkpoint, watch.saved(), behind=pieces[-1].behind, at=at, steady=now.steady
            )
        said = caught.said if caught is not None else ""
        # Where there was nothing new, its file is there.
        is_gone = checkpoint is not before and self._is_gone(host)
        return (self._source(pieces, now, is_gone=is_gone, read_by=said), *observed)

    def watches(self) -> Sequence[Watch]:
        """Return its files: each is awaited where it is not there yet, and followed where it is."""
        if self._reading.checkpoint is self._watched:
            return self._watches
        self._watched = self._reading.checkpoint
        files = (self._watched or {}).get("files")
        paths = tuple(files)[:_MOST_WATCHED] if isinstance(files, Mapping) else ()
        if paths != tuple(watch.name for watch in self._watches):
            self._watches = tuple(Watch("log", path) for path in paths)
        return self._watches

    def memory(self) -> Mapping[str, Any] | None:
        """Return where reading goes on, and what the patterns have found so far."""
        return self._memory

    def recall(self, memory: Mapping[str, Any]) -> None:
        """Go on from there."""
        self._reading.recall(memory)
        patterns = memory.get("patterns")
        self._saved = patterns if isinstance(patterns, dict) else {}
        self._watch = None
        self._last = ()
        self._memory, self._remembered_at = None, float("-inf")

    def _is_due(self, now: Instant) -> bool:
        """Tell whether it is time to remember how far this is."""
        kept = None if self._memory is None else self._memory["checkpoint"]
        is_further = kept is not self._reading.checkpoint and kept != self._reading.checkpoint
        return now.steady - self._remembered_at >= (_REMEMBER_LINES_EVERY if is_further else _REMEMBER_EVERY)

    def _new_watch(self, at: float) -> SourceWatch:
        return SourceWatch(self._rules, self._form, self._zone, at, self._saved, multiline=self._multiline)

    def _read(self, host: HostView, watch: SourceWatch, at: float) -> Sequence[LogPiece]:
        return self._reading.read(host, lambda lines, path: watch.feed(lines, path, at), _MOST_PIECES)

    def _caught(self, host: HostView, now: Instant) -> Caught | None:
        """Return how far the worker is, if one reads on; once it is through, go on from where it stopped."""
        if self._catch_up is None:
            return None
        caught = self._catch_up.look(host, self._reading.checkpoint, now.steady)
        if caught is not None and caught.saved is not None:
            self._reading.checkpoint = caught.piece.checkpoint
            self._saved, self._watch = caught.saved, None
        return caught

    def _source(self, pieces: Sequence[LogPiece], now: Instant, *, is_gone: bool, read_by: str) -> Observation:
        behind = float(pieces[-1].behind)
        events = [event for piece in pieces for event in piece.events]
        self._take_note(events, now)
        said = [f"{size_in_words(behind)} are not read yet"] if behind else []
        said += [read_by] if read_by else []
        if dropped := sum(piece.dropped for piece in pieces):
            said.append(f"{size_in_words(dropped)} of lines that are too long were left out")
        told = dict.fromkeys([*filter(None, [self._left_out]), *map(_in_words, events)])
        said += [*told][:_MOST_TOLD]
        is_bad = bool(self._left_out) or any(event.change in _TROUBLE for event in events)
        if is_gone:
            is_bad, said = True, [f"{self._reading.request.path} is not there", *said]
        return Observation(
            self.name,
            self.target,
            Status.PROBLEM if is_bad else Status.OK,
            now,
            behind,
            "; ".join(said) or "all of it is read",
        )

    def _take_note(self, events: Sequence[LogEvent], now: Instant) -> None:
        if now.steady >= self._said_until:
            self._left_out = ""
        for event in events:
            if event.change is LogChange.SKIPPED:
                self._left_out, self._said_until = _in_words(event), now.steady + _SAID_FOR

    def _is_gone(self, host: HostView) -> bool:
        path = self._reading.request.path
        return bool(path) and not set(path) & set("*?[") and host.file(path) is None

    def _observed(self, watch: SourceWatch, now: Instant) -> Sequence[Observation]:
        """Return what is observed of each pattern: of hundreds, few stand otherwise than at the last look."""
        seen = watch.seen()
        last = _as_of(now, self._last) or [self._pattern(rule, seen[rule.name], now) for rule in self._rules]
        for number in watch.renewed:
            rule = self._rules[number]
            last[number] = self._pattern(rule, seen[rule.name], now)
        self._last = last
        return last

    def _pattern(self, rule: PatternRule, seen: Seen, now: Instant) -> Observation:
        status = Status.PROBLEM if seen.is_raised else Status.OK
        facts = facts_of_lines(seen.last, seen.written, seen.shared) if seen.is_raised else {}
        return Observation(pattern_name(rule.name), self.target, status, now, float(seen.lines), _said(seen), facts=facts)


def _catch_up(
    name: str, written: tuple[str, str, bool] | None, zone: tzinfo | None, rules: Sequence[PatternRule], *, multiline: bool
) -> LogCatchUp | None:
    if written is None:
        return None
    from zen_agents.checks.log_catch_up import LogCatchUp, Written  # noqa: PLC0415 - only sources that a worker can read

    return LogCatchUp(name, Written(*written), zone, rules, multiline=multiline)


def _in_words(event: LogEvent) -> str:
    return f"{event.path} {event.change}{f': {event.detail}' if event.detail else ''}"


def _as_of(now: Instant, observations: Sequence[Observation]) -> list[Observation]:
    """Return observations that still hold. There may be hundreds at each look, and so this is left to C."""
    if not observations:
        return []
    names, targets, statuses, _, *rest = zip(*observations, strict=True)
    anew = zip(names, targets, statuses, repeat(now), *rest, strict=False)
    return list(map(partial(tuple.__new__, Observation), anew))


def _said(seen: Seen) -> str:
    """Return in one sentence whose lines, how many, and the last of them."""
    if not seen.is_raised:
        return f"{seen.lines} lines so far" if seen.lines else "no line so far"
    whose = "; ".join(", ".join(key) for key in seen.keys if key)
    more = f" and {seen.raised - len(seen.keys)} more" if seen.raised > len(seen.keys) else ""
    last = f"last line: {seen.last[-1]}" if seen.last else "no line came"
    return f"{whose}{more}: {last}" if whose else last
