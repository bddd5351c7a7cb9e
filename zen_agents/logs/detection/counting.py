"""So many lines within so long, for each key apart, with hysteresis."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right, insort
from collections.abc import Mapping, Sequence
from typing import Any, Final

from zen_agents.dataclass import dataclass
from zen_agents.logs.detection.found import Change, Detection
from zen_agents.logs.keys import MOST_KEYS, Key, KeyTable, key_of
from zen_agents.logs.memory import checked_count, checked_key, checked_number, checked_rows, checked_times

#: No rule counts further than this.
MOST_COUNT = 10_000
#: Of one rule, no more times are kept than this (8 bytes each): the more lines a rule counts, the fewer keys it keeps.
MOST_TIMES = 200_000
#: Times out of order are kept up to so many times the count, so that a few that are far off push out none that count.
_ROOM: Final = 2


@dataclass(frozen=True, slots=True)
class CountRule:
    """`count` lines within `within_seconds`, the first and the last no further apart than that, for each key of `by`."""

    count: int
    within_seconds: float
    #: The fields that make the key; without one, all lines count together.
    by: Sequence[str] = ()
    #: What was raised is cleared once fewer lines than this are within the window; by default, fewer than `count`.
    clear_below: int | None = None

    def __post_init__(self) -> None:
        check_levels(self.count, range(1, MOST_COUNT + 1), self.within_seconds, self.clear_below)

    @property
    def most_keys(self) -> int:
        """How many keys are told apart at once; a new one then costs the least useful its place."""
        return max(1, min(MOST_KEYS, MOST_TIMES // (_ROOM * self.count)))


def check_levels(count: int, counts: range, within_seconds: float, clear_below: int | None) -> None:
    """Raise ValueError where what is counted could never be raised, or never be over."""
    if count not in counts:
        raise ValueError(f"count must be from {counts[0]} to {counts[-1]}")
    if not within_seconds > 0:
        raise ValueError("within_seconds must be above 0")
    if clear_below is not None and not 1 <= clear_below <= count:
        raise ValueError("clear_below must be from 1 to count")


class _Lines:
    """The times of the lines of one key, in their order."""

    __slots__ = ("since", "times")

    def __init__(self) -> None:
        self.times = array("d")
        #: When what is raised began; None if it is not.
        self.since: float | None = None

    def raised(self) -> Sequence[float]:
        """Return since when it is raised, nothing if it is not: of most keys nothing is to be saved then."""
        return () if self.since is None else (self.since,)


class Counting:
    """Counts the lines of one rule. Never raised before there are `count` lines of that key within the window."""

    def __init__(self, rule: CountRule) -> None:
        self._rule = rule
        self._clear_below = rule.count if rule.clear_below is None else rule.clear_below
        self._keys: KeyTable[_Lines] = KeyTable(rule.most_keys)
        self._raised: dict[Key, _Lines] = {}
        #: How many lines the fullest window of any key had lately, and in the time of the rule before; since when is lately.
        self._fullest, self._fullest_before, self._lately_since = 0, 0, float("-inf")
        #: How many lines were counted for nobody because they lack a field of the key.
        self.without_key = 0

    @property
    def forgotten(self) -> int:
        """How many keys lost their place to others."""
        return self._keys.forgotten

    @property
    def raised(self) -> Mapping[Key, float]:
        """The keys that are raised, with when that which raised them began."""
        if not self._raised:
            return {}
        return {key: since for key, lines in self._raised.items() if (since := lines.since) is not None}

    def latest(self, key: Key) -> float:
        """Return when the last line of a key that is raised was."""
        return self._raised[key].times[-1]

    def room(self, now: float) -> int:
        """Return how many more lines of one time make no difference before this many have come; at least 1.

        A line that is late by more than the rule's time may make one sooner.
        """
        if not 0 <= now - self._lately_since < self._rule.within_seconds:
            self._fullest, self._fullest_before, self._lately_since = 0, self._fullest, now
        return 1 if self._raised else max(1, self._rule.count - max(self._fullest, self._fullest_before))

    def hit(self, fields: Mapping[str, str], at: float) -> list[Detection]:
        """Count a line; return what that changed. Lines may come out of order."""
        key = key_of(fields, self._rule.by)
        if key is None:
            self.without_key += 1
            return []
        return self.count(key, at)

    def count(self, key: Key, at: float) -> list[Detection]:
        """Count a line of a key; see `hit`."""
        lines = self._keys.get(key) or _Lines()
        level = self._added(lines.times, at)
        self._fullest = max(self._fullest, level)
        changed: list[Detection] = []
        if lines.since is not None and level < self._clear_below:
            changed.append(self._cleared(key, lines, at, level))
        elif lines.since is None and level >= self._rule.count:
            changed.append(self._raise(key, lines, at, level))
        if (lost := self._keys.keep(key, lines, level)) is not None and lost[0] in self._raised:
            changed.append(self._lost(*lost, at))
        return changed

    def advance(self, now: float) -> list[Detection]:
        """Let time pass where a log is followed; return which keys were cleared by that."""
        oldest, changed = now - self._rule.within_seconds, []
        for key, lines in list(self._raised.items()):
            level = len(lines.times) - bisect_left(lines.times, oldest)
            if level < self._clear_below:
                changed.append(self._cleared(key, lines, now, level))
        return changed

    def _added(self, times: array[float], at: float) -> int:
        """Put a time among the others; return the most lines in any window of the rule that it is in."""
        if not times or at >= times[-1]:
            times.append(at)
            level = len(times) - bisect_left(times, at - self._rule.within_seconds)
        else:
            insort(times, at)
            level = self._most_around(times, at)
        if len(times) > _ROOM * self._rule.count:
            # What is furthest from now is the least likely to be in a window with what comes.
            times.pop(0 if at - times[0] >= times[-1] - at else -1)
        return level

    def _most_around(self, times: array[float], at: float) -> int:
        within = self._rule.within_seconds
        first, last = bisect_left(times, at - within), bisect_right(times, at)
        return max(bisect_right(times, times[start] + within) - start for start in range(first, last))

    def _raise(self, key: Key, lines: _Lines, at: float, level: int) -> Detection:
        first = bisect_left(lines.times, at - self._rule.within_seconds)
        lines.since = since = lines.times[first]
        self._raised[key] = lines
        return Detection(Change.RAISED, key, at, since, level)

    def _cleared(self, key: Key, lines: _Lines, at: float, level: int) -> Detection:
        since, lines.since = lines.since or 0.0, None
        del self._raised[key]
        return Detection(Change.CLEARED, key, at, since, level)

    def _lost(self, key: Key, lines: _Lines, at: float) -> Detection:
        del self._raised[key]
        return Detection(Change.FORGOTTEN, key, at, lines.since or 0.0, len(lines.times))

    def saved(self) -> dict[str, Any]:
        """Return everything that is remembered, for JSON."""
        return {
            "keys": [[list(key), lines.times.tolist(), *lines.raised()] for key, lines in self._keys.ascending()],
            "forgotten": self.forgotten,
        }

    @classmethod
    def restored(cls, rule: CountRule, saved: Mapping[str, Any]) -> Counting:
        """Return what was saved, under a rule that may have changed since. What it cannot be is left out."""
        made = cls(rule)
        for named, written, *since in checked_rows(saved.get("keys"), width=2, most=3)[-rule.most_keys :]:
            key = checked_key(named, len(rule.by))
            if key is not None and (times := checked_times(written, _ROOM * rule.count)):
                made._put_back(key, array("d", times), checked_number(*since) if since else None)
        made._keys.forgotten = checked_count(saved.get("forgotten"))
        return made

    def _put_back(self, key: Key, times: array[float], since: float | None) -> None:
        lines = _Lines()
        lines.times, lines.since = times, since
        level = len(times) - bisect_left(times, times[-1] - self._rule.within_seconds)
        self._fullest = max(self._fullest, level)
        self._keys.keep(key, lines, level)
        if since is not None:
            self._raised[key] = lines
