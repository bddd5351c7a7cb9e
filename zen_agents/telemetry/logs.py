"""The engine's own log: lines for people on a terminal, JSON lines for journald and collectors (OpenTelemetry's words)."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Any

_LEVELS = {-1: logging.ERROR, 0: logging.WARNING, 1: logging.INFO}


def set_up_logging(*, verbose: int = 0, quiet: bool = False) -> None:
    """Send the product's log to stderr: warnings, with -v everything that happens, with -vv details."""
    out = logging.StreamHandler(sys.stderr)
    out.setFormatter(_ForPeople() if sys.stderr.isatty() else _ForPrograms())
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


class _ForPeople(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        moment = datetime.fromtimestamp(record.created, UTC).astimezone()
        text = "".join(c if c.isprintable() else " " for c in record.getMessage())
        line = f"{moment:%H:%M:%S} {record.levelname.lower():8} {text}{_gist(record)}"
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


def _gist(record: logging.LogRecord) -> str:
    facts: dict[str, Any] = getattr(record, "zen", {})
    words = [str(facts[name]) for name in ("outcome", "action", "target", "reason", "detail") if facts.get(name)]
    return ": " + " ".join(words)[:200] if words else ""


class _ForPrograms(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        body: dict[str, Any] = {
            "timestamp": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "severity": record.levelname.lower(),
            "event.name": record.name,
            "service.name": "zen-agents",
            "body": record.getMessage(),
            **getattr(record, "zen", {}),
        }
        if record.exc_info:
            body["exception"] = self.formatException(record.exc_info)
        return json.dumps(body, default=str)
