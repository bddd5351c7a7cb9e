"""A JSON object a line, as most structured loggers and container runtimes write."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from zen_agents.logs.formats.base import MOST_FIELDS, Format, Found
from zen_agents.logs.levels import level_of
from zen_agents.logs.record import HOST, LEVEL, MESSAGE, PID, PROGRAM
from zen_agents.logs.stamps import Stamps

#: Under which names loggers write what every format calls the same; the first that is there counts.
_SPELLED = {
    MESSAGE: ("message", "msg", "log", "event", "body", "short_message"),
    LEVEL: ("level", "severity", "lvl", "levelname", "log.level", "loglevel", "severity_text"),
    HOST: ("host", "hostname", "host.name"),
    PROGRAM: ("program", "service", "service.name", "app", "logger", "name"),
    PID: ("pid", "process.pid", "process"),
}
_TIMES = ("timestamp", "@timestamp", "time", "ts", "datetime", "date", "t")
#: Objects within objects become `outer.inner`, down to this depth; what is deeper is kept as JSON.
_DEPTH = 4


class JsonLines(Format):
    """An object a line; `time_key` names the field with the time where it is none of the usual ones."""

    name: ClassVar[str] = "json"
    summary: ClassVar[str] = "A JSON object a line; objects within it become fields `outer.inner`."

    def __init__(self, time_key: str = "") -> None:
        self._times = (time_key,) if time_key else _TIMES

    def find(self, line: str, stamps: Stamps) -> Found | None:
        """Return all fields as text, those of every format under their common names as well."""
        if not line.lstrip(" ").startswith("{"):
            return None
        try:
            entry = json.loads(line)
        except (ValueError, RecursionError):
            return None
        if not isinstance(entry, dict):
            return None
        fields = dict(_flat(entry))
        time = next((fields[name] for name in self._times if name in fields), "")
        for field, spellings in _SPELLED.items():
            if said := next((fields[name] for name in spellings if fields.get(name)), ""):
                fields[field] = said
        if LEVEL in fields:
            fields[LEVEL] = level_of(fields[LEVEL])
        return stamps.read(time), fields


def _flat(entry: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the fields in their order, those of objects within at their place; no more than there may be."""
    waiting, left = [iter(entry.items())], MOST_FIELDS
    names: list[str] = []
    while waiting and left:
        name, value = next(waiting[-1], ("", waiting))
        if value is waiting:
            waiting.pop()
            del names[-1:]
        elif isinstance(value, dict) and value and len(waiting) < _DEPTH:
            waiting.append(iter(value.items()))
            names.append(name)
        else:
            left -= 1
            yield _sound(".".join([*names, name])), _sound(_text(value))


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    try:
        return json.dumps(value, ensure_ascii=False)
    except (ValueError, RecursionError):
        return ""


def _sound(text: str) -> str:
    """Return text that can be written: JSON can spell half a surrogate pair."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()
