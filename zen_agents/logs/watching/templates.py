"""The kinds of lines of one source as they are followed: what is told of them, and for how long."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import tzinfo
from typing import Any, Final

from zen_agents.dataclass import dataclass
from zen_agents.logs.formats.base import Format
from zen_agents.logs.memory import checked_number, checked_rows
from zen_agents.logs.mining.rates import Event, RateChange
from zen_agents.logs.mining.seasons import HOUR
from zen_agents.logs.mining.tree import Template
from zen_agents.logs.mining.watch import TemplateWatch
from zen_agents.logs.record import MESSAGE
from zen_agents.logs.stamps import Stamps
from zen_agents.logs.watching.folding import FOLD
from zen_agents.logs.watching.told import MOST_CHARACTERS, MOST_NAMED, Told
from zen_agents.model.duration import duration

#: For so long (seconds) it is told that a kind of lines is new; and, at most, that one vanished or bursts.
NEW_FOR: Final = 3600.0
CHANGED_FOR: Final = 86400.0
#: So many kinds are told of at once; of more, the first come are forgotten.
_MOST_TOLD: Final = 100
#: Formats whose lines are read whole: who wrote a line is a part of its kind, and nothing has to be taken apart.
_WHOLE: Final = frozenset({"plain", "syslog", "syslog5424"})


@dataclass(frozen=True, slots=True)
class KnownKind:
    """One kind of lines as a study knows it. All texts are untrusted."""

    text: str
    example: str
    lines: int
    #: When its first and last line came (seconds since the epoch).
    first_at: float
    last_at: float
    #: Lines that are usual in the present hour; None while too little is known.
    usual: float | None
    #: `new`, `burst`, `vanished`, or "" where nothing is told of it.
    told: str


class _Raised:
    """Kinds of lines of which something is told, each with when that began and a line to show; bounded."""

    def __init__(self, lasts_seconds: float, saved: Any) -> None:
        self._lasts = lasts_seconds
        self._rows: dict[str, tuple[float, str]] = {}
        for text, at, line in checked_rows(saved, width=3)[-_MOST_TOLD:]:
            began = checked_number(at)
            if isinstance(text, str) and isinstance(line, str) and began is not None:
                self.add(text, began, line)

    def add(self, text: str, at: float, line: str) -> None:
        text = text[:MOST_CHARACTERS]
        self._rows.pop(text, None)
        self._rows[text] = (at, line[:MOST_CHARACTERS])
        if len(self._rows) > _MOST_TOLD:
            del self._rows[next(iter(self._rows))]

    def holds(self, text: str, now: float) -> bool:
        """Tell whether this kind is told of."""
        row = self._rows.get(text[:MOST_CHARACTERS])
        return row is not None and now - row[0] < self._lasts

    def end(self, text: str) -> None:
        self._rows.pop(text[:MOST_CHARACTERS], None)

    def told(self, now: float, name: str, otherwise: str) -> Told:
        self._rows = {text: row for text, row in self._rows.items() if now - row[0] < self._lasts}
        if not self._rows:
            return Told(is_raised=False, value=0.0, detail=otherwise, facts={})
        lines = [line for _, line in self._rows.values()]
        more = f" (and {len(lines) - 1} more)" if len(lines) > 1 else ""
        facts = {f"line {number}": line for number, line in enumerate(lines[-MOST_NAMED:], start=1)}
        return Told(is_raised=True, value=float(len(lines)), detail=f"{name}{more}: {lines[-1]}", facts=facts)

    def saved(self) -> list[list[Any]]:
        return [[text, at, line] for text, (at, line) in self._rows.items()]


class TemplateStudy:
    """Learns what a source says, and tells what is new, what vanished and what bursts; memory is bounded."""

    def __init__(
        self, form: Format, zone: tzinfo | None, learn_seconds: float, now: float, saved: Mapping[str, Any]
    ) -> None:
        """Go on from what `saved` gave; what that cannot be is left out."""
        self._form, self._zone = form, zone
        watch = saved.get("watch")
        self._watch = TemplateWatch.restored(
            watch if isinstance(watch, Mapping) else {}, now, zone, learning_seconds=learn_seconds
        )
        self._new, self._vanished = _Raised(NEW_FOR, saved.get("new")), _Raised(CHANGED_FOR, saved.get("vanished"))
        self._bursts = _Raised(CHANGED_FOR, saved.get("bursts"))
        #: When it was asked last. What was written while nobody listened for long is learned, but it is not of now.
        self._asked_at = checked_number(saved.get("asked_at"))
        self._is_late = self._asked_at is not None and now - self._asked_at > HOUR
        #: What it was still learning from is read again after a restart, and is no more news than before.
        self._learns_on = self._asked_at is not None and self._asked_at < self._watch.tells_from

    def feed(self, lines: bytes, now: float) -> None:
        """Take whole lines that were read now."""
        chunk = lines.replace(FOLD.encode(), b" ") if self._form.name in _WHOLE else self._messages(lines, now)
        new = self._watch.learn(chunk, now)
        for template in () if self._learns_on else new:
            self._new.add(template.text, now, template.example)

    def told(self, now: float, *, is_behind: bool) -> Sequence[Told]:
        """Return what is new, what vanished and what bursts, in this order."""
        for each in self._watch.advance(now, is_late=self._is_late):
            self._note(each.template, each.change)
        self._is_late, self._learns_on = self._is_late and is_behind, self._learns_on and is_behind
        self._asked_at = now
        number = len(self._watch.miner)
        kinds = f"{number} kind{'s' * (number != 1)} of lines so far"
        learns = max(0.0, self._watch.tells_from - now)
        known = f"{kinds}, learning for {duration(learns)} more" if learns else kinds
        return (
            self._new.told(now, "a new kind of line", known),
            self._vanished.told(now, "no longer comes", kinds),
            self._bursts.told(now, "more often than usual", kinds),
        )

    @property
    def tells_from(self) -> float:
        """When it has learned enough to tell of new kinds (seconds since the epoch)."""
        return self._watch.tells_from

    def kinds(self, now: float) -> Sequence[KnownKind]:
        """Return the kinds that it knows, the most frequent first."""
        return [self._known(template, now) for template in self._watch.miner.templates]

    def _known(self, template: Template, now: float) -> KnownKind:
        rate, text = self._watch.rate_of(template), template.text
        usual = rate.usual if rate is not None else None
        raised = {"vanished": self._vanished, "burst": self._bursts, "new": self._new}
        told = next((name for name, rows in raised.items() if rows.holds(text, now)), "")
        return KnownKind(
            text, template.example, template.lines, template.first_at, template.last_at, usual.mean if usual else None, told
        )

    def saved(self) -> dict[str, Any]:
        """Return everything that is remembered, for JSON."""
        return {
            "watch": self._watch.saved(), "asked_at": self._asked_at, "new": self._new.saved(),
            "vanished": self._vanished.saved(), "bursts": self._bursts.saved(),
        }  # fmt: skip

    def _note(self, template: Template, change: RateChange) -> None:
        usual = f"{change.usual.mean:.0f}" if change.usual is not None else "some"
        match change.event:
            case Event.BURST:
                said = f"{change.lines} within this hour, {usual} are usual: {template.example}"
                self._bursts.add(template.text, change.at, said)
            case Event.BURST_OVER:
                self._bursts.end(template.text)
            case Event.VANISHED:
                self._vanished.add(template.text, change.at, f"{usual} an hour are usual: {template.example}")
            case Event.CAME_BACK:
                self._vanished.end(template.text)

    def _messages(self, lines: bytes, now: float) -> bytes:
        """Return what each line says besides when, and who asked: one line each."""
        stamps, said = Stamps(now, self._zone), []
        for line in lines.decode("utf-8", "replace").split("\n"):
            if line:
                head, fold, rest = line.partition(FOLD)
                _, fields = self._form.find(head, stamps) or (None, {})
                said.append(f"{fields.get(MESSAGE, head)}{fold}{rest}".replace(FOLD, " ").replace("\n", " "))
        return "\n".join(said).encode("utf-8", "replace")
