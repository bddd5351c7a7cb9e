"""Window functions of expressions: one number out of the recent samples of one observation."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from itertools import pairwise
from math import fsum, isfinite

from zen_agents.model.observation import Status
from zen_agents.rules.rule import Window
from zen_agents.rules.window import is_covered

#: Of the expected samples, so many must be there.
SHARE = 0.8

#: Reads one input: (window, steady now) -> a finite number, None if it cannot be told.
Read = Callable[[Window, float], float | None]


def newest_of(name: str, target: str, stale_after_seconds: float) -> Read:
    """Return a reader of the newest value; None if there is none, it could not be told, or it is stale."""
    unknown = Status.UNKNOWN

    def read(window: Window, now: float) -> float | None:
        newest = window.last(name, target)
        if newest is None or newest.status is unknown or now - newest.at.steady > stale_after_seconds:
            return None
        return newest.value

    return read


def aggregate_of(
    function: str, name: str, target: str, *, seconds: float, every_seconds: float, stale_after_seconds: float
) -> Read:
    """Return a reader of `function` (a key of `AGGREGATES`) over the last `seconds`.

    None if the newest observation cannot be told or is stale, the pair has not been watched for the whole window, or fewer
    than 80 % of the expected samples are there.
    """
    newest_value, judge = newest_of(name, target, stale_after_seconds), AGGREGATES[function]

    def read(window: Window, now: float) -> float | None:
        samples = window.samples(name, target)
        start = now - seconds
        if samples is None or samples.watched_since > start or newest_value(window, now) is None:
            return None
        times, first = samples.times, bisect_left(samples.times, start)
        if first >= len(times) or not is_covered(times, first, seconds=seconds, every_seconds=every_seconds, share=SHARE):
            return None
        result = judge(times[first:], samples.values[first:])
        return result if result is not None and isfinite(result) else None

    return read


def _average(times: Sequence[float], values: Sequence[float]) -> float | None:
    del times
    return sum(values) / len(values)


def _minimum(times: Sequence[float], values: Sequence[float]) -> float | None:
    del times
    return min(values)


def _maximum(times: Sequence[float], values: Sequence[float]) -> float | None:
    del times
    return max(values)


def _rate(times: Sequence[float], values: Sequence[float]) -> float | None:
    """Increase a second of a counter; where it went down it was reset and began again at 0."""
    lasted = times[-1] - times[0]
    if lasted <= 0:
        return None
    return fsum(later - earlier if later >= earlier else later for earlier, later in pairwise(values)) / lasted


def _slope(times: Sequence[float], values: Sequence[float]) -> float | None:
    """Change a second of a gauge, by least squares; negative where it falls."""
    middle_time, middle_value = fsum(times) / len(times), fsum(values) / len(values)
    spread = fsum((time - middle_time) ** 2 for time in times)
    if spread <= 0:
        return None
    pairs = zip(times, values, strict=True)
    return fsum((time - middle_time) * (value - middle_value) for time, value in pairs) / spread


#: The functions by the word an expression uses.
AGGREGATES: dict[str, Callable[[Sequence[float], Sequence[float]], float | None]] = {
    "avg": _average, "min": _minimum, "max": _maximum, "rate": _rate, "slope": _slope,
}  # fmt: skip
