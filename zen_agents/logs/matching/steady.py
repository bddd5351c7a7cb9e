"""Tells patterns apart that a backtracking engine may search for years. Without re2 they are refused.

Within a repetition without end there must be one way to read any text: where each position is followed by positions that
share no byte, and by each of them once, the regular expression is strongly unambiguous (Brueggemann-Klein, 1993), and going
back finds no second way. What is refused though it would do no harm is one of the patterns for which there is google-re2.
"""

from __future__ import annotations

from collections.abc import Sequence

from zen_agents.dataclass import dataclass
from zen_agents.logs.matching.tree import Choice, Named, Node, OneOf, Repeat, Sequel

#: A repetition that is counted no further than this adds a factor, no exponent.
_FEW = 4


def is_steady(node: Node) -> bool:
    """Tell whether no repetition in it can be read in several ways."""
    match node:
        case Repeat(part, _, most):
            return ((most is not None and most <= _FEW) or _Positions().loop(part)) and is_steady(part)
        case Sequel(parts) | Choice(parts):
            return all(map(is_steady, parts))
        case Named(_, part):
            return is_steady(part)
        case _:
            return True


def is_quick(node: Node) -> bool:
    """Tell whether a search goes back a few times at most, and in no repetition: at most the square of a line of steps."""
    return _Positions().once(node)


@dataclass(frozen=True, slots=True)
class _Ends:
    """Where a part may begin and end, and whether it may be left out."""

    first: Sequence[int] = ()
    last: Sequence[int] = ()
    is_optional: bool = True


class _Positions:
    """Each byte of a pattern, and what may follow it: Glushkov's automaton, with an edge for each way to take it."""

    def __init__(self) -> None:
        self._values: list[frozenset[int]] = []
        self._follow: list[list[int]] = []
        self._repeated: set[int] = set()

    def loop(self, part: Node) -> bool:
        """Tell whether this, repeated without end, is read in one way."""
        ends = self._ends(part)
        self._join(ends.last, ends.first)
        return not ends.is_optional and all(map(self._are_apart, (ends.first, *self._follow)))

    def once(self, node: Node) -> bool:
        """Tell whether this is read in one way, but for a few turns outside of repetitions."""
        turns = [self._ends(node).first, *self._follow]
        unclear = [position for position, after in enumerate(turns, start=-1) if not self._are_apart(after)]
        return len(unclear) <= _FEW and self._repeated.isdisjoint(unclear)

    def _are_apart(self, positions: Sequence[int]) -> bool:
        if len(positions) < 2:  # most of a pattern is letters, each followed by one
            return True
        values = [self._values[position] for position in positions]
        return len(frozenset().union(*values)) == sum(map(len, values))

    def _join(self, last: Sequence[int], first: Sequence[int]) -> None:
        for position in last:
            self._follow[position] += first

    def _ends(self, node: Node) -> _Ends:
        match node:
            case OneOf(values):
                self._values.append(values)
                self._follow.append([])
                here = (len(self._values) - 1,)
                return _Ends(here, here, is_optional=False)
            case Sequel(parts):
                return self._sequel(parts)
            case Choice(parts):
                ways = [self._ends(part) for part in parts]
                first, last = tuple(at for way in ways for at in way.first), tuple(at for way in ways for at in way.last)
                return _Ends(first, last, is_optional=any(way.is_optional for way in ways))
            case Repeat(part, least, most):
                begin, ends = len(self._values), self._ends(part)
                if most != 1:
                    self._join(ends.last, ends.first)
                if most is None or most > _FEW:
                    self._repeated.update(range(begin, len(self._values)))
                return _Ends(ends.first, ends.last, is_optional=ends.is_optional or least == 0)
            case Named(_, part):
                return self._ends(part)
            case _:
                return _Ends()

    def _sequel(self, parts: Sequence[Node]) -> _Ends:
        found = _Ends()
        for part in parts:
            ends = self._ends(part)
            self._join(found.last, ends.first)
            found = _Ends(
                (*found.first, *ends.first) if found.is_optional else found.first,
                (*ends.last, *found.last) if ends.is_optional else ends.last,
                is_optional=found.is_optional and ends.is_optional,
            )
        return found
