"""What the new lines of a log say: the patterns that are looked for in it, and how far behind it is read.

What was read and what came of it are remembered together, so that a restart loses no line and counts none twice.
"""

from __future__ import annotations

import glob
from collections.abc import Mapping, Sequence
from datetime import tzinfo
from typing import TYPE_CHECKING, Any

from zen_agents.checks.base import Check
from zen_agents.checks.log_glances import Glances
from zen_agents.checks.log_pattern_observations import PatternObservations, pattern_name
from zen_agents.checks.log_reading import LogReading
from zen_agents.clock import Instant
from zen_agents.errors import HostError
from zen_agents.logs.formats.base import Format
from zen_agents.logs.watching.rule import PatternRule
from zen_agents.logs.watching.source import SourceWatch
from zen_agents.model.observation import Observation, Status
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
#: which nothing came: a restart reads those again, and they count as if they had not been.
_REMEMBER_EVERY, _REMEMBER_LINES_EVERY = 60.0, 15.0
#: While something is found, a log that goes on being written to is looked at so often (seconds): what it says may be over.
_LOOK_AGAIN = 1.0
#: So many files of one source wake it; the others are looked at by its rhythm.
_MOST_WATCHED = 256
#: A log of which nothing is new, and nothing waits for its time, is looked at so often where each write to it is told.
_AT_REST_EVERY = 60.0
#: So many changes of files are named.
_MOST_TOLD = 3
#: What was left out is said for so long (seconds): with one look it would be over before anybody is told.
_SAID_FOR = 300.0
_TROUBLE = frozenset({LogChange.LOST, LogChange.SKIPPED, LogChange.UNREADABLE})


def source_name(source: str) -> str:
    """Return the name of the observation about a source itself."""
    return f"log_source.{source}"


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
        self._patterns = PatternObservations(self.target, self._rules)
        self._glances = Glances()
        #: What the last glance has found besides lines that tell nothing new; nothing is read then before a look tells it.
        self._glanced: Sequence[LogPiece] = ()
        self._told_at = float("-inf")
        #: What the next look goes on from; then what of that is about the patterns, until they are made.
        self._recalled: Mapping[str, Any] | None = None
        self._saved: Mapping[str, Any] = {}
        self._watch: SourceWatch | None = None
        self._memory: Mapping[str, Any] | None = None
        self._remembered_at = float("-inf")
        #: What was left out last, and until when that is said (steady seconds).
        self._left_out, self._said_until = "", float("-inf")
        self._watches: tuple[Watch, ...] = ()
        self._rests = False
        #: The checkpoint whose files these are.
        self._watched: Checkpoint | None = None

    @property
    def observes(self) -> tuple[str, ...]:
        return self._names

    def observe(self, host: HostView, now: Instant) -> Sequence[Observation]:
        """Read what is new, as much as one look may, and say how everything stands."""
        with self._glances.looking:
            return self.look(host, now)

    def glance(self, host: HostView, now: Instant) -> bool:
        """Read what is new between two looks; True if that is news, or if only a look can tell."""
        return self._glances.ask(lambda: self._is_news(host, now))

    def glanced_seconds(self) -> float:
        return self._glances.taken_seconds()

    def _is_news(self, host: HostView, now: Instant) -> bool:
        if self._watch is None or self._recalled is not None:
            return True
        if self._glanced or (self._catch_up is not None and self._catch_up.is_under_way):
            return False  # a look is asked for already; or a worker reads
        pieces = self._read(host, self._watch, now.wall.timestamp())
        if self._watch.is_stirred or any(piece.events or piece.behind or piece.dropped for piece in pieces):
            self._glanced = [piece._replace(chunks=()) for piece in pieces]
            return True
        if self._rests and self._is_due(now):
            return True
        return self._patterns.is_raised and now.steady - self._told_at >= _LOOK_AGAIN

    def look(self, host: HostView, now: Instant) -> Sequence[Observation]:
        """Observe, while no glance changes what is found."""
        self._recall()
        at = now.wall.timestamp()
        before = self._reading.checkpoint
        glanced, self._glanced, self._told_at = self._glanced, (), now.steady
        caught = self._caught(host, now)
        watch = self._watch = self._watch or SourceWatch(
            self._rules, self._form, self._zone, at, self._saved, multiline=self._multiline
        )
        try:
            read = [caught.piece] if caught is not None else self._read(host, watch, at)
        except HostError as error:
            self._glanced = glanced
            return self.unknown(now, str(error))
        pieces = [*glanced, *read]
        watch.advance(at)
        observed = self._patterns.of(watch, now)
        checkpoint = self._reading.checkpoint
        # What came of a look must not be told again after a restart. That others did the same as whom it is told of already
        # is found again: while thousands of them come, not all that is remembered is written with each.
        if watch.has_news or any(piece.events for piece in pieces) or self._is_due(now):
            self._memory = {"checkpoint": checkpoint, "patterns": watch.saved()}
            self._remembered_at = now.steady
        if self._catch_up is not None and pieces[-1].behind > FAR_BEHIND and (caught is None or caught.saved is not None):
            self._catch_up.begin(
                host, self._reading.request, checkpoint, watch.saved(), behind=pieces[-1].behind, at=at, steady=now.steady
            )
        # Where there was nothing new, its file is there.
        is_gone = checkpoint is not before and self._is_gone(host)
        self._rests = not (is_gone or glanced or watch.is_waiting or caught) and self._is_idle(pieces[-1], before)
        return (self._source(pieces, now, is_gone=is_gone, read_by=caught.said if caught is not None else ""), *observed)

    def watches(self) -> Sequence[Watch]:
        """Return its files: each is awaited where it is not there yet, and followed where it is."""
        if self._reading.checkpoint is self._watched:
            return self._watches
        self._watched = self._reading.checkpoint
        files = (self._watched or {}).get("files")
        paths = tuple(files)[:_MOST_WATCHED] if isinstance(files, Mapping) else ()
        # Whoever makes another file of a pattern wakes it as well.
        pattern = Watch("log", self._reading.request.path)
        others = (pattern,) if glob.has_magic(pattern.name) else ()
        if (*paths, *(watch.name for watch in others)) != tuple(watch.name for watch in self._watches):
            self._watches = (*(Watch("log", path, glance=self.glance) for path in paths), *others)
        return self._watches

    @property
    def rest_seconds(self) -> float:
        """Return a minute where the last look found nothing new, all files are watched, and only lines change that."""
        return _AT_REST_EVERY if self._rests else 0.0

    def memory(self) -> Mapping[str, Any] | None:
        """Return where reading goes on, and what the patterns have found so far."""
        return self._memory

    def recall(self, memory: Mapping[str, Any]) -> None:
        """Go on from there."""
        # At the next look: the lock may be held by a glance that hangs, and nobody waits for that in the loop.
        self._recalled, self._memory = memory, None

    def _recall(self) -> None:
        memory, self._recalled = self._recalled, None
        if memory is None:
            return
        self._reading.recall(memory)
        self._saved = patterns if isinstance(patterns := memory.get("patterns"), dict) else {}
        self._watch, self._glanced, self._remembered_at = None, (), float("-inf")
        self._patterns.forget()

    def _is_due(self, now: Instant) -> bool:
        """Tell whether it is time to remember how far this is."""
        kept = None if self._memory is None else self._memory["checkpoint"]
        is_further = kept is not self._reading.checkpoint and kept != self._reading.checkpoint
        return now.steady - self._remembered_at >= (_REMEMBER_LINES_EVERY if is_further else _REMEMBER_EVERY)

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
        said = [*([f"{size_in_words(behind)} are not read yet"] if behind else []), *filter(None, [read_by])]
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

    def _is_idle(self, piece: LogPiece, before: Checkpoint | None) -> bool:
        """Tell whether nothing is said of the source, and the last look came to where the one before did."""
        files, path = piece.checkpoint.get("files"), self._reading.request.path
        if self._left_out or piece.events or piece.behind or not isinstance(files, Mapping) or len(files) > _MOST_WATCHED:
            return False
        return piece.checkpoint == before and not glob.has_magic(path.rpartition("/")[0])

    def _take_note(self, events: Sequence[LogEvent], now: Instant) -> None:
        if now.steady >= self._said_until:
            self._left_out = ""
        for event in events:
            if event.change is LogChange.SKIPPED:
                self._left_out, self._said_until = _in_words(event), now.steady + _SAID_FOR

    def _is_gone(self, host: HostView) -> bool:
        path = self._reading.request.path
        return bool(path) and not set(path) & set("*?[") and host.file(path) is None


def _catch_up(
    name: str, written: tuple[str, str, bool] | None, zone: tzinfo | None, rules: Sequence[PatternRule], *, multiline: bool
) -> LogCatchUp | None:
    if written is None:
        return None
    from zen_agents.checks.log_catch_up import LogCatchUp, Written  # noqa: PLC0415 - only sources that a worker can read

    return LogCatchUp(name, Written(*written), zone, rules, multiline=multiline)


def _in_words(event: LogEvent) -> str:
    return f"{event.path} {event.change}{f': {event.detail}' if event.detail else ''}"
