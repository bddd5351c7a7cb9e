"""How far a distribution has moved, by formulas that others use and know the limits of.

- PSI, the population stability index: the sum of (q - p) * ln(q / p) over bins (N. Siddiqi, Credit Risk Scorecards, 2006).
  For numbers the bins are the tenths of the first data set, for everything else the hundred most frequent
  values of both together and the rest, which holds the missing ones.
  A share below 0.0001 counts as that. By the usual rule below 0.1 nothing much has moved, and above 0.25 a lot has.
- KS, of Kolmogorov (1933) and Smirnov (1948): the largest distance of the two distribution functions, exactly.
- Half of the sum of the differences of shares, the total variation distance: 0 the same, 1 nothing in common.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import log
from typing import Final

from zen_agents.datasets.sql import Sql, joined, sql, value

#: A share is at least this, so that a value that is new or gone counts and does not count for everything.
_LEAST: Final = 0.0001
MOST_VALUES: Final = 100


def psi(before: Sequence[float], after: Sequence[float]) -> float:
    """Return the index of shares of the same bins."""
    pairs = [(max(p, _LEAST), max(q, _LEAST)) for p, q in zip(before, after, strict=True)]
    return sum((q - p) * log(q / p) for p, q in pairs)


def distance(before: Sequence[float], after: Sequence[float]) -> float:
    """Return half of the sum of the differences of shares."""
    return sum(abs(p - q) for p, q in zip(before, after, strict=True)) / 2


def shares(counts: Sequence[int], total: int) -> Sequence[float]:
    """Return the share that each of these is of all rows, and last that of the rest."""
    known = [count / total if total else 0.0 for count in counts]
    return [*known, max(0.0, 1.0 - sum(known)) if total else 0.0]


def ks_query(before: Sql, after: Sql) -> Sql:
    """Return the query of the largest distance of two distributions of numbers `v`, each a SELECT; null if one is empty."""
    counted = sql(
        "SELECT v, count(*) FILTER (s = 0) AS a, count(*) FILTER (s = 1) AS b FROM (SELECT v, 0 AS s FROM ({}) AS a_"
        " UNION ALL SELECT v, 1 AS s FROM ({}) AS b_) AS both_ WHERE v IS NOT NULL GROUP BY v",
        before, after,
    )  # fmt: skip
    summed = sql(
        "SELECT sum(a) OVER w AS fa, sum(b) OVER w AS fb, sum(a) OVER () AS na, sum(b) OVER () AS nb FROM ({}) AS counted_"
        " WINDOW w AS (ORDER BY v)",
        counted,
    )
    return sql("SELECT max(abs(fa / nullif(na, 0) - fb / nullif(nb, 0))) FROM ({}) AS summed_", summed)


def bins_query(given: Sql, edges: Sequence[float]) -> Sql:
    """Return the query of how many numbers `v` of a SELECT are at most each edge, and of how many there are."""
    ends = [sql("count(*) FILTER (v <= {})", value(edge)) for edge in edges]
    return sql("SELECT {} FROM ({}) AS one_", joined(", ", [*ends, sql("count(v)")]), given)


def of_bins(up_to: Sequence[int]) -> Sequence[float]:
    """Return the share of each bin, from what `bins_query` told."""
    total = up_to[-1]
    starts = [0, *up_to[:-1]]
    return [(end - start) / total if total else 0.0 for start, end in zip(starts, up_to, strict=True)]
