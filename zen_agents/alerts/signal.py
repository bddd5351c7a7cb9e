"""The recent past of what a rule judged, as one line of text each; pure."""

from __future__ import annotations

from collections.abc import Sequence

from zen_agents.dataclass import dataclass
from zen_agents.model.observation import Observation, Status
from zen_agents.model.units import with_unit

SIGNAL_TITLE = "SIGNAL  last 15 min, o = up, x = down, ? = not known, A = action"
_SPAN_SECONDS, _CELLS = 900.0, 30
_LETTERS = {Status.OK: "o", Status.PROBLEM: "x", Status.UNKNOWN: "?"}
_LEVELS = "▁▂▃▄▅▆▇█"
#: Of what was seen within one cell the last of these is shown.
_RANK = f"?o{_LEVELS}x"


@dataclass(frozen=True, slots=True)
class Signal:
    """What was seen under one name, oldest first."""

    label: str
    seen: Sequence[Observation]


def signal_lines(signals: Sequence[Signal], acted: Sequence[float], until: float) -> list[str]:
    """Return a line for each signal of which anything is known: the last quarter of an hour before `until` (steady).

    `acted` are the moments of actions (steady). What was only measured shows its height, its newest value, and between
    which values it was.
    """
    return [_line(signal, acted, until) for signal in signals if signal.seen]


def _line(signal: Signal, acted: Sequence[float], until: float) -> str:
    start, newest = until - _SPAN_SECONDS, signal.seen[-1]
    of_late = [each for each in signal.seen if each.at.steady >= start] or [newest]
    values = [each.value for each in of_late if each.value is not None]
    # What is judged says so by a problem, or by having no number; a plain measurement is OK whatever it is.
    if not values or any(each.status is Status.PROBLEM for each in of_late):
        marks, words = [_LETTERS[each.status] for each in signal.seen], ""
    else:
        low, high = min(values), max(values)
        marks, words = [_level(each.value, low, high) for each in signal.seen], _in_words(newest, low, high)
    cells = _cells([each.at.steady for each in signal.seen], marks, start)
    for at in acted:
        if start <= at <= until:
            cells[_cell(at, start)] = "A"
    return " ".join(("".join(cells), signal.label)) + words


def _cells(moments: Sequence[float], marks: Sequence[str], start: float) -> list[str]:
    """Return one mark a cell; where nothing was kept it still is as it was before."""
    within: list[list[str]] = [[] for _ in range(_CELLS)]
    before = "?"
    for at, mark in zip(moments, marks, strict=True):
        if at < start:
            before = mark
        else:
            within[_cell(at, start)].append(mark)
    cells = []
    for seen in within:
        cells.append(max(seen, key=_RANK.index, default=before))
        before = seen[-1] if seen else before
    return cells


def _cell(at: float, start: float) -> int:
    return min(_CELLS - 1, int((at - start) / _SPAN_SECONDS * _CELLS))


def _level(value: float | None, low: float, high: float) -> str:
    if value is None:
        return "?"
    share = (value - low) / (high - low) if high > low else 0.0
    return _LEVELS[round(min(max(share, 0.0), 1.0) * (len(_LEVELS) - 1))]


def _in_words(newest: Observation, low: float, high: float) -> str:
    name = newest.name
    now = "not known now" if newest.value is None else with_unit(name, newest.value)
    return f" {now} ({with_unit(name, low)} to {with_unit(name, high)})" if low < high else f" {now}"
