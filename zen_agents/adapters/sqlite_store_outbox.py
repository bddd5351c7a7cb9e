"""Messages to people, until they are delivered or given up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from zen_agents.adapters.sqlite_store_file import StateFile
from zen_agents.adapters.sqlite_store_rows import message_json, message_of, outbox_row_of
from zen_agents.clock import Instant
from zen_agents.model.message import Message, MessageKind
from zen_agents.ports.store import OutboxRow
from zen_agents.store.ledger import clean_text

#: A channel whose name starts so keeps pages that must be resolved.
_PAGER = "pagerduty"
_TRIGGERS = frozenset({MessageKind.FIRING, MessageKind.ENGINE, MessageKind.ROLL_UP})
#: An error text of a channel longer than this is cut.
_MOST_ERROR_CHARS = 500


class OutboxTables:
    """Messages on their way, and pages that are open."""

    _file: StateFile

    def enqueue(self, message: Message, channels: Sequence[str], not_before: float) -> None:
        """Put a message into the outbox for each channel, once, within the pending batch; lasting, but raises StoreError."""
        text = message_json(self._file.redaction.message(message))
        for channel in channels:
            self._file.write_kept(
                "enqueue",
                f"{message.id} {channel}",
                {
                    "message_id": message.id,
                    "channel": channel,
                    "message": text,
                    "made_at": message.at.steady,
                    "not_before": not_before,
                },
            )

    def due_messages(self, now: float, *, limit: int = 50) -> Sequence[OutboxRow]:
        """Return messages that may be tried now, oldest first."""
        return self._file.read_as(outbox_row_of, "due_messages", {"now": now, "limit": limit})

    def mark_sent(self, id: int, at: Instant) -> None:
        """Write that a channel took a message; keeps the list of open pages."""
        row = self._file.read_one("outbox_message", {"id": id})
        self._file.write("mark_sent", {"id": id, "done_at": at.steady, "done_wall": at.wall.timestamp()})
        if row and row[1].startswith(_PAGER):
            self._note_page(message_of(row[0]))

    def mark_failed(self, id: int, error: str, *, not_before: float, give_up: bool) -> None:
        """Write that a channel did not take a message, and whether it is tried again."""
        self._file.write(
            "mark_failed",
            {
                "id": id,
                "state": "gave_up" if give_up else "pending",
                "last_error": clean_text(error)[:_MOST_ERROR_CHARS],
                "not_before": not_before,
            },
        )

    def open_pages(self) -> Mapping[str, str]:
        """Return dedup keys triggered on PagerDuty and not resolved there, with the incident ("" for the engine's own)."""
        return dict(self._file.read("open_pages"))

    def sent_since(self, channel: str, since: float) -> int:
        """Return how many messages a channel took since then."""
        return self._file.count("sent_since", {"channel": channel, "since": since})

    def told(self, since: float) -> Sequence[tuple[float, str, str]]:
        """Return when (Unix seconds) what reached people since then (steady), on which channel, how severe; oldest first."""
        return self._file.read_as(lambda row: (float(row[0]), str(row[1]), str(row[2])), "told_since", {"since": since})

    def _note_page(self, message: Message) -> None:
        if message.kind is MessageKind.RESOLVED:
            self._file.write("close_page", {"dedup_key": message.dedup_key})
        elif message.kind in _TRIGGERS:
            self._file.write("open_page", {"dedup_key": message.dedup_key, "incident": message.incident or ""})
