"""No line for so long, for each key apart: a heartbeat that stopped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from zen_agents.dataclass import dataclass
from zen_agents.logs.detection.found import Change, Detection
from zen_agents.logs.keys import Key, KeyTable, key_of
from zen_agents.logs.memory import checked_count, checked_key, checked_number, checked_rows

#: More lines than this speak for a key no louder.
_LOUDEST = 1000


@dataclass(frozen=True, slots=True)
class AbsenceRule:
    """No line for `for_seconds`. With `by`, a key is expected from its first line on; without, from the start."""

    for_seconds: float
    by: Sequence[str] = ()

    def __post_init__(self) -> None:
        if not self.for_seconds > 0:
            raise ValueError("for_seconds must be above 0")


class _Heard:
    __slots__ = ("last", "lines", "raised")

    def __init__(self, last: float, lines: int = 1, raised: bool = False) -> None:
        self.last, self.lines, self.raised = last, lines, raised


class Absence:
    """Notices when lines stop coming. Never raised sooner than `for_seconds` after the last line of that key.

    A key that was heard often keeps its place against any number of keys that were heard once; `forgotten` counts
    those whose silence would no longer be noticed.
    """

    def __init__(self, rule: AbsenceRule, started_at: float) -> None:
        self._rule = rule
        self._keys: KeyTable[_Heard] = KeyTable()
        #: The latest time that was heard of.
        self._now = started_at
        #: How many lines were heard of nobody because they lack a field of the key.
        self.without_key = 0
        if not rule.by:
            self._keys.keep((), _Heard(started_at, lines=0), 1)

    @property
    def forgotten(self) -> int:
        """How many keys lost their place to others."""
        return self._keys.forgotten

    @property
    def raised(self) -> Mapping[Key, float]:
        """The keys that are silent, with when each was heard last."""
        return {key: heard.last for key, heard in self._keys.items() if heard.raised}

    def hit(self, fields: Mapping[str, str], at: float) -> list[Detection]:
        """Hear a line; return what that changed: in a scan, a silence is noticed by the line that ends it."""
        self._now = at
        key = key_of(fields, self._rule.by)
        if key is None:
            self.without_key += 1
            return []
        heard = self._keys.get(key)
        changed: list[Detection] = []
        if heard is None:
            heard = _Heard(at)
        else:
            if not heard.raised and at - heard.last > self._rule.for_seconds:
                changed.append(self._raise(key, heard))
            if heard.raised:
                heard.raised = False
                changed.append(Detection(Change.CLEARED, key, at, heard.last, 0))
            self._hear(heard, at)
        if (lost := self._keys.keep(key, heard, min(heard.lines, _LOUDEST))) is not None and lost[1].raised:
            changed.append(Detection(Change.FORGOTTEN, lost[0], at, lost[1].last, 0))
        return changed

    def advance(self, now: float) -> list[Detection]:
        """Let time pass where a log is followed, and at the end of a scan; return which keys are silent now."""
        self._now = now
        return [
            self._raise(key, heard)
            for key, heard in self._keys.items()
            if not heard.raised and now - heard.last > self._rule.for_seconds
        ]

    def _hear(self, heard: _Heard, at: float) -> None:
        heard.lines += 1
        # A line of a little earlier is late; one of long before tells that the time before it was wrong.
        if at > heard.last or heard.last - at > self._rule.for_seconds:
            heard.last = at

    def _raise(self, key: Key, heard: _Heard) -> Detection:
        heard.raised = True
        return Detection(Change.RAISED, key, heard.last + self._rule.for_seconds, heard.last, 0)

    def saved(self) -> dict[str, Any]:
        """Return everything that is remembered, for JSON."""
        rows = [[list(key), heard.last, heard.lines, heard.raised] for key, heard in self._keys.ascending()]
        return {"keys": rows, "forgotten": self.forgotten, "now": self._now}

    @classmethod
    def restored(cls, rule: AbsenceRule, started_at: float, saved: Mapping[str, Any]) -> Absence:
        """Return what was saved, under a rule that may have changed since. What it cannot be is left out.

        The time from then until `started_at`, in which nobody listened, was no silence; that before it still is.
        """
        made = cls(rule, started_at)
        now = checked_number(saved.get("now"))
        unheard = 0.0 if now is None else max(0.0, started_at - now)
        for row in checked_rows(saved.get("keys"), width=4):
            key, last, lines = checked_key(row[0], len(rule.by)), checked_number(row[1]), checked_count(row[2])
            if key is not None and last is not None:
                heard = _Heard(last + unheard, lines, row[3] is True)
                made._keys.keep(key, heard, min(max(1, heard.lines), _LOUDEST))
        made._keys.forgotten = checked_count(saved.get("forgotten"))
        return made
