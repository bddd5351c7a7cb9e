"""The language of a person's own rules: `avg(load1, 5m) > cpus * 2 and memory.percent < 90`.

Names are observations, numbers may carry a unit (`5m`, `10%`, `512MiB`), and there are comparisons, `and`, `or`, `not`,
`+ - * /`, parentheses and the window functions avg, min, max, rate (of a counter) and slope (of a gauge). The text is
parsed to a syntax tree of which only these parts are let through, and the tree becomes closures; nothing is evaluated by
Python. What cannot be told is carried along in three-valued logic: `false and unknown` is false, `true and unknown` unknown.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Iterable, Mapping
from dataclasses import field
from datetime import timedelta

from zen_agents.clock import Instant
from zen_agents.dataclass import dataclass
from zen_agents.model.observation import Finding, Status
from zen_agents.model.quantities import format_duration
from zen_agents.rules.aggregates import AGGREGATES, Read, aggregate_of, newest_of
from zen_agents.rules.condition import STALE_AFTER_SAMPLES
from zen_agents.rules.expression_logic import (
    Inputs,
    Number,
    Truth,
    compared,
    compared_with,
    computed,
    conjunction,
    constant,
    disjunction,
    minus,
    negation,
)
from zen_agents.rules.expression_text import ExpressionError, Quantity, Rewritten, rewrite
from zen_agents.rules.rule import Window
from zen_agents.rules.window import LONGEST_SECONDS, MOST_SAMPLES

__all__ = ["ExpressionCondition", "ExpressionError", "compile_expression"]

#: Deeper nesting is refused.
DEEPEST = 32

_COMPARE: dict[type[ast.cmpop], Callable[[float, float], bool]] = {
    ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt, ast.GtE: operator.ge,
    ast.Eq: operator.eq, ast.NotEq: operator.ne,
}  # fmt: skip
_ARITHMETIC: dict[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class ExpressionCondition:
    """A compiled expression; made by `compile_expression`."""

    text: str
    #: `file:line:column` of the expression.
    origin: str
    names: frozenset[tuple[str, str]]
    histories: Mapping[tuple[str, str], float]
    #: What a true expression means: PROBLEM for `when:`, OK for `clear:`.
    when_true: Status
    #: What is read, as written, in the order of the text.
    labels: tuple[str, ...]
    _reads: tuple[Read, ...] = field(repr=False)
    _root: Truth = field(repr=False)

    def holds(self, window: Window, now: Instant) -> bool | None:
        """Return whether the expression is true, None if that cannot be told."""
        steady = now.steady
        return self._root([read(window, steady) for read in self._reads])

    def evaluate(self, window: Window, now: Instant) -> Finding:
        """Return the finding, its value the first input; `at` is the oldest of the newest observations it rests on."""
        steady = now.steady
        inputs = [read(window, steady) for read in self._reads]
        truth = self._root(inputs)
        if truth is None:
            return Finding(Status.UNKNOWN, now, self._untold(inputs), inputs[0])
        other = Status.OK if self.when_true is Status.PROBLEM else Status.PROBLEM
        seen = [newest.at for newest in (window.last(*pair) for pair in self.names) if newest is not None]
        at = min(seen, key=lambda instant: instant.steady, default=now)
        return Finding(self.when_true if truth else other, at, self._told(inputs), inputs[0])

    def _told(self, inputs: Inputs) -> str:
        values = zip(self.labels, inputs, strict=True)
        return ", ".join(f"{label} is {'unknown' if value is None else f'{value:.4g}'}" for label, value in values)

    def _untold(self, inputs: Inputs) -> str:
        missing = [label for label, value in zip(self.labels, inputs, strict=True) if value is None]
        return f"cannot tell {', '.join(missing)}" if missing else f"cannot be computed: {self._told(inputs)}"


def compile_expression(
    text: str,
    *,
    resolve: Callable[[str], str | None],
    known: Iterable[str] = (),
    sample_seconds: float | Callable[[str], float] = 15.0,
    when_true: Status = Status.PROBLEM,
    origin: str = "",
) -> ExpressionCondition:
    """Compile a condition, or raise ExpressionError with the place of the mistake.

    `resolve` returns the target of an observation's name, None for an unknown name; `known` are the names to suggest from;
    `sample_seconds` is how often an observation is made, the same for all or by name: what is three times as old is stale.
    Nothing but ExpressionError is ever raised for any text.
    """
    rewritten = rewrite(text, resolve, known)
    every = sample_seconds if callable(sample_seconds) else _always(sample_seconds)
    compiler = _Compiler(rewritten, every)
    root = compiler.truth(_parse(rewritten, text), 0)
    if not compiler.reads:
        raise ExpressionError(0, "reads no observation, so it would always say the same")
    return ExpressionCondition(
        text=text,
        origin=origin,
        names=frozenset(rewritten.names.values()),
        histories=compiler.histories,
        when_true=when_true,
        labels=tuple(compiler.reads),
        _reads=tuple(compiler.reads.values()),
        _root=root,
    )


def _always(seconds: float) -> Callable[[str], float]:
    return lambda _name: seconds


def _parse(rewritten: Rewritten, text: str) -> ast.expr:
    if not rewritten.python:
        raise ExpressionError(0, "is empty")
    try:
        return ast.parse(rewritten.python.rstrip(), mode="eval").body
    except SyntaxError as error:
        # At the end of the text the parser gives no offset: then it is the last word that lacks something.
        column = rewritten.column((error.offset or len(rewritten.python)) - 1)
        raise ExpressionError(column, "something is missing or out of place here") from error
    except (RecursionError, MemoryError) as error:
        raise ExpressionError(0, f"is nested too deeply (at most {DEEPEST} levels)") from error
    except ValueError as error:
        raise ExpressionError(0, f"cannot be read: {text!r}") from error


class _Compiler:
    """Turns a syntax tree into closures over the inputs; whatever is not listed here is refused."""

    def __init__(self, rewritten: Rewritten, every: Callable[[str], float]) -> None:
        self._rewritten, self._every = rewritten, every
        #: Label -> reader; the position is the index into the inputs.
        self.reads: dict[str, Read] = {}
        self.histories: dict[tuple[str, str], float] = {}

    def truth(self, node: ast.expr, depth: int) -> Truth:
        """Compile something that is true, false or unknown."""
        self._check_depth(node, depth)
        if isinstance(node, ast.BoolOp):
            parts = tuple(self.truth(part, depth + 1) for part in node.values)
            return conjunction(parts) if isinstance(node.op, ast.And) else disjunction(parts)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            return negation(self.truth(node.operand, depth + 1))
        if isinstance(node, ast.Compare):
            return self._comparison(node, depth)
        if isinstance(node, (ast.Name, ast.Call, ast.BinOp, ast.UnaryOp)):
            raise self._error(node, "is a number where something true or false is needed: compare it, as in `... > 90`")
        raise self._error(node, "is not part of the language")

    def number(self, node: ast.expr, depth: int) -> Number:
        """Compile something that is a number or unknown."""
        self._check_depth(node, depth)
        if isinstance(node, ast.Name):
            return self._name(node)
        if isinstance(node, ast.Call):
            return self._call(node)
        if isinstance(node, ast.BinOp) and type(node.op) in _ARITHMETIC:
            return self._arithmetic(node, depth)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.USub, ast.UAdd)):
            operand = self.number(node.operand, depth + 1)
            return minus(operand) if isinstance(node.op, ast.USub) else operand
        if isinstance(node, (ast.Compare, ast.BoolOp, ast.UnaryOp)):
            raise self._error(node, "is true or false where a number is needed")
        raise self._error(node, "is not part of the language")

    def _comparison(self, node: ast.Compare, depth: int) -> Truth:
        sides = [self.number(side, depth + 1) for side in (node.left, *node.comparators)]
        parts: list[Truth] = []
        for index, op in enumerate(node.ops):
            compare = _COMPARE.get(type(op))
            if compare is None:
                raise self._error(node, "is compared in a way that is not part of the language")
            limit = self._quantity(node.comparators[index])
            if limit is not None:
                parts.append(compared_with(sides[index], compare, limit.value))
            else:
                parts.append(compared(sides[index], compare, sides[index + 1]))
        return parts[0] if len(parts) == 1 else conjunction(tuple(parts))

    def _name(self, node: ast.Name) -> Number:
        if node.id in self._rewritten.quantities:
            return constant(self._rewritten.quantities[node.id].value)
        if node.id not in self._rewritten.names:
            raise self._error(node, "is a function and needs (name, duration)")
        name, target = self._rewritten.names[node.id]
        stale = self._every(name) * STALE_AFTER_SAMPLES
        return self._input(name, newest_of(name, target, stale))

    def _call(self, node: ast.Call) -> Number:
        function = node.func.id.removeprefix("f_") if isinstance(node.func, ast.Name) else ""
        if function not in AGGREGATES:
            raise self._error(node, "is not a function")
        if len(node.args) != 2 or node.keywords:
            raise self._error(node, f"`{function}` needs a name and a duration: {function}(load1, 5m)")
        name, target = self._observation(node.args[0], function)
        span = self._duration(node.args[1], function)
        every = self._every(name)
        self._check_span(node.args[1], function, span.value, every)
        self.histories[name, target] = max(span.value, self.histories.get((name, target), 0.0))
        read = aggregate_of(
            function, name, target,
            seconds=span.value, every_seconds=every, stale_after_seconds=every * STALE_AFTER_SAMPLES,
        )  # fmt: skip
        return self._input(f"{function}({name}, {span.text})", read)

    def _observation(self, node: ast.expr, function: str) -> tuple[str, str]:
        if isinstance(node, ast.Name) and node.id in self._rewritten.names:
            return self._rewritten.names[node.id]
        raise self._error(node, f"the first argument of `{function}` is the name of an observation")

    def _quantity(self, node: ast.expr) -> Quantity | None:
        return self._rewritten.quantities.get(node.id) if isinstance(node, ast.Name) else None

    def _duration(self, node: ast.expr, function: str) -> Quantity:
        quantity = self._quantity(node)
        if quantity is None or not quantity.is_duration or quantity.value <= 0:
            raise self._error(node, f"the second argument of `{function}` is a duration such as 5m")
        return quantity

    def _check_span(self, node: ast.expr, function: str, seconds: float, every: float) -> None:
        longest = min(LONGEST_SECONDS, every * MOST_SAMPLES)
        if seconds > longest:
            raise self._error(
                node, f"is longer than {format_duration(timedelta(seconds=longest))}, which is all that is kept"
            )
        if function in ("rate", "slope") and seconds < 2 * every:
            raise self._error(node, f"is too short for `{function}`: a sample is taken every {every:g}s, and two are needed")

    def _arithmetic(self, node: ast.BinOp, depth: int) -> Number:
        left, right = self.number(node.left, depth + 1), self.number(node.right, depth + 1)
        divisor = self._quantity(node.right)
        if isinstance(node.op, ast.Div) and divisor is not None and divisor.value == 0:
            raise self._error(node.right, "is zero, and nothing can be divided by it")
        return computed(left, _ARITHMETIC[type(node.op)], right)

    def _input(self, label: str, read: Read) -> Number:
        self.reads.setdefault(label, read)
        return operator.itemgetter(list(self.reads).index(label))

    def _check_depth(self, node: ast.expr, depth: int) -> None:
        if depth > DEEPEST:
            raise self._error(node, f"is nested too deeply (at most {DEEPEST} levels)")

    def _error(self, node: ast.AST, message: str) -> ExpressionError:
        return ExpressionError(self._rewritten.column(getattr(node, "col_offset", 0)), message)
