"""The report as one self-contained page. Names come from logs and files: everything is escaped."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from zen_agents.report.charts import ENDS, incidents_by_day, verified_by_rule
from zen_agents.report.figures import Report
from zen_agents.report.shell import legend, names_and_values, page, table
from zen_agents.report.wording import CUT, headline, tables, title


def render(report: Report, host: str) -> str:
    """Return the page."""
    return page(title(report, host), _sections(report))


def _sections(report: Report) -> Iterator[str]:
    if report.is_cut:
        yield f"<p>{CUT}</p>"
    yield names_and_values(headline(report))
    yield f"<h2>Incidents by day</h2>{incidents_by_day(report.days)}{legend(ENDS)}"
    if any(rule.verified.of for rule in report.rules):
        yield f"<h2>Verified, by rule</h2>{verified_by_rule(report.rules)}"
    for heading, heads, rows in tables(report):
        yield f"<h2>{escape(heading)}</h2>{table(heads, rows)}"
