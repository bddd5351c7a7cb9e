"""First this, then that, within so long, for each key apart."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from zen_agents.dataclass import dataclass
from zen_agents.logs.detection.found import Change, Detection
from zen_agents.logs.keys import KeyTable, key_of
from zen_agents.logs.memory import checked_count, checked_key, checked_number, checked_rows

#: No rule has more steps than this.
MOST_STEPS = 16


@dataclass(frozen=True, slots=True)
class SequenceRule:
    """`steps` lines in this order within `within_seconds` from the first to the last, for each key of `by`.

    Other lines may lie between them. Each step's line has the fields of `by`, under the same names.
    """

    steps: int
    within_seconds: float
    by: Sequence[str] = ()

    def __post_init__(self) -> None:
        if not 2 <= self.steps <= MOST_STEPS:
            raise ValueError(f"a sequence has 2 to {MOST_STEPS} steps")
        if not self.within_seconds > 0:
            raise ValueError("within_seconds must be above 0")


class _Progress:
    """For each number of steps that are done: when the latest such beginning began, and when it got there."""

    __slots__ = ("done",)

    def __init__(self) -> None:
        self.done: dict[int, tuple[float, float]] = {}


class Sequences:
    """Watches for one sequence. Of several beginnings the latest counts, which finds a sequence wherever there is one."""

    def __init__(self, rule: SequenceRule) -> None:
        self._rule = rule
        self._keys: KeyTable[_Progress] = KeyTable()
        #: How many lines were nobody's because they lack a field of the key.
        self.without_key = 0

    @property
    def forgotten(self) -> int:
        """How many keys lost their place to others."""
        return self._keys.forgotten

    def hit(self, steps: Collection[int], fields: Mapping[str, str], at: float) -> Detection | None:
        """Take a line that is one or more of the steps (from 0); return the sequence that it completes.

        A line is never two steps of one sequence. What is complete is over at once: it is RAISED and never CLEARED.
        """
        key = key_of(fields, self._rule.by)
        if key is None:
            self.without_key += 1
            return None
        progress = self._keys.get(key) or _Progress()
        # From the last step to the first, so that what this line does is no ground for what else it does.
        for step in sorted(steps, reverse=True):
            self._step(progress, step, at)
        complete = progress.done.get(self._rule.steps)
        if complete is not None:
            if self._keys.get(key) is not None:
                self._keys.drop(key)
            return Detection(Change.RAISED, key, at, complete[0], self._rule.steps)
        if progress.done:
            self._keys.keep(key, progress, max(progress.done))
        return None

    def _step(self, progress: _Progress, step: int, at: float) -> None:
        if step == 0:
            progress.done[1] = (at, at)
            return
        before = progress.done.get(step)
        if before is not None and before[1] <= at <= before[0] + self._rule.within_seconds:
            progress.done[step + 1] = (before[0], at)

    def saved(self) -> dict[str, Any]:
        """Return everything that is remembered, for JSON."""
        rows = [
            [list(key), [[done, began, reached] for done, (began, reached) in progress.done.items()]]
            for key, progress in self._keys.ascending()
        ]
        return {"keys": rows, "forgotten": self.forgotten}

    @classmethod
    def restored(cls, rule: SequenceRule, saved: Mapping[str, Any]) -> Sequences:
        """Return what was saved, under a rule that may have changed since. What it cannot be is left out."""
        made = cls(rule)
        for row in checked_rows(saved.get("keys"), width=2):
            key, progress = checked_key(row[0], len(rule.by)), _Progress()
            for done, began, reached in checked_rows(row[1], width=3):
                times = checked_number(began), checked_number(reached)
                if done in range(1, rule.steps) and times[0] is not None and times[1] is not None:
                    progress.done[int(done)] = (times[0], times[1])
            if key is not None and progress.done:
                made._keys.keep(key, progress, max(progress.done))
        made._keys.forgotten = checked_count(saved.get("forgotten"))
        return made
