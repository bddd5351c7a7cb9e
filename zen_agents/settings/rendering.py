"""Diagnostics as people and machines read them: full, concise, json, github, sarif."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from zen_agents.settings.codes import CODES
from zen_agents.settings.diagnostics import Diagnostic, Level, count

FORMATS = ("full", "concise", "json", "github", "sarif")
#: More than this many are counted, not shown.
MOST_SHOWN = 20
_RED, _YELLOW, _BLUE, _BOLD, _PLAIN = "\x1b[31;1m", "\x1b[33;1m", "\x1b[34;1m", "\x1b[1m", "\x1b[0m"


def render(diagnostics: Sequence[Diagnostic], form: str = "full", *, colour: bool = False, files: Sequence[str] = ()) -> str:
    """Return the diagnostics in a form of `FORMATS`, without a line end; "" if there is nothing to say.

    `files` are named in the summary that `full` and `concise` end with. Colour is for terminals; machine forms have none.
    """
    if form == "json":
        return json.dumps([as_json(diagnostic) for diagnostic in diagnostics], indent=2)
    if form == "sarif":
        return json.dumps(_sarif(diagnostics), indent=2)
    if form == "github":
        return "\n".join(_github(diagnostic) for diagnostic in diagnostics)
    if not diagnostics:
        return ""
    shown = diagnostics[:MOST_SHOWN]
    separator, one = ("\n\n", _full) if form == "full" else ("\n", _concise)
    text = separator.join(one(diagnostic, colour=colour) for diagnostic in shown)
    more = f"{separator}... and {len(diagnostics) - len(shown)} more" if len(diagnostics) > len(shown) else ""
    return f"{text}{more}{separator}{summary(diagnostics, files)}"


def summary(diagnostics: Sequence[Diagnostic], files: Sequence[str] = ()) -> str:
    """Return `3 errors, 1 warning in config.yaml`."""
    parts = []
    for level in Level:
        if number := count(diagnostics, level):
            parts.append(f"{number} {level.value}{'s' if number != 1 else ''}")
    names = files or sorted({diagnostic.place.document.name for diagnostic in diagnostics})
    return f"{', '.join(parts) or 'nothing wrong'} in {_listed(names)}"


def as_json(diagnostic: Diagnostic) -> dict[str, Any]:
    """Return one diagnostic as plain JSON values, lines and columns from 1 (0: no line)."""
    place = diagnostic.place
    return {
        "code": diagnostic.code,
        "level": diagnostic.level.value,
        "message": diagnostic.message,
        "file": place.document.name,
        "line": place.line,
        "column": place.column,
        "length": place.length,
        "label": diagnostic.label,
        "note": diagnostic.note,
        "help": diagnostic.help,
        "replacement": diagnostic.replacement,
    }


def _full(diagnostic: Diagnostic, *, colour: bool) -> str:
    red, blue, bold, plain = _paint(diagnostic, colour)
    place = diagnostic.place
    head = f"{red}{diagnostic.level.value}[{diagnostic.code}]{plain}{bold}: {_safe(diagnostic.message)}{plain}"
    if not place.line:
        return "\n".join([_without_place(head, diagnostic, plain), *_remarks(diagnostic, " ", blue, plain)])
    gutter = " " * len(str(place.line))
    excerpt = _safe(place.excerpt, tabs=True)
    indent = "".join("\t" if character == "\t" else " " for character in place.excerpt[: place.column - 1])
    caret = f"{red}{'^' * place.length}{' ' if diagnostic.label else ''}{_safe(diagnostic.label)}{plain}"
    lines = [
        head,
        f"{gutter}{blue}-->{plain} {place}",
        f"{gutter} {blue}|{plain}",
        f"{blue}{place.line} |{plain} {excerpt}",
        f"{gutter} {blue}|{plain} {indent}{caret}",
    ]
    return "\n".join([*lines, *_remarks(diagnostic, gutter, blue, plain)])


def _without_place(head: str, diagnostic: Diagnostic, plain: str) -> str:
    """Return one line for what stands in no file: an environment variable, a flag, or the whole file."""
    name = diagnostic.place.document.name
    text = f"{_safe(name)}{':' if diagnostic.message.startswith(chr(34)) else ''} {_safe(diagnostic.message)}"
    label = f"; {diagnostic.label}" if diagnostic.label else ""
    first = head.split(": ", 1)[0]
    return f"{first}: {text}{_safe(label)}{plain}"


def _concise(diagnostic: Diagnostic, *, colour: bool) -> str:
    red, _, _, plain = _paint(diagnostic, colour)
    label = f" ({_safe(diagnostic.label)})" if diagnostic.label else ""
    level = f"{red}{diagnostic.level.value}[{diagnostic.code}]{plain}"
    return f"{_safe(str(diagnostic.place))}: {level} {_safe(diagnostic.message)}{label}"


def _github(diagnostic: Diagnostic) -> str:
    place = diagnostic.place
    where = f"file={_property(place.document.name)}"
    if place.line:
        where += f",line={place.line},col={place.column},endColumn={place.column + place.length}"
    label = f" ({diagnostic.label})" if diagnostic.label else ""
    text = _safe(f"{diagnostic.code} {diagnostic.message}{label}")
    return f"::{diagnostic.level.value} {where}::{_escape(text)}"


def _escape(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _escape(text).replace(":", "%3A").replace(",", "%2C")


def _sarif(diagnostics: Sequence[Diagnostic]) -> dict[str, Any]:
    used = sorted({diagnostic.code for diagnostic in diagnostics})
    pages = [(code, CODES[code]) for code in used]
    rules = [{"id": code, "shortDescription": {"text": page.what}, "help": {"text": page.fix}} for code, page in pages]
    return {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": {"name": "zen-agents", "rules": rules}},
                "results": [_sarif_result(diagnostic) for diagnostic in diagnostics],
            }
        ],
    }


def _sarif_result(diagnostic: Diagnostic) -> dict[str, Any]:
    place = diagnostic.place
    physical: dict[str, Any] = {"artifactLocation": {"uri": place.document.name}}
    if place.line:
        end = place.column + place.length
        physical["region"] = {"startLine": place.line, "startColumn": place.column, "endColumn": end}
    label = f" ({diagnostic.label})" if diagnostic.label else ""
    return {
        "ruleId": diagnostic.code,
        "level": diagnostic.level.value,
        "message": {"text": diagnostic.message + label},
        "locations": [{"physicalLocation": physical}],
    }


def _remarks(diagnostic: Diagnostic, gutter: str, blue: str, plain: str) -> list[str]:
    remarks = (("note", diagnostic.note), ("help", diagnostic.help))
    return [f"{gutter} {blue}={plain} {name}: {_safe(text)}" for name, text in remarks if text]


def _paint(diagnostic: Diagnostic, colour: bool) -> tuple[str, str, str, str]:
    if not colour:
        return "", "", "", ""
    return (_RED if diagnostic.level is Level.ERROR else _YELLOW), _BLUE, _BOLD, _PLAIN


def _safe(text: str, *, tabs: bool = False) -> str:
    """Return the text without control characters: a configuration file must not drive a terminal."""
    return "".join(c if c.isprintable() or (tabs and c == "\t") else "\N{REPLACEMENT CHARACTER}" for c in text)


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names) if len(names) <= 3 else f"{len(names)} files"
