"""So many different values of a field within so long, for each key apart: many accounts tried from one address."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import Any, Final

from zen_agents.dataclass import dataclass
from zen_agents.logs.detection.counting import check_levels
from zen_agents.logs.detection.found import Change, Detection
from zen_agents.logs.keys import MOST_KEYS, Key, KeyTable, key_of
from zen_agents.logs.memory import checked_count, checked_key, checked_number, checked_rows

#: No rule counts further than this.
MOST_VALUES: Final = 1000
#: Of one rule, no more values are kept than this: the more it counts, the fewer keys it keeps.
_MOST_KEPT: Final = 40_000
#: Values are kept up to so many times the count, so that a few times that are far off push out none that counts.
_ROOM: Final = 2
_DIGEST_BYTES: Final = 8
#: As `distinct`: which step of its pattern a line is, so that lines of all steps are to come, in any order.
STEP: Final = "(step)"


@dataclass(frozen=True, slots=True)
class DistinctRule:
    """Lines with `count` different values of the field `distinct` within `within_seconds`, for each key of `by`."""

    distinct: str
    count: int
    within_seconds: float
    by: Sequence[str] = ()
    #: What was raised is cleared once fewer values than this are within the window; by default, fewer than `count`.
    clear_below: int | None = None

    def __post_init__(self) -> None:
        check_levels(self.count, range(2, MOST_VALUES + 1), self.within_seconds, self.clear_below)

    @property
    def most_keys(self) -> int:
        """How many keys are told apart at once; a new one then costs the least useful its place."""
        return max(1, min(MOST_KEYS, _MOST_KEPT // (_ROOM * self.count)))


class _Values:
    """When each value of one key came last, by its digest: whoever chooses values chooses no memory."""

    __slots__ = ("since", "times")

    def __init__(self) -> None:
        self.times: dict[str, float] = {}
        #: When what is raised began; None if it is not.
        self.since: float | None = None

    def from_on(self, oldest: float) -> list[float]:
        """Return the times that are no older."""
        return [at for at in self.times.values() if at >= oldest]


class Distinct:
    """Counts the values of one rule. Never raised before there are `count` of that key within the window."""

    def __init__(self, rule: DistinctRule) -> None:
        self._rule = rule
        self._clear_below = rule.count if rule.clear_below is None else rule.clear_below
        self._keys: KeyTable[_Values] = KeyTable(rule.most_keys)
        self._raised: dict[Key, _Values] = {}
        #: How many lines were counted for nobody because they lack a field of the key, or the value.
        self.without_key = 0

    @property
    def forgotten(self) -> int:
        """How many keys lost their place to others."""
        return self._keys.forgotten

    @property
    def raised(self) -> Mapping[Key, float]:
        """The keys that are raised, with when that which raised them began."""
        return {key: since for key, values in self._raised.items() if (since := values.since) is not None}

    def latest(self, key: Key) -> float:
        """Return when the last line of a key that is raised was."""
        return max(self._raised[key].times.values())

    def hit(self, fields: Mapping[str, str], at: float) -> list[Detection]:
        """Count the value of a line; return what that changed. Lines may come out of order."""
        key, value = key_of(fields, self._rule.by), fields.get(self._rule.distinct)
        if key is None or value is None:
            self.without_key += 1
            return []
        values = self._keys.get(key) or _Values()
        self._add(values, value, at)
        within = values.from_on(max(values.times.values()) - self._rule.within_seconds)
        changed: list[Detection] = []
        if values.since is None and len(within) >= self._rule.count:
            values.since = min(within)
            self._raised[key] = values
            changed.append(Detection(Change.RAISED, key, at, values.since, len(within)))
        if (lost := self._keys.keep(key, values, len(within))) is not None and lost[0] in self._raised:
            del self._raised[lost[0]]
            changed.append(Detection(Change.FORGOTTEN, lost[0], at, lost[1].since or 0.0, len(lost[1].times)))
        return changed

    def advance(self, now: float) -> list[Detection]:
        """Let time pass where a log is followed; return which keys were cleared by that."""
        changed = []
        for key, values in list(self._raised.items()):
            level = len(values.from_on(now - self._rule.within_seconds))
            if level < self._clear_below:
                since, values.since = values.since or 0.0, None
                del self._raised[key]
                changed.append(Detection(Change.CLEARED, key, now, since, level))
        return changed

    def _add(self, values: _Values, value: str, at: float) -> None:
        digest = blake2b(value.encode("utf-8", "surrogatepass"), digest_size=_DIGEST_BYTES).hexdigest()
        # The one that came last stands last.
        values.times[digest] = max(at, values.times.pop(digest, at))
        if len(values.times) > _ROOM * self._rule.count:
            del values.times[min(values.times, key=values.times.__getitem__)]

    def saved(self) -> dict[str, Any]:
        """Return everything that is remembered, for JSON."""
        rows = [
            [list(key), [list(each) for each in values.times.items()], values.since]
            for key, values in self._keys.ascending()
        ]
        return {"keys": rows, "forgotten": self.forgotten}

    @classmethod
    def restored(cls, rule: DistinctRule, saved: Mapping[str, Any]) -> Distinct:
        """Return what was saved, under a rule that may have changed since. What it cannot be is left out."""
        made = cls(rule)
        for row in checked_rows(saved.get("keys"), width=3)[-rule.most_keys :]:
            key, times = checked_key(row[0], len(rule.by)), _checked(row[1], _ROOM * rule.count)
            if key is not None and times:
                made._put_back(key, times, checked_number(row[2]))
        made._keys.forgotten = checked_count(saved.get("forgotten"))
        return made

    def _put_back(self, key: Key, times: dict[str, float], since: float | None) -> None:
        values = _Values()
        values.times, values.since = times, since
        self._keys.keep(key, values, len(values.from_on(max(times.values()) - self._rule.within_seconds)))
        if since is not None:
            self._raised[key] = values


def _checked(rows: Any, most: int) -> dict[str, float]:
    pairs = ((str(digest)[: 2 * _DIGEST_BYTES], checked_number(at)) for digest, at in checked_rows(rows, width=2)[-most:])
    return {digest: at for digest, at in pairs if at is not None}
