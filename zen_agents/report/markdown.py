"""The report as Markdown. Names are untrusted: nothing in them is markup."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from zen_agents.report.figures import Report
from zen_agents.report.wording import CUT, headline, tables, title


def render(report: Report, host: str) -> str:
    """Return the report with its line ends."""
    return "\n".join(_lines(report, host)) + "\n"


def _lines(report: Report, host: str) -> Iterator[str]:
    yield f"# {_plain(title(report, host))}"
    yield ""
    if report.is_cut:
        yield f"{CUT}\n"
    for name, value in headline(report):
        yield f"- {name}: {_plain(value)}"
    for heading, heads, rows in tables(report):
        yield f"\n## {heading}\n"
        yield from _table(heads, rows) if rows else ("none",)


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    cells = [list(heads), *([_plain(cell) for cell in row] for row in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(heads))]
    for number, row in enumerate(cells):
        yield "| " + " | ".join(f"{cell:{width}}" for cell, width in zip(row, widths, strict=True)) + " |"
        if number == 0:
            yield "|" + "|".join("-" * (width + 2) for width in widths) + "|"


def _plain(text: str) -> str:
    """Return text in which Markdown finds nothing to obey."""
    return re.sub(r"([\\`*\[\]<>|#])", r"\\\1", text)
