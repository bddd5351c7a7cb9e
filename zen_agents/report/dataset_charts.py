"""Charts about data sets, made of SVG without text and words beside it: both are readable on a phone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from html import escape
from typing import Final

from zen_agents.alerts.plain_text import one_line
from zen_agents.datasets.finding import ColumnProfile, Finding, Share
from zen_agents.datasets.history import Run
from zen_agents.report.shell import svg

#: So much of an untrusted name or value is shown.
_MOST_NAME: Final = 60
#: A few runs are no wider than this many, and stand where the last is always: on the right.
_LEAST_PLACES: Final = 10
#: So many values of a column are drawn.
_MOST_VALUES: Final = 12
#: What the deciles of a profile are called, and where in it they stand.
_FIRST, _MEDIAN, _NINTH = 1, 5, 9


def moment(at: float) -> str:
    """Return a moment in local time."""
    return f"{datetime.fromtimestamp(at, UTC).astimezone():%Y-%m-%d %H:%M}"


def name(text: str | None) -> str:
    """Return an untrusted name or value on one line, not yet escaped."""
    return "(all others, and none)" if text is None else one_line(text, _MOST_NAME) or "(empty)"


def failing_rows(findings: Sequence[Finding]) -> str:
    """Return a bar for each check: which share of the rows fails it."""
    parts = []
    for each in findings:
        share = each.count / each.total if each.total else 0.0
        words = f"{each.count:,} of {each.total:,} ({_percent(share)})"
        bar = _bar(share, str(each.outcome), f"{name(each.check)}: {words}")
        parts.append(f"<span>{escape(name(each.check))}</span><div>{bar}</div><span>{words}</span>")
    return f'<div class="bars">{"".join(parts)}</div>'


def trend(runs: Sequence[Run]) -> str:
    """Return a bar for each run: as high as it had rows, coloured by what came of it."""
    most = max((run.rows or 0 for run in runs), default=0) or 1
    parts, places = [], max(len(runs), _LEAST_PLACES)
    for at, run in enumerate(runs, start=places - len(runs)):
        height = 100.0 if run.rows is None else max(2.0, 96.0 * run.rows / most)
        unread = " unread" if run.rows is None else ""
        parts.append(
            f'<rect class="own {run.outcome}{unread}" stroke-width="0" x="{at + 0.1:g}" y="{100 - height:.2f}" width="0.8" '
            f'height="{height:.2f}"><title>{escape(run_in_words(run))}</title></rect>'
        )
    drawing = svg(places, 100, f"Rows of the last {len(runs)} runs, at most {most:,}", parts, drawn="trend")
    ends = f"<span>{moment(runs[0].started_at)}</span><span>at most {most:,} rows</span><span>{moment(runs[-1].started_at)}"
    return f'{drawing}<div class="ends">{ends}</span></div>'


def run_in_words(run: Run) -> str:
    """Return when it was and what came of it, not yet escaped."""
    rows = "could not be read" if run.rows is None else f"{run.rows:,} rows"
    named = ", ".join(name(each.check) for each in run.named)
    failed = f", {'1 check fails' if run.failed == 1 else f'{run.failed:,} checks fail'}: {named}" if run.failed else ""
    return f"{moment(run.started_at)}: {run.outcome}, {rows}{failed}"


def distribution(now: ColumnProfile, before: ColumnProfile | None) -> str:
    """Return how a column is spread, and how it was at the last good run."""
    drawn = [_shares(now.shares, before.shares if before else ())] if now.shares else []
    if now.quantiles:
        drawn.append(_spread(now.quantiles, before.quantiles if before else ()))
    return "".join(drawn)


def _shares(now: Sequence[Share], before: Sequence[Share]) -> str:
    is_share, was = ({each.text: each.share for each in shares} for shares in (now, before))
    order = sorted(is_share | was, key=lambda text: (text is None, -max(is_share.get(text, 0), was.get(text, 0))))
    shown = order if len(order) <= _MOST_VALUES else order[: _MOST_VALUES - 1]
    parts = []
    for text in shown:
        share, old = is_share.get(text, 0.0), was.get(text, 0.0)
        words = f"{share:.1%}" + (f", was {old:.1%}" if was else "")
        bars = _bar(share, "now", f"now {share:.1%}") + (_bar(old, "before", f"last good run {old:.1%}") if was else "")
        parts.append(f"<span>{escape(name(text))}</span><div>{bars}</div><span>{words}</span>")
    if len(order) > len(shown):
        parts.append(f"<span>and {len(order) - len(shown)} more values</span><span></span><span></span>")
    return f'<div class="bars">{"".join(parts)}</div>'


def _spread(now: Sequence[float], before: Sequence[float]) -> str:
    known = [(each, kind) for each, kind in ((now, "now"), (before, "before")) if len(each) > _NINTH]
    if not known:
        return ""
    low, high = min(each[_FIRST] for each, _ in known), max(each[_NINTH] for each, _ in known)
    room = (high - low or 1.0) / 4
    parts = []
    for deciles, kind in known:
        words = f"half lie below {deciles[_MEDIAN]:,.6g}; from {deciles[_FIRST]:,.6g} to {deciles[_NINTH]:,.6g} are 8 of 10"
        bar = svg(100, 20, words, _box(deciles, kind, low - room, high + room), drawn="spread")
        parts.append(f"<span>{'now' if kind == 'now' else 'last good run'}</span><div>{bar}</div><span>{words}</span>")
    return f'<div class="bars">{"".join(parts)}</div>'


def _box(deciles: Sequence[float], kind: str, low: float, high: float) -> Iterator[str]:
    def at(value: float) -> float:
        return min(100.0, max(0.0, 100 * (value - low) / (high - low)))

    yield f'<path class="own thin {kind}" d="M{at(deciles[0]):.2f} 10H{at(deciles[-1]):.2f}"/>'
    width = max(0.5, at(deciles[_NINTH]) - at(deciles[_FIRST]))
    yield f'<rect class="own {kind}" stroke-width="0" x="{at(deciles[_FIRST]):.2f}" y="3" width="{width:.2f}" height="14"/>'
    yield f'<path class="median" d="M{at(deciles[_MEDIAN]):.2f} 1V19"/>'


def _percent(share: float) -> str:
    # What fails is never told as nothing.
    return "less than 0.01%" if 0 < share < 0.0001 else f"{share:.2%}"


def _bar(share: float, kind: str, words: str) -> str:
    # What is there is seen, however little it is.
    width = max(0.4, 100 * min(1.0, share)) if share else 0.0
    parts = [f'<rect class="own {kind}" stroke-width="0" width="{width:.2f}" height="10"/>']
    return svg(100, 10, words, parts, drawn="bar")
