"""Untrusted text made harmless and short enough: no control characters, no line breaks, no direction overrides (R17)."""

from __future__ import annotations

import re
import textwrap

#: Columns of a mail's text part.
COLUMNS = 78

_ID = re.compile(r"[a-z]{3}-[0-9a-z]{4,16}")
_WORD = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:@+-]{0,99}")
_ADDRESS = re.compile(r"https?://[^\s<>\"'`\\]{1,900}")


def one_line(text: str, limit: int = 1000) -> str:
    """Return printable text on one line, single-spaced, cut to `limit` characters with `...`."""
    # Longer input is cut before it is looked at, so that the cost is bounded by the limit and not by the sender.
    piece = text[: 4 * limit + 16]
    if not piece.isprintable():
        piece = "".join(character if character.isprintable() else " " for character in piece)
    return cut(" ".join(piece.split()), limit)


def cut(text: str, limit: int) -> str:
    """Return text of at most `limit` characters, ending in `...` if something is missing."""
    return text if len(text) <= limit else text[: max(0, limit - 3)] + "..."[:limit]


def wrapped(text: str, *, indent: str = "", hanging: str | None = None, most: int = 4) -> list[str]:
    """Return one-lined text broken at 78 columns into at most `most` lines, the last ending in `...` if more was there."""
    lines = textwrap.wrap(
        one_line(text),
        COLUMNS,
        initial_indent=indent,
        subsequent_indent=indent if hanging is None else hanging,
        break_on_hyphens=False,
    )
    if len(lines) <= most:
        return lines
    return [*lines[: most - 1], cut(lines[most - 1][: COLUMNS - 3] + "...", COLUMNS)]


def safe_id(id: str | None) -> str:
    """Return an id of ours, "" for anything that does not look like one: only such ids become part of a command."""
    return id if id and _ID.fullmatch(id) else ""


def safe_word(word: str) -> str:
    """Return a name that needs no quoting in a shell, "" for any other: only such names become part of a command."""
    return word if _WORD.fullmatch(word) else ""


def safe_address(text: str) -> str:
    """Return an http or https address, "" for anything else: no other scheme becomes a link."""
    return text if _ADDRESS.fullmatch(text) else ""
