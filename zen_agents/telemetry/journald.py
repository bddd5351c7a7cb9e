"""The log as fields of systemd's journal: `journalctl ZEN_ACTION=act-7m3x` finds them. Imported only under systemd."""

from __future__ import annotations

import logging
import socket
import struct
import sys
from typing import Any

from zen_agents.telemetry.logs import event_of, in_words

SOCKET = "/run/systemd/journal/socket"
_PRIORITIES = {logging.DEBUG: 7, logging.INFO: 6, logging.WARNING: 4, logging.ERROR: 3, logging.CRITICAL: 2}
#: Facts of a record that are fields, with their names there.
_FIELDS = {
    "incident": "ZEN_INCIDENT", "action_id": "ZEN_ACTION", "rule": "ZEN_RULE", "target": "ZEN_TARGET",
    "outcome": "ZEN_OUTCOME", "reason": "ZEN_REASON", "actor": "ZEN_ACTOR", "id": "ZEN_ID",
}  # fmt: skip
#: Longer than this (characters) nothing is, so that a record fits into one datagram.
_LONGEST = 8192


class JournalHandler(logging.Handler):
    """Sends each record as one datagram; one that is not taken goes to stderr, which is the journal too."""

    def __init__(self, *, otherwise: logging.Formatter, path: str = SOCKET) -> None:
        super().__init__()
        self._path, self._otherwise = path, otherwise
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        # A journal that hangs must not hang the engine.
        self._socket.setblocking(False)

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._socket.sendto(_datagram(record, self._otherwise), self._path)
        except OSError:
            print(self._otherwise.format(record), file=sys.stderr)  # noqa: T201  the log itself

    def close(self) -> None:
        """Give back the socket."""
        self._socket.close()
        super().close()


def _datagram(record: logging.LogRecord, formatter: logging.Formatter) -> bytes:
    facts: dict[str, Any] = getattr(record, "zen", {})
    text = in_words(record)
    if record.exc_info:
        text += "\n" + formatter.formatException(record.exc_info)
    fields = {
        "MESSAGE": text, "PRIORITY": str(_PRIORITIES.get(record.levelno, 6)), "SYSLOG_IDENTIFIER": "zen-agents",
        "ZEN_EVENT": event_of(record),
        **{field: str(facts[name]) for name, field in _FIELDS.items() if facts.get(name)},
    }  # fmt: skip
    return b"".join(_field(name, value[:_LONGEST]) for name, value in fields.items())


def _field(name: str, value: str) -> bytes:
    """Return one field; the form with a length holds any text, so that no value can begin a field of its own."""
    content = value.encode("utf-8", "replace")
    return name.encode() + b"\n" + struct.pack("<Q", len(content)) + content + b"\n"
