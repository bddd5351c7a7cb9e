"""Draws what a terminal shows as an SVG: terminal_picture.py TITLE < text > picture.svg

Lines that begin with `$ ` are what was typed. The text comes from a real run; see docs/contributing.md.
"""

from __future__ import annotations

import re
import sys
from html import escape

_CHARACTER, _LINE, _MARGIN, _BAR = 7.8, 19, 16, 34
_COLOURS = (
    (re.compile(r"^\$ .*"), "typed"),
    (re.compile(r"\bverified\b|\bact restart_service\b|\bENFORCE\b"), "good"),
    (re.compile(r"\bhas ended\b|\bDOWN\b"), "bad"),
)
_STYLE = """text { font: 13px ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; fill: #d4d4d8; white-space: pre }
.typed { fill: #ffffff; font-weight: 600 } .good { fill: #86efac } .bad { fill: #fca5a5 } .title { fill: #a1a1aa }"""


def spans(line: str) -> str:
    """Return a line as escaped text with coloured parts."""
    places = sorted((match.span(), name) for pattern, name in _COLOURS for match in pattern.finditer(line))
    out, at = [], 0
    for (start, end), name in places:
        if start < at:
            continue
        out += [escape(line[at:start]), f'<tspan class="{name}">{escape(line[start:end])}</tspan>']
        at = end
    return "".join([*out, escape(line[at:])])


def picture(lines: list[str], title: str) -> str:
    """Return the SVG."""
    width = round(max(map(len, lines)) * _CHARACTER + 2 * _MARGIN)
    height = _BAR + len(lines) * _LINE + _MARGIN
    tops = range(_BAR + _LINE - 5, height, _LINE)
    rows = [f'<text x="{_MARGIN}" y="{top}">{spans(line)}</text>' for top, line in zip(tops, lines, strict=False)]
    size = f'viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img">',
        f"<title>{escape(title)}</title>",
        f"<style>{_STYLE}</style>",
        f'<rect width="{width}" height="{height}" rx="8" fill="#18181b"/>',
        f'<text class="title" x="{_MARGIN}" y="23">{escape(title)}</text>',
        *rows,
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


if __name__ == "__main__":
    sys.stdout.write(picture(sys.stdin.read().rstrip().splitlines(), sys.argv[1]))
