"""What the lines of a log say as a whole: studies of them, each with a rhythm and a place in the log of its own.

A study is remembered together with how far it has read. What came after that is read again after a restart, so that it may
be written seldom and still loses no line and counts none twice.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from zen_agents.checks.base import Check
from zen_agents.checks.log_reading import LogReading
from zen_agents.clock import Instant
from zen_agents.errors import HostError
from zen_agents.logs.watching.told import Told
from zen_agents.model.observation import Observation, Status
from zen_agents.model.units import size_in_words
from zen_agents.ports.host import HostView
from zen_agents.ports.host_logs import LogRequest

if TYPE_CHECKING:
    from zen_agents.logs.watching.folding import RecordFolding

#: So often one look reads on while there is more: 16 MiB, which takes seconds where each line is taken apart. A look that
#: takes longer than the timeout is thrown away and would begin again for ever.
_MOST_PIECES = 4
_TIMEOUT_SECONDS = 30.0
#: What is remembered is written no more often than this (seconds): it may be a megabyte.
_REMEMBER_EVERY = 300.0


class Study(Protocol):
    """Takes the lines of one log. Times are seconds since the epoch."""

    def feed(self, lines: bytes, now: float) -> None:
        """Take whole lines that were read now; where lines belong together, each record as one (`logs.watching.folding`)."""
        ...

    def told(self, now: float, *, is_behind: bool) -> Sequence[Told]:
        """Let time pass and return what there is to tell, one for each name that the check observes."""
        ...

    def saved(self) -> Mapping[str, Any]:
        """Return everything that is remembered, for JSON."""
        ...


class LogStudyCheck(Check):
    """Feeds a study with a log, and observes what it tells."""

    def __init__(
        self, label: str, names: Sequence[str], request: LogRequest, every_seconds: float, *, multiline: bool = False
    ) -> None:
        """With `multiline`, lines that belong together are one record."""
        super().__init__(
            name=f"{self.kind}.{label}",
            target=f"source:{label}",
            every_seconds=every_seconds,
            timeout_seconds=_TIMEOUT_SECONDS,
        )
        self._names, self._reading = tuple(names), LogReading(request)
        #: What an earlier engine remembered of the study, until the first look goes on from it.
        self._saved: Mapping[str, Any] = {}
        self._study: Study | None = None
        self._multiline = multiline
        #: What makes lines of records, once there are some; and what it held.
        self._folding: RecordFolding | None = None
        self._held: Any = None
        self._memory: Mapping[str, Any] | None = None
        self._remembered_at = float("-inf")

    @property
    def observes(self) -> tuple[str, ...]:
        return self._names

    @abstractmethod
    def begin(self, now: float, saved: Mapping[str, Any]) -> Study:
        """Return the study as it goes on from what it saved; {} for the first time."""

    def observe(self, host: HostView, now: Instant) -> Sequence[Observation]:
        """Read what is new, as much as one look may, and tell what the study makes of it."""
        at = now.wall.timestamp()
        study = self._study = self._study or self.begin(at, self._saved)
        try:
            pieces = self._reading.read(host, lambda lines, path: study.feed(self._folded(lines, path), at), _MOST_PIECES)
        except HostError as error:
            return self.unknown(now, str(error))
        if self._folding is not None and (whole := self._folding.whole()):
            study.feed(whole, at)
        told = study.told(at, is_behind=bool(pieces[-1].behind))
        if now.steady - self._remembered_at >= _REMEMBER_EVERY:
            held = self._held if self._folding is None else self._folding.saved()
            self._memory = {"checkpoint": self._reading.checkpoint, "study": study.saved(), "held": held}
            self._remembered_at = now.steady
        behind, skipped = pieces[-1].behind, sum(piece.skipped for piece in pieces)
        less = f"; {size_in_words(behind)} are not read yet" if behind else ""
        less += f"; {size_in_words(skipped)} were left out, but for samples" if skipped else ""
        return tuple(self._observation(name, each, less, now) for name, each in zip(self._names, told, strict=True))

    def memory(self) -> Mapping[str, Any] | None:
        """Return what the study had found at some place of the log, at most five minutes ago, and that place."""
        return self._memory

    def recall(self, memory: Mapping[str, Any]) -> None:
        """Go on from there."""
        self._reading.recall(memory)
        saved = memory.get("study")
        self._saved, self._study = saved if isinstance(saved, dict) else {}, None
        self._folding, self._held = None, memory.get("held")
        self._memory, self._remembered_at = None, float("-inf")

    def _folded(self, lines: bytes, path: str) -> bytes:
        if not self._multiline:
            return lines
        if self._folding is None:
            from zen_agents.logs.watching.folding import RecordFolding  # noqa: PLC0415 - only where lines come

            self._folding = RecordFolding(self._held)
        return self._folding.fold(lines, path)

    def _observation(self, name: str, told: Told, less: str, now: Instant) -> Observation:
        status = Status.PROBLEM if told.is_raised else Status.OK
        return Observation(name, self.target, status, now, told.value, f"{told.detail}{less}", facts=told.facts)
