"""How far a column has moved since the last good run. Numbers in, numbers out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from zen_agents.datasets.finding import MOST_TEXT, ColumnProfile, Profile, Share
from zen_agents.datasets.measure import Measured
from zen_agents.datasets.questions import Drift
from zen_agents.datasets.scope import Scope
from zen_agents.datasets.sql import Sql, sql
from zen_agents.datasets.whole import NOTHING_BEFORE

#: So many values of a column are told apart; the rarer ones count as one.
MOST_SHARES: Final = 100


def shares_query(scope: Scope, column: str) -> Sql:
    """Return the query of a column's most frequent values, as text, and how many rows have each."""
    shown, there = scope.shown(column, MOST_TEXT), scope.raw(column)
    query = "SELECT {} AS text_, count(*) AS n FROM {} WHERE {} IS NOT NULL GROUP BY 1 ORDER BY n DESC, 1 LIMIT {}"
    return sql(query, shown, scope.rows(), there, sql(str(MOST_SHARES)))


def shares_of(rows: Sequence[Sequence[Any]], total: int) -> tuple[Share, ...]:
    """Return what the query answered as shares of all rows; what is left, nulls and rare values, is one of its own."""
    if not total:
        return ()
    told = [Share(str(text), count / total) for text, count in rows]
    rest = 1.0 - sum(share.share for share in told)
    return (*told, Share(None, rest)) if rest > 1e-9 else tuple(told)


def share_drift(asked: Drift, shares: Sequence[Share], before: Profile | None) -> Measured:
    """Compare shares: half of the sum of their differences."""
    was = _column(before, asked.column)
    if was is None or not was.shares:
        return Measured(0, 1, None, NOTHING_BEFORE)
    old = {share.text: share.share for share in was.shares}
    new = {share.text: share.share for share in shares}
    moved = sum(abs(new.get(text, 0.0) - old.get(text, 0.0)) for text in old.keys() | new.keys()) / 2
    return _judged(asked, moved)


def decile_drift(asked: Drift, new: Sequence[float], before: Profile | None) -> Measured:
    """Compare deciles: their mean distance, in the distance between the first and the ninth as they were."""
    was = _column(before, asked.column)
    if was is None or not was.quantiles or not new:
        return Measured(0, 1, None, NOTHING_BEFORE)
    inner = range(1, len(new) - 1)
    width = was.quantiles[-2] - was.quantiles[1] or abs(was.quantiles[5]) or 1.0
    return _judged(asked, sum(abs(new[at] - was.quantiles[at]) for at in inner) / len(inner) / width)


def quantiles_of(deciles: Sequence[Any]) -> tuple[float, ...]:
    """Return what a pass answered as numbers, () for a column without any."""
    return () if any(each is None for each in deciles) else tuple(map(float, deciles))


def _column(profile: Profile | None, column: str) -> ColumnProfile | None:
    return next((each for each in profile.columns if each.column == column), None) if profile is not None else None


def _judged(asked: Drift, moved: float) -> Measured:
    fails = moved > asked.at_most
    said = f"{asked.column!r} has moved by {moved:.3f} since the last good run; at most {asked.at_most:g} is expected"
    return Measured(int(fails), 1, moved, said if fails else "")
