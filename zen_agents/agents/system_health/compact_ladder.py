"""The ladder of one of thousands of entries: which actions, by name, and the rungs only while somebody looks at them.

An entry that is well never needs its rungs, and most entries have the same ones but for their own target.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import overload

from zen_agents.agents.system_health.remedies import Remedies
from zen_agents.model.action import ActionRequest
from zen_agents.rules.rule import Rung

#: A rung without its alternatives, and these as (action, target); "" is the target of the rule.
_Step = tuple[Rung, tuple[tuple[str, str], ...]]


class Ladders:
    """Keeps ladders, and what they have in common once."""

    def __init__(self, remedies: Remedies) -> None:
        self._remedies = remedies
        self._known: dict[tuple[_Step, ...], tuple[_Step, ...]] = {}
        #: The rung that was looked at last, by its ladder and index: a decision looks at one several times.
        self._latest: tuple[CompactLadder | None, int, Rung | None] = (None, 0, None)

    def keep(self, rungs: Iterable[Rung], target: str) -> Sequence[Rung]:
        """Return the same rungs as a ladder that costs little; all their alternatives have to be remedies of the agent."""
        steps = tuple((replace(rung, alternatives=()), _names(rung.alternatives, target)) for rung in rungs)
        return CompactLadder(self, target, self._known.setdefault(steps, steps)) if steps else ()

    def rung(self, ladder: CompactLadder, index: int) -> Rung:
        """Return what a step of a ladder stands for; raises IndexError."""
        latest, at, rung = self._latest
        if rung is None or latest is not ladder or at != index:
            common, names = ladder.steps[index]
            rung = replace(common, alternatives=self._requests(names, ladder.target))
            self._latest = ladder, index, rung
        return rung

    def _requests(self, names: Iterable[tuple[str, str]], target: str) -> tuple[ActionRequest, ...]:
        found = (self._remedies.of(action, other or target) for action, other in names)
        return tuple(request for request in found if request is not None)


class CompactLadder(Sequence[Rung]):
    """A sequence of rungs that are made when they are looked at."""

    __slots__ = ("_ladders", "steps", "target")

    def __init__(self, ladders: Ladders, target: str, steps: tuple[_Step, ...]) -> None:
        self._ladders, self.target, self.steps = ladders, target, steps

    def __len__(self) -> int:
        return len(self.steps)

    @overload
    def __getitem__(self, index: int) -> Rung: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Rung, ...]: ...
    def __getitem__(self, index: int | slice) -> Rung | tuple[Rung, ...]:
        if isinstance(index, slice):
            return tuple(self[at] for at in range(*index.indices(len(self))))
        return self._ladders.rung(self, index)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and tuple(self) == tuple(other)

    def __hash__(self) -> int:
        return hash((self.target, self.steps))


def _names(requests: Iterable[ActionRequest], target: str) -> tuple[tuple[str, str], ...]:
    return tuple((request.action, "" if request.target == target else request.target) for request in requests)
