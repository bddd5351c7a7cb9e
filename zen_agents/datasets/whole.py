"""What numbers about all rows at once say: how many there are, how old, which columns. Numbers in, words out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from zen_agents.datasets.contract import Contract
from zen_agents.datasets.finding import Profile
from zen_agents.datasets.measure import Measured
from zen_agents.datasets.questions import RowCount, RowCountChange
from zen_agents.datasets.table import Table

#: So many columns are named.
_MOST_NAMED: Final = 20
#: So many characters of what one is called.
_MOST_NAME: Final = 60
NOTHING_BEFORE: Final = "there is no good run yet to compare with"


def columns(contract: Contract, table: Table, *, exact: bool) -> Measured:
    """Compare the columns that are there with those that the contract lists."""
    known = {column.name for column in contract.columns}
    missing = [each.name for each in contract.columns if not each.optional and each.name not in table.columns]
    extra = [name for name in table.columns if name not in known] if exact else []
    # As many others as are missing, at most, are most likely what they are called now.
    others = [name for name in table.columns if name not in known]
    told = (
        ("missing", missing), ("not expected", extra),
        ("there instead", others if not exact and len(others) <= len(missing) else []),
    )  # fmt: skip
    reason = "; ".join(f"{what}: {_some(names)}" for what, names in told if names)
    return Measured(len(missing) + len(extra), len(known | table.columns.keys()), reason=reason)


def _some(names: Sequence[str]) -> str:
    more = len(names) - _MOST_NAMED
    shown = (repr(each if len(each) <= _MOST_NAME else f"{each[:_MOST_NAME]}...") for each in names[:_MOST_NAMED])
    return ", ".join(shown) + (f" and {more:,} more" if more > 0 else "")


def counted(rows: int, asked: RowCount) -> Measured:
    """Judge the number of rows."""
    if rows < asked.least:
        return Measured(1, 1, float(rows), f"{rows:,} rows; at least {asked.least:,} are expected")
    if asked.most is not None and rows > asked.most:
        return Measured(1, 1, float(rows), f"{rows:,} rows; at most {asked.most:,} are expected")
    return Measured(0, 1, float(rows))


def changed(rows: int, asked: RowCountChange, before: Profile | None) -> Measured:
    """Judge how the number of rows has changed."""
    if before is None:
        return Measured(0, 1, None, NOTHING_BEFORE)
    change = (rows - before.rows) / before.rows if before.rows else float(rows > 0)
    fails = (asked.fall is not None and -change > asked.fall) or (asked.growth is not None and change > asked.growth)
    said = f"{rows:,} rows, {change:+.1%} since the last good run, which had {before.rows:,}"
    return Measured(int(fails), 1, change, said if fails else "")


def aged(latest: Any, within_seconds: float, now: float) -> Measured:
    """Judge the age of the latest of all moments."""
    if latest is None:
        return Measured(1, 1, None, "there is no moment by which to tell its age")
    age = now - float(latest)
    said = f"the latest is {age:,.0f} s old; at most {within_seconds:,.0f} s are expected"
    return Measured(int(age > within_seconds), 1, age, said if age > within_seconds else "")
