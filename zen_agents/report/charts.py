"""The report's charts as inline SVG: colours from the page's own style, every value also in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from zen_agents.alerts.plain_text import one_line
from zen_agents.report.figures import RuleProof
from zen_agents.report.shell import svg
from zen_agents.report.wording import rate

#: How an incident can have ended, from the bottom of a bar up, with the name of its colour in the page's style.
ENDS = {
    "engine": "repaired by the engine", "itself": "cleared by itself", "person": "ended by a person",
    "configuration": "no longer watched", "open": "still open",
}  # fmt: skip
_WIDTH, _HEIGHT, _FOOT, _LEFT = 720, 180, 22, 34
#: So many bars are labelled at most.
_LABELS = 10
_ROW, _NAMES, _VALUES = 26, 220, 210


def incidents_by_day(days: Mapping[str, Mapping[str, int]]) -> str:
    """Return a stacked bar for each day."""
    most = max([sum(counts.values()) for counts in days.values()], default=0) or 1
    step = (_WIDTH - _LEFT) / max(1, len(days))
    parts: list[str] = []
    for value in sorted({most, most // 2, 0}):
        y = _HEIGHT - value / most * (_HEIGHT - 8)
        parts.append(f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<text x="{_LEFT - 6}" y="{min(y + 4, _HEIGHT):.1f}" text-anchor="end">{value}</text>')
    every = -(-len(days) // _LABELS)
    for number, (day, counts) in enumerate(days.items()):
        parts += _bar(day, counts, _LEFT + number * step, step, (_HEIGHT - 8) / most)
        if number % every == 0:
            x = _LEFT + (number + 0.5) * step
            parts.append(f'<text x="{x:.1f}" y="{_HEIGHT + 16}" text-anchor="middle">{escape(day[5:])}</text>')
    return svg(_WIDTH, _HEIGHT + _FOOT, f"Incidents by day, at most {most} a day", parts)


def _bar(day: str, counts: Mapping[str, int], x: float, step: float, scale: float) -> list[str]:
    parts, y = [], float(_HEIGHT)
    for end, words in ENDS.items():
        if times := counts.get(end, 0):
            y -= times * scale
            told = escape(f"{day}: {times} {words}")
            parts.append(
                f'<rect class="{end}" x="{x + 0.1 * step:.1f}" y="{y:.1f}" width="{0.8 * step:.1f}" '
                f'height="{times * scale:.1f}"><title>{told}</title></rect>'
            )
    return parts


def verified_by_rule(rules: Sequence[RuleProof]) -> str:
    """Return a bar for each rule that acted: the verified share, and a line over its 95 % interval."""
    shown = [rule for rule in rules if rule.verified.of]
    room = _WIDTH - _NAMES - _VALUES
    parts: list[str] = []
    for number, rule in enumerate(shown):
        y, (low, high) = number * _ROW, rule.verified.interval
        parts += [
            f'<text x="{_NAMES - 8}" y="{y + 17}" text-anchor="end">{escape(_short(rule.rule))}</text>',
            f'<rect class="room" x="{_NAMES}" y="{y + 5}" width="{room}" height="14"/>',
            f'<rect class="engine" x="{_NAMES}" y="{y + 5}" width="{room * (rule.verified.share or 0):.1f}" height="14"/>',
            f'<path class="interval" d="M{_NAMES + room * low:.1f} {y + 12}H{_NAMES + room * high:.1f}"/>',
            f'<text x="{_NAMES + room + 8}" y="{y + 17}">{escape(rate(rule.verified))}</text>',
        ]
    return svg(_WIDTH, _ROW * len(shown) + 4, "Verified share of the actions of each rule", parts)


def _short(name: str) -> str:
    return one_line(name, 32)
