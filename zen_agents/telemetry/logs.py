"""The engine's own log: lines for people on a terminal, fields for the journal, JSON lines for collectors.

The words are OpenTelemetry's: `event.name` says what happened, of few kinds; what is particular is in attributes (`zen.*`).
"""

from __future__ import annotations

import json
import logging
import os
import socket
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

_LEVELS = {-1: logging.ERROR, 0: logging.WARNING, 1: logging.INFO}
#: Facts that are called otherwise outside, where ids of several things stand side by side.
_ATTRIBUTES = {"incident": "zen.incident.id", "action_id": "zen.action.id"}


def set_up_logging(*, verbose: int = 0, quiet: bool = False) -> None:
    """Send the product's log to stderr, or to the journal behind it: warnings, with -v what happens, with -vv details."""
    out = _journal() if _is_journal(sys.stderr, os.environ) else logging.StreamHandler(sys.stderr)
    if type(out) is logging.StreamHandler:
        out.setFormatter(ForPeople() if sys.stderr.isatty() else ForPrograms(socket.gethostname()))
    # Else each line looks for the name of a process of a pool, and loads multiprocessing to find it.
    logging.logMultiprocessing = False
    root = logging.getLogger("zen_agents")
    root.handlers[:] = [out]
    root.propagate = False
    # A service's journal gets everything that happened; a terminal only what needs a look.
    usual = -1 if quiet else verbose if sys.stderr.isatty() else max(1, verbose)
    root.setLevel(_LEVELS.get(usual, logging.DEBUG))
    # Who watches a terminal wants to see what is done, and nothing of what is only decided.
    logging.getLogger("zen_agents.done").setLevel(logging.ERROR if quiet else logging.INFO)


def _journal() -> logging.Handler:
    from zen_agents.telemetry.journald import JournalHandler  # noqa: PLC0415  only under systemd

    return JournalHandler(otherwise=ForPrograms(socket.gethostname()))


def _is_journal(stream: Any, environ: Mapping[str, str]) -> bool:
    """Tell whether what is written there goes to systemd's journal, as it says of the streams that it hands out."""
    try:
        state = os.fstat(stream.fileno())
    except (OSError, ValueError, AttributeError):
        # A stream without a descriptor of its own is none of systemd's.
        return False
    return environ.get("JOURNAL_STREAM") == f"{state.st_dev}:{state.st_ino}"


class ForPeople(logging.Formatter):
    """One short line with the gist of what happened, and nothing that a terminal would obey."""

    def format(self, record: logging.LogRecord) -> str:
        moment = datetime.fromtimestamp(record.created, UTC).astimezone()
        line = f"{moment:%H:%M:%S} {record.levelname.lower():8} {in_words(record)}"
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


def in_words(record: logging.LogRecord) -> str:
    """Return what a record says, as one line of printable text."""
    text = "".join(c if c.isprintable() else " " for c in record.getMessage())
    # What is done says so itself.
    return text if record.name == "zen_agents.done" else f"{text}{_gist(record)}"


def _gist(record: logging.LogRecord) -> str:
    facts: dict[str, Any] = getattr(record, "zen", {})
    words = [str(facts[name]) for name in ("outcome", "action", "target", "reason", "detail") if facts.get(name)]
    return ": " + "".join(c if c.isprintable() else " " for c in " ".join(words)[:200]) if words else ""


def event_of(record: logging.LogRecord) -> str:
    """Return the kind of what happened: few, and the same for every host."""
    return str(getattr(record, "event", record.name))


class ForPrograms(logging.Formatter):
    """One JSON object a line."""

    def __init__(self, host: str) -> None:
        super().__init__()
        self._host = host

    def format(self, record: logging.LogRecord) -> str:
        facts: dict[str, Any] = getattr(record, "zen", {})
        body: dict[str, Any] = {
            "timestamp": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "severity": record.levelname.lower(),
            "event.name": event_of(record),
            "service.name": "zen-agents",
            "host.name": self._host,
            "body": record.getMessage(),
            **{_ATTRIBUTES.get(name, f"zen.{name}"): value for name, value in facts.items() if value not in (None, "")},
        }
        if record.exc_info and record.exc_info[0] is not None:
            body |= {"error.type": record.exc_info[0].__name__, "exception": self.formatException(record.exc_info)}
        return json.dumps(body, default=str)
