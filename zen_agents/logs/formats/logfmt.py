"""Lines of `name=value` pairs: logfmt, as Go programs, Heroku and Grafana's write."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import ClassVar

from zen_agents.logs.formats.base import MOST_FIELDS, Format, Found
from zen_agents.logs.levels import level_of
from zen_agents.logs.record import LEVEL, MESSAGE
from zen_agents.logs.stamps import Stamps

_PAIR = re.compile(r'([A-Za-z_@][^\s="]{0,63})=(?:"((?:[^"\\]|\\.)*+)"|([^\s"]*))(?:\s++|$)')
_ESCAPED = re.compile(r'\\(["\\])')
#: One pair may be anywhere; so many at its beginning make a line logfmt.
_FEWEST = 2
_TIMES = ("time", "ts", "timestamp", "t", "at")


class Logfmt(Format):
    """Pairs a line."""

    name: ClassVar[str] = "logfmt"
    summary: ClassVar[str] = "Lines of `name=value` pairs, values in quotation marks where they have spaces."

    def find(self, line: str, stamps: Stamps) -> Found | None:
        """Return the pairs, and level and message under their common names; what comes after the last pair is left."""
        fields = dict(pairs(line))
        if len(fields) < _FEWEST:
            return None
        time = next((fields[name] for name in _TIMES if name in fields), "")
        if said := fields.get("level") or fields.get("lvl"):
            fields[LEVEL] = level_of(said)
        if said := fields.get("msg") or fields.get("message"):
            fields[MESSAGE] = said
        return stamps.read(time), fields


def pairs(text: str) -> Iterator[tuple[str, str]]:
    """Yield the pairs that a text begins with, as many as an entry may have fields."""
    at = len(text) - len(text.lstrip(" "))
    for _ in range(MOST_FIELDS):
        found = _PAIR.match(text, at)
        if found is None:
            return
        at = found.end()
        yield found[1], _ESCAPED.sub(r"\1", found[2]) if found[2] is not None else found[3]
