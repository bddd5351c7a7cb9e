"""What every page is made in: no script, nothing from elsewhere, light and dark, readable on a phone, and good on paper.

Texts come from logs, files and data: everything is escaped.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape

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
.passed { --own: var(--engine); } .tolerated { --own: var(--person); } .failed { --own: var(--open); }
.unknown, .before { --own: var(--configuration); } .now { --own: var(--itself); }
.mark { color: var(--own); border: 1px solid; border-radius: .8em; padding: 0 .6em; font-size: .8em; white-space: nowrap; }
svg.drawn { display: block; background: var(--room); } svg .own { fill: var(--own); stroke: var(--own); }
svg.trend { height: 7rem; } svg.spread { height: 1.2rem; margin: .2rem 0; } svg.bar { height: .7rem; margin: .1rem 0; }
.unread { fill-opacity: .35; } .thin, .median { vector-effect: non-scaling-stroke; }
.median { stroke: var(--ink); stroke-width: 3; }
.bars { display: grid; grid-template-columns: minmax(6rem, 14rem) 1fr minmax(6rem, 15rem); gap: .3rem .8rem;
  align-items: center; font-size: .9rem; } .bars > *, dd, li, h1, h2, h3 { overflow-wrap: anywhere; min-width: 0; }
th, td { overflow-wrap: break-word; max-width: 36rem; } td:last-child { overflow-wrap: anywhere; }
.ends { display: flex; justify-content: space-between; gap: 1rem; color: var(--soft); font-size: .8rem;
  margin: .2rem 0 1rem; }
h3 { font-size: 1rem; margin: 1.5rem 0 .4rem; } a { color: inherit; }
@media (max-width: 40rem) { body { margin: 1rem auto; } .bars, dl { grid-template-columns: 1fr; gap: 0; }
  .bars > :nth-child(3n), dd { margin-bottom: .6rem; } }
@media print { * { print-color-adjust: exact; } }
@media print { body { margin: 0; max-width: none; } h2, svg, table { break-inside: avoid; } }
"""
#: A browser runs and loads nothing, even if a text had slipped through unescaped.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def page(title: str, sections: Iterable[str]) -> str:
    """Return a page of sections, which are markup, under a title, which is text."""
    name, body = escape(title), "\n".join(sections)
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{name}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        f"<style>{_STYLE}</style></head>\n<body><main><h1>{name}</h1>\n{body}\n</main></body></html>\n"
    )


def names_and_values(pairs: Iterable[tuple[str, str]]) -> str:
    """Return names with their values."""
    return "<dl>" + "".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in pairs) + "</dl>"


def legend(colours: Mapping[str, str]) -> str:
    """Return what colours mean: name in the style -> words."""
    shown = "".join(
        f'<span><i style="background: var(--{name})"></i> {escape(words)}</span>' for name, words in colours.items()
    )
    return f'<p class="legend">{shown}</p>'


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table of texts; none is a word."""
    if not rows:
        return '<p class="none">none</p>'
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in heads)
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def more(count: int) -> str:
    """Return how many more there are than are shown; nothing for none."""
    return f'<p class="none">and {count:,} more, which -o json has</p>' if count > 0 else ""


def svg(width: float, height: float, told: str, parts: Iterable[str], *, drawn: str = "") -> str:
    """Return a drawing that says what it is; one that is `drawn` (a class of the style) has no text and fills its place."""
    stretched = f' class="drawn {drawn}" preserveAspectRatio="none"' if drawn else ""
    head = f'<svg viewBox="0 0 {width:g} {height:g}"{stretched} role="img" aria-label="{escape(told)}">'
    return "".join([head, f"<title>{escape(told)}</title>", *parts, "</svg>"])
