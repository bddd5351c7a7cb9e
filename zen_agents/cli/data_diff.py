"""`data diff`: what differs between two files or tables, in their columns, their rows and how their columns are spread."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from typing import Final

from zen_agents.adapters.data_checks import compare_data
from zen_agents.cli.call import Call
from zen_agents.cli.data_contracts import two_sides
from zen_agents.cli.envelope import data
from zen_agents.cli.progress import Progress
from zen_agents.cli.render import plural, say, table
from zen_agents.datasets.cells import visible
from zen_agents.datasets.contract import Contract
from zen_agents.datasets.difference import ChangedRow, Difference
from zen_agents.datasets.finding import Cell
from zen_agents.datasets.job import diff_question, difference_in
from zen_agents.datasets.plain import difference_to_plain
from zen_agents.datasets.questions import Unique
from zen_agents.errors import HostError
from zen_agents.jobs.data_check import DataCheckProgress

_SAME, _DIFFERS = 0, 1
#: By the usual rule: below, nothing much has moved.
_LITTLE: Final = 0.1


class _UntoldError(HostError):
    """Nobody could tell what differs."""

    exit_code = 6


def diff(call: Call) -> int:
    """Compare, and show what differs."""
    before, after = two_sides(call)
    question = diff_question(before, after, _key(call, before))
    with Progress(call) as progress:

        def told(now: DataCheckProgress) -> None:
            progress.show(now.doing, now.share_of_all)

        found = difference_in(asyncio.run(compare_data(question, told)))
    if isinstance(found, str):
        raise _UntoldError(f"the two could not be compared: {found}")
    if call.machine:
        data(call, "data-diff", {**difference_to_plain(found), "same": found.is_same})
    else:
        _show(call, found)
    return _SAME if found.is_same else _DIFFERS


def _key(call: Call, contract: Contract) -> Sequence[str]:
    """Return what rows are matched by: as the command says, else what names a row in the contract."""
    if call.arguments.key is not None:
        return [each.strip() for each in call.arguments.key.split(",") if each.strip()]
    unique = (check.asks.columns for check in contract.checks if isinstance(check.asks, Unique))
    return contract.limits.keys or next(unique, ())


def _show(call: Call, found: Difference) -> None:
    by = f"matched by {', '.join(found.key)}" if found.key else "compared as a whole, since no --key says what a row is"
    word = "same" if found.is_same else "DIFFERENT"
    say(call, f"{word}: {found.before} ({plural(found.rows_before, 'row')}), then {found.after} "
              f"({plural(found.rows_after, 'row')})", hang=2, paint=word)  # fmt: skip
    for what, names in (("only in the first", found.removed_columns), ("only in the second", found.added_columns)):
        if names:
            say(call, f"columns {what}: {', '.join(names)}", indent=2, hang=2)
    for each in found.types:
        say(call, f"{each.column} holds {each.after}, and held {each.before}", indent=2, hang=2)
    say(call, f"rows, {by}: {found.added:,} added, {found.removed:,} removed, {found.changed:,} changed", indent=2, hang=2)
    if found.rows:
        say(call, "")
        say(call, "the first of them")
        table(call, ("CHANGE", "ROW", "WHAT"), [_row(each) for each in found.rows], goes_on="WHAT")
    if found.columns:
        say(call, "")
        table(call, ("COLUMN", "CHANGED ROWS"), [(each.column, each.rows) for each in found.columns])
    _show_moved(call, found)


def _show_moved(call: Call, found: Difference) -> None:
    shown = found.moved if call.output == "wide" else [each for each in found.moved if each.psi >= _LITTLE]
    if shown:
        say(call, "")
        say(call, "distributions that moved (PSI from 0.1 is some, from 0.25 a lot)")
        rows = [(each.column, f"{each.psi:.3f}", _short(each.ks), _short(each.shares)) for each in shown]
        table(call, ("COLUMN", "PSI", "KS", "SHARES"), rows)
    if found.not_measured:
        say(call, f"how far {plural(found.not_measured, 'more column')} moved was not measured")


def _short(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _row(row: ChangedRow) -> tuple[str, str, str]:
    return row.change, ", ".join(_cells(row.keys)), "; ".join(_changes(row)) or "-"


def _cells(cells: Sequence[Cell]) -> Iterator[str]:
    return (f"{cell.column}={_text(cell)}" for cell in cells)


def _changes(row: ChangedRow) -> Iterator[str]:
    return (f"{was.column}: {_text(was)} -> {_text(now)}" for was, now in zip(row.before, row.after, strict=True))


def _text(cell: Cell) -> str:
    return visible(cell.text) or "null"
