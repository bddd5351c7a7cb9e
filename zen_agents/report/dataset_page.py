"""What a run over data sets found, as one self-contained page. Whatever stands in the data is a text, never markup."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape

from zen_agents.alerts.plain_text import one_line
from zen_agents.datasets.cells import visible
from zen_agents.datasets.finding import ColumnProfile, FailingRow, Finding, Outcome, worst_first
from zen_agents.datasets.history import Run, Seen
from zen_agents.report.dataset_charts import distribution, failing_rows, moment, name, trend
from zen_agents.report.shell import legend, more, names_and_values, page, table

_OUTCOMES = {"engine": "passed", "person": "tolerated", "open": "failed", "configuration": "could not be told"}
_SPREADS = {"itself": "now", "configuration": "last good run"}
#: So many of the last runs stand in words as well.
_MOST_RUNS = 10
#: So much of what a check is called is shown, which has names of columns in it.
_MOST_CHECK = 200
#: So many checks are shown, the worst first, and of so many of them how many rows fail, and which.
_MOST_CHECKS, _MOST_FAILING = 1000, 100


def render(seen: Sequence[Seen]) -> str:
    """Return the page."""
    good = sum(each.report.is_good for each in seen)
    at = min((each.report.started_at for each in seen), default=0.0)
    bad = len(seen) - good
    said = f"{bad} of {len(seen)} not as expected" if bad else "as expected"
    return page(f"Data: {said}, {moment(at)}", _sections(seen))


def _sections(seen: Sequence[Seen]) -> Iterator[str]:
    if len(seen) > 1:
        links = (
            f'<li><a href="#set-{number}">{_named(each.report.dataset)}</a> {_mark(each.report.outcome)}</li>'
            for number, each in enumerate(seen)
        )
        yield f"<ul>{''.join(links)}</ul>"
    for number, each in enumerate(seen):
        yield f'<section id="set-{number}"><h2>{_named(each.report.dataset)} {_mark(each.report.outcome)}</h2>'
        yield from _of_one(each)
        yield "</section>"


def _of_one(seen: Seen) -> Iterator[str]:
    report, runs = seen.report, seen.history.after(seen.report).runs
    yield names_and_values(_headline(seen))
    found = worst_first(report.findings)
    wrong = [each for each in found if each.outcome in (Outcome.FAILED, Outcome.TOLERATED)]
    # What is asked of all rows at once fails or holds, and of columns or files there are other numbers: no share of rows.
    if counted := [each for each in wrong if each.total > 1 and each.total == report.rows]:
        yield f"<h3>Rows that fail</h3>{failing_rows(counted[:_MOST_FAILING])}{more(len(counted) - _MOST_FAILING)}"
    checked = [_checked(each) for each in found[:_MOST_CHECKS]]
    yield "<h3>Checks</h3>" + table(("check", "outcome", "severity", "why"), checked) + more(len(found) - _MOST_CHECKS)
    if len(runs) > 1:
        yield f"<h3>The last {len(runs)} runs</h3>{trend(runs)}{legend(_OUTCOMES)}"
        yield table(("run", "outcome", "rows", "checks that fail"), [_ran(each) for each in runs[: -_MOST_RUNS - 1 : -1]])
    shown = [each for each in wrong if each.evidence]
    for finding in shown[:_MOST_FAILING]:
        yield f"<h3>{_named(finding.check)}: the first rows</h3>{_rows(finding.evidence)}"
    yield more(len(shown) - _MOST_FAILING)
    yield from _distributions(seen)


def _headline(seen: Seen) -> Iterator[tuple[str, str]]:
    report = seen.report
    yield "where", one_line(report.place)
    yield "rows", "could not be read" if report.rows is None else f"{report.rows:,}"
    if report.unknown:
        yield "not told", one_line(report.unknown)
    counts = {outcome: sum(each.outcome is outcome for each in report.findings) for outcome in Outcome}
    yield "checks", ", ".join(f"{count} {outcome}" for outcome, count in counts.items() if count) or "none"
    yield "looked at", f"{moment(report.started_at)}, for {report.seconds:.1f} s"
    good = seen.history.good_at
    yield "last good run before", "none is known" if good is None else moment(good)


def _distributions(seen: Seen) -> Iterator[str]:
    now = seen.report.profile
    if now is None or not now.columns:
        return
    before: Mapping[str, ColumnProfile] = (
        {each.column: each for each in seen.history.good.columns} if seen.history.good else {}
    )
    yield f"<h3>Distribution</h3>{legend(_SPREADS)}"
    for each in now.columns:
        was = before.get(each.column)
        yield f"<h3>{_named(each.column)}</h3>{distribution(each, was)}"


def _checked(finding: Finding) -> Sequence[str]:
    return one_line(finding.check, _MOST_CHECK), finding.outcome, finding.severity, one_line(finding.reason)


def _ran(run: Run) -> Sequence[str]:
    rows = "could not be read" if run.rows is None else f"{run.rows:,}"
    return moment(run.started_at), run.outcome, rows, ", ".join(name(each.check) for each in run.named)


def _rows(rows: Sequence[FailingRow]) -> str:
    columns = [cell.column for cell in (*rows[0].keys, *rows[0].cells)]
    return table(["row", *map(name, columns)], [_cells(each) for each in rows])


def _cells(row: FailingRow) -> Sequence[str]:
    place = " ".join(part for part in (row.file, "" if row.number is None else f"{row.number:,}") if part)
    return [one_line(place), *(one_line(visible(cell.text) or "null") for cell in (*row.keys, *row.cells))]


def _named(text: str) -> str:
    return escape(name(text))


def _mark(outcome: Outcome) -> str:
    return f'<span class="mark {outcome}">{outcome}</span>'
