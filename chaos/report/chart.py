"""The charts of the page, as SVG in its own colours."""

from __future__ import annotations

import math
from collections.abc import Sequence

from chaos.report import words
from chaos.report.card import EngineCard
from chaos.report.contents import Contents
from chaos.report.markup import Element, add
from chaos.result import Outcome

_WIDTH, _LEFT, _ROW, _TOP = 960.0, 250.0, 26.0, 30.0
_DECADES = (0.001, 0.01, 0.1, 1.0, 10.0, 100.0)


def repair_times(parent: Element, report: Contents) -> None:
    """One row a scenario, one dot a run, by the time to repair on a logarithmic scale."""
    rows = {
        name: dots
        for name, by_engine in report.grouped().items()
        if (dots := [
            (engine, result.seconds.repaired)
            for engine, results in by_engine.items() for result in results if result.seconds.repaired is not None
        ])
    }  # fmt: skip
    height = _TOP + _ROW * len(rows) + 10
    svg = add(parent, "svg", viewBox=f"0 0 {_WIDTH:g} {height:g}", role="img", aria_label="time to repair by scenario")
    times = [seconds for dots in rows.values() for _, seconds in dots]
    low, high = _decades(times)
    for decade in (each for each in _DECADES if low <= each <= high):
        x = _x(decade, low, high)
        add(svg, "line", x1=x, x2=x, y1=_TOP - 8, y2=height - 6, class_="grid")
        add(svg, "text", words.seconds(decade), x=x, y=14, class_="axis")
    for index, (name, dots) in enumerate(rows.items()):
        y = _TOP + _ROW * (index + 0.5)
        add(svg, "text", name, x=_LEFT - 12, y=y + 4, class_="label")
        add(svg, "line", x1=_LEFT, x2=_WIDTH - 20, y1=y, y2=y, class_="grid")
        for engine, seconds in dots:
            dot = add(svg, "circle", cx=_x(seconds, low, high), cy=y, r=5.5, class_=f"dot {engine}")
            add(dot, "title", f"{name}, {engine}: {words.seconds(seconds)}")


def _decades(times: Sequence[float]) -> tuple[float, float]:
    floor = 10.0 ** math.floor(math.log10(max(1e-3, min(times, default=0.01))))
    return floor, max(floor * 10, 10.0 ** math.ceil(math.log10(max(times, default=1.0))))


def _x(seconds: float, low: float, high: float) -> float:
    share = (math.log10(max(seconds, low)) - math.log10(low)) / (math.log10(high) - math.log10(low))
    return _LEFT + share * (_WIDTH - _LEFT - 40)


def outcomes(parent: Element, cards: Sequence[EngineCard]) -> None:
    """One bar a contender: how its runs count."""
    height = 34.0 * len(cards) + 8
    svg = add(parent, "svg", viewBox=f"0 0 {_WIDTH:g} {height:g}", role="img", aria_label="outcomes by contender")
    for index, card in enumerate(cards):
        y, x = 34.0 * index + 4, 120.0
        add(svg, "text", card.engine, x=108, y=y + 18, class_="label")
        for outcome in Outcome:
            count = card.outcomes.get(outcome, 0)
            width = (_WIDTH - 130) * count / max(1, card.runs)
            if not count:
                continue
            bar = add(svg, "rect", x=x, y=y, width=max(1.0, width - 2), height=26.0, rx=3, class_=f"bar {outcome.value}")
            add(bar, "title", f"{card.engine}: {count} {words.OUTCOMES[outcome]}")
            if width > 24:
                add(svg, "text", str(count), x=x + width / 2, y=y + 18, class_="inside")
            x += width
