"""What an expression becomes: closures over its inputs, in three-valued logic."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import isfinite

#: The inputs of one evaluation, in the order of the text; None: cannot be told.
Inputs = Sequence[float | None]
Number = Callable[[Inputs], float | None]
Truth = Callable[[Inputs], bool | None]


def constant(value: float) -> Number:
    """Return what is always that number."""
    return lambda _inputs: value


def minus(operand: Number) -> Number:
    """Return the number with the other sign."""

    def run(inputs: Inputs) -> float | None:
        value = operand(inputs)
        return None if value is None else -value

    return run


def computed(left: Number, compute: Callable[[float, float], float], right: Number) -> Number:
    """Return what two numbers make; unknown where that is none."""

    def run(inputs: Inputs) -> float | None:
        a, b = left(inputs), right(inputs)
        if a is None or b is None:
            return None
        try:
            result = compute(a, b)
        except (ZeroDivisionError, OverflowError):
            return None
        return result if isfinite(result) else None

    return run


def compared(left: Number, compare: Callable[[float, float], bool], right: Number) -> Truth:
    """Return how two numbers stand to each other."""

    def run(inputs: Inputs) -> bool | None:
        a, b = left(inputs), right(inputs)
        return None if a is None or b is None else compare(a, b)

    return run


def compared_with(left: Number, compare: Callable[[float, float], bool], limit: float) -> Truth:
    """Return how a number stands to a limit."""

    def run(inputs: Inputs) -> bool | None:
        value = left(inputs)
        return None if value is None else compare(value, limit)

    return run


def negation(part: Truth) -> Truth:
    """Return the opposite; of what is unknown, unknown."""

    def run(inputs: Inputs) -> bool | None:
        truth = part(inputs)
        return None if truth is None else not truth

    return run


def conjunction(parts: tuple[Truth, ...]) -> Truth:
    """Return whether all are true; one that is false decides, whatever is unknown."""

    def run(inputs: Inputs) -> bool | None:
        result: bool | None = True
        for part in parts:
            truth = part(inputs)
            if truth is False:
                return False
            if truth is None:
                result = None
        return result

    return run


def disjunction(parts: tuple[Truth, ...]) -> Truth:
    """Return whether one is true; it decides, whatever is unknown."""

    def run(inputs: Inputs) -> bool | None:
        result: bool | None = False
        for part in parts:
            truth = part(inputs)
            if truth is True:
                return True
            if truth is None:
                result = None
        return result

    return run
