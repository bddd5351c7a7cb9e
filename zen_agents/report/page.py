"""The report as one self-contained page: no script, nothing from elsewhere, light and dark, and good on paper.

Names come from logs and files: everything is escaped.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from zen_agents.report.charts import ENDS, incidents_by_day, verified_by_rule
from zen_agents.report.measures import Report
from zen_agents.report.wording import CUT, headline, tables, title

_STYLE = """
:root { color-scheme: light dark; --ink: #1b1f24; --soft: #57606a; --paper: #ffffff; --line: #d0d7de; --room: #eaeef2;
  --engine: #1a7f37; --itself: #0969da; --person: #9a6700; --configuration: #6e7781; --open: #cf222e; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --soft: #9aa4af; --paper: #0d1117; --line: #30363d;
  --room: #21262d; --engine: #3fb950; --itself: #58a6ff; --person: #d29922; --configuration: #8b949e; --open: #f85149; } }
body { margin: 2rem auto; max-width: 60rem; padding: 0 1rem; background: var(--paper); color: var(--ink);
  font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.4rem; } h2 { font-size: 1.1rem; margin-top: 2rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1rem; } dt { color: var(--soft); } dd { margin: 0; }
.scroll { overflow-x: auto; } table { border-collapse: collapse; width: 100%; font-size: .9rem; }
th, td { text-align: left; vertical-align: top; padding: .3rem .6rem .3rem 0; border-bottom: 1px solid var(--line); }
th { color: var(--soft); font-weight: 600; } td { min-width: 4rem; }
svg { width: 100%; height: auto; } svg text { fill: var(--soft); font-size: 11px; }
.grid { stroke: var(--line); } .room { fill: var(--room); } .interval { stroke: var(--ink); stroke-width: 2; }
.engine { fill: var(--engine); } .itself { fill: var(--itself); } .person { fill: var(--person); }
.configuration { fill: var(--configuration); } .open { fill: var(--open); }
.legend span { margin-right: 1.2rem; white-space: nowrap; } .legend i { display: inline-block; width: .8em; height: .8em; }
.none { color: var(--soft); }
@media print { body { margin: 0; max-width: none; } h2, svg, table { break-inside: avoid; } }
"""


def render(report: Report, host: str) -> str:
    """Return the page."""
    name, sections = escape(title(report, host)), "\n".join(_sections(report))
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{name}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{_STYLE}</style></head>\n<body><main><h1>{name}</h1>\n{sections}\n</main></body></html>\n"
    )


def _sections(report: Report) -> Iterator[str]:
    if report.is_cut:
        yield f"<p>{CUT}</p>"
    yield "<dl>" + "".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in headline(report)) + "</dl>"
    yield f"<h2>Incidents by day</h2>{incidents_by_day(report.days)}{_legend()}"
    if any(rule.verified.of for rule in report.rules):
        yield f"<h2>Verified, by rule</h2>{verified_by_rule(report.rules)}"
    for heading, heads, rows in tables(report):
        yield f"<h2>{escape(heading)}</h2>" + (_table(heads, rows) if rows else '<p class="none">none</p>')


def _legend() -> str:
    colours = "".join(
        f'<span><i style="background: var(--{end})"></i> {escape(words)}</span>' for end, words in ENDS.items()
    )
    return f'<p class="legend">{colours}</p>'


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in heads)
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'
