"""What can be said of an expression without any observation: is it ever true, ever false, true together with another.

Where every comparison is one observation against a constant, its truth is the same everywhere between two neighbouring
constants: one point of each stretch, and the constants themselves, are all there is to try. A comparison that is more than
that may come out either way, which can only make something possible; so nothing is called impossible that is not.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise, product
from math import inf

from zen_agents.dataclass import dataclass
from zen_agents.rules.expression import ExpressionCondition
from zen_agents.rules.expression_text import Rewritten, rewrite

#: More combinations than this are not tried; then nothing is said.
_MOST_TRIED = 20_000
_COMPARE: Mapping[type[ast.cmpop], Callable[[float, float], bool]] = {
    ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt, ast.GtE: operator.ge, ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}  # fmt: skip
_TURNED: Mapping[type[ast.cmpop], type[ast.cmpop]] = {ast.Lt: ast.Gt, ast.LtE: ast.GtE, ast.Gt: ast.Lt, ast.GtE: ast.LtE}
_ARITHMETIC: Mapping[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
}  # fmt: skip
#: Functions whose value is one that the observation could have itself.
_WITHIN_ITS_RANGE = frozenset({"avg", "min", "max"})

#: An input, as it is written: `cpu.percent` or `avg(cpu.percent, 300)`; an opaque comparison stands for itself.
_Values = Mapping[str, float]
_Truth = Callable[[_Values], bool]


@dataclass(frozen=True, slots=True)
class Proposition:
    """An expression over named inputs. Inputs whose name is in `opaque` are 0 or 1: false or true."""

    truth: _Truth
    #: Input -> the constants that it is compared with.
    constants: Mapping[str, frozenset[float]]
    opaque: frozenset[str]
    #: Input -> the least and the most that it can be.
    ranges: Mapping[str, tuple[float, float]]


def proposition(condition: ExpressionCondition) -> Proposition:
    """Return what an expression that compiles says."""
    targets = dict(condition.names)
    rewritten = rewrite(condition.text, targets.get, ())
    return _Reader(rewritten).read(ast.parse(rewritten.python.rstrip(), mode="eval").body)


def is_ever(wanted: bool, said: Proposition) -> bool:
    """Tell whether an expression can come out so; True also where that is too much to try."""
    return any(said.truth(values) is wanted for values in _situations((said,))) if _is_tried((said,)) else True


def hold_together(one: Proposition, other: Proposition) -> Mapping[str, float] | None:
    """Return values at which both are true for certain, None if there are none or that cannot be told."""
    if one.opaque or other.opaque or not other.constants.keys() <= one.constants.keys() or not _is_tried((one, other)):
        return None
    return next((values for values in _situations((one, other)) if one.truth(values) and other.truth(values)), None)


def _situations(said: Sequence[Proposition]) -> Iterator[_Values]:
    points = _points(said)
    for values in product(*points.values()):
        yield dict(zip(points, values, strict=True))


def _is_tried(said: Sequence[Proposition]) -> bool:
    tried = 1
    for points in _points(said).values():
        tried *= len(points)
    return tried <= _MOST_TRIED


def _points(said: Sequence[Proposition]) -> Mapping[str, Sequence[float]]:
    """Return one value for each stretch in which nothing changes, for each input."""
    constants: dict[str, set[float]] = {}
    ranges: dict[str, tuple[float, float]] = {}
    for each in said:
        ranges |= each.ranges
        for name, values in each.constants.items():
            constants.setdefault(name, set()).update(values)
    points = {name: _between(sorted(values), *ranges.get(name, (-inf, inf))) for name, values in constants.items()}
    return points | dict.fromkeys((name for each in said for name in each.opaque), (0.0, 1.0))


def _between(constants: Sequence[float], least: float, most: float) -> Sequence[float]:
    ends = [*([] if least == -inf else [least]), *constants, *([] if most == inf else [most])]
    marks = sorted(set(ends))
    middles = [(a + b) / 2 for a, b in pairwise(marks)]
    return [each for each in (marks[0] - 1, *marks, *middles, marks[-1] + 1) if least <= each <= most]


class _Reader:
    """Reads a syntax tree that the compiler of expressions has let through."""

    def __init__(self, rewritten: Rewritten) -> None:
        self._rewritten = rewritten
        self._constants: dict[str, set[float]] = {}
        self._opaque: set[str] = set()
        self._ranges: dict[str, tuple[float, float]] = {}

    def read(self, node: ast.expr) -> Proposition:
        truth = self._truth(node)
        constants = {name: frozenset(values) for name, values in self._constants.items()}
        return Proposition(truth, constants, frozenset(self._opaque), self._ranges)

    def _truth(self, node: ast.expr) -> _Truth:
        if isinstance(node, ast.BoolOp):
            parts, joined = [self._truth(part) for part in node.values], all if isinstance(node.op, ast.And) else any
            return lambda values: joined(part(values) for part in parts)
        if isinstance(node, ast.UnaryOp):
            part = self._truth(node.operand)
            return lambda values: not part(values)
        assert isinstance(node, ast.Compare)  # noqa: S101  nothing else is true or false in the language
        sides = [node.left, *node.comparators]
        pairs = [self._compared(sides[index], op, sides[index + 1]) for index, op in enumerate(node.ops)]
        return lambda values: all(pair(values) for pair in pairs)

    def _compared(self, left: ast.expr, op: ast.cmpop, right: ast.expr) -> _Truth:
        kind = type(op)
        limit, name = self._constant(right), self._input(left)
        if limit is None:
            limit, name, kind = self._constant(left), self._input(right), _TURNED.get(kind, kind)
        if limit is None or name is None:
            return self._either_way(left, op, right)
        self._constants.setdefault(name, set()).add(limit)
        compare = _COMPARE[kind]
        return lambda values: compare(values[name], limit)

    def _either_way(self, left: ast.expr, op: ast.cmpop, right: ast.expr) -> _Truth:
        name = f"{ast.unparse(left)} {type(op).__name__} {ast.unparse(right)}"
        self._opaque.add(name)
        return lambda values: bool(values[name])

    def _constant(self, node: ast.expr) -> float | None:
        """Return what an expression without observations comes to, None if there is one in it."""
        if isinstance(node, ast.Name):
            quantity = self._rewritten.quantities.get(node.id)
            return None if quantity is None else quantity.value
        if isinstance(node, ast.UnaryOp):
            operand = self._constant(node.operand)
            return None if operand is None else -operand if isinstance(node.op, ast.USub) else operand
        if isinstance(node, ast.BinOp):
            left, right = self._constant(node.left), self._constant(node.right)
            if left is None or right is None or (isinstance(node.op, ast.Div) and not right):
                return None
            return _ARITHMETIC[type(node.op)](left, right)
        return None

    def _input(self, node: ast.expr) -> str | None:
        """Return how an observation, or a function of one, is called; notes its range."""
        function, seconds = "", 0.0
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and len(node.args) == 2:
            function, span = node.func.id.removeprefix("f_"), self._constant(node.args[1])
            node, seconds = node.args[0], span or 0.0
        if not isinstance(node, ast.Name) or node.id not in self._rewritten.names:
            return None
        observed, target = self._rewritten.names[node.id]
        name = f"{observed}@{target}" if not function else f"{function}({observed}@{target}, {seconds:g})"
        # Only what is a share of a whole; a process may use more than one processor.
        if observed.rpartition(".")[2] == "percent" and (not function or function in _WITHIN_ITS_RANGE):
            self._ranges[name] = (0.0, 100.0)
        return name
