"""The HTML part of a mail: the text part's words in one table, no remote image, no script, no tracking; all text escaped."""

from __future__ import annotations

from zen_agents.alerts.plain_text import one_line, safe_address
from zen_agents.alerts.sections import Section, Step

_FONT = "font-family:Helvetica,Arial,sans-serif;font-size:15px;line-height:1.45;color:#1a1a1a"
_MONO = "font-family:Menlo,Consolas,monospace;font-size:13px"
_CELL = "padding:2px 16px"


def html_part(title: list[str], parts: list[Section], foot: list[str]) -> str:
    """Return a whole HTML document, 600 pixels wide, with inline styles only."""
    rows = [_row(f'<strong style="font-size:17px">{_safe(title[0], 400)}</strong>', top=True)] if title else []
    rows += [_row(_safe(sentence, 700)) for sentence in title[1:]]
    for part in parts:
        rows.append(_row(f'<span style="font-size:12px;color:#5a5a5a">{_safe(part.title, 200)}</span>', top=True))
        rows += [_row(_line(text, verbatim=part.verbatim)) for text in part.lines]
        rows += [_row(_step(step)) for step in part.steps]
    rows.append(
        _row(f'<span style="font-size:12px;color:#5a5a5a">{"<br>".join(_safe(line) for line in foot)}</span>', top=True)
    )
    return (
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light dark"></head>'
        f'<body style="margin:0;{_FONT}"><table role="presentation" width="600" style="width:100%;max-width:600px;'
        f'border-collapse:collapse">{"".join(rows)}</table></body></html>\n'
    )


def _row(cell: str, *, top: bool = False) -> str:
    return f'<tr><td style="{_CELL}{";padding-top:14px" if top else ""}">{cell}</td></tr>'


def _line(text: str, *, verbatim: bool) -> str:
    safe = _safe(text)
    return f'<span style="{_MONO}">{safe}</span>' if verbatim else safe


def _step(step: Step) -> str:
    label = f"{_safe(step.label)}: " if step.label else ""
    address = safe_address(step.command)
    shown = _safe(step.command)
    if address:
        shown = f'<a href="{_escape(address)}">{shown}</a>'
    note = f'<br><span style="font-size:12px;color:#5a5a5a">{_safe(step.note)}</span>' if step.note else ""
    return f'{label}<span style="{_MONO}">{shown}</span>{note}'


def _safe(text: str, limit: int = 1000) -> str:
    return _escape(one_line(text, limit))


def _escape(text: str) -> str:
    import html  # noqa: PLC0415 - its table of 2,000 entities need not be in memory before the first mail

    return html.escape(text, quote=True)
