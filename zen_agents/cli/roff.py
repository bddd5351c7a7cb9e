"""Text as a manual page writes it (man(7)): nothing in it is taken for a request."""

from __future__ import annotations

import re
from collections.abc import Sequence

_CODE = re.compile(r"`([^`]+)`")


def escaped(text: str) -> str:
    """Return text that stands for itself, on however many lines."""
    plain = text.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq").replace("^", "\\(ha").replace("~", "\\(ti")
    plain = plain.replace("`", "\\(ga")
    return "\n".join(f"\\&{line}" if line.startswith((".", "\\(aq")) else line for line in plain.split("\n"))


def inline(text: str) -> str:
    """Return one paragraph, with what stands in backquotes set in bold."""
    parts = _CODE.split(" ".join(text.split()))
    return "".join(f"\\fB{escaped(part)}\\fR" if index % 2 else escaped(part) for index, part in enumerate(parts))


def heading(name: str, section: int, version: str) -> str:
    """Return the first line of a page; it has no date, so that it is the same however often it is made."""
    return f'.TH {escaped(name.upper())} {section} "" "zen\\-agents {version}" "zen\\-agents"'


def section(title: str, *blocks: str) -> str:
    """Return a section, "" if there is nothing in it."""
    body = [block for block in blocks if block]
    return "\n".join([f".SH {title}", *body]) if body else ""


def paragraphs(text: str) -> str:
    """Return text with a space between paragraphs; what is indented stays as it is."""
    found = []
    for block in re.split(r"\n\s*\n", text.strip("\n")):
        literal = block.startswith("  ")
        found.append(verbatim(block) if literal else inline(block))
    return "\n.PP\n".join(found)


def verbatim(text: str) -> str:
    """Return text that keeps its lines."""
    return f".nf\n{escaped(text)}\n.fi"


def definitions(pairs: Sequence[tuple[str, str]]) -> str:
    """Return terms, each with what it means below it."""
    return "\n".join(f".TP\n\\fB{escaped(term)}\\fR\n{inline(meaning) or chr(92) + '&'}" for term, meaning in pairs)
