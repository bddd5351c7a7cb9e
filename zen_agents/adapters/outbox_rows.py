"""The rows of the outbox: in the store, and beside it while the store cannot be written (R14, R15).

What is told meanwhile goes to a file of one JSON object a line and is delivered from memory; once the store takes writes
again, or at the next start, it moves there, and so does what was delivered meanwhile: a page that is open has to be known.
What was sent but could not be marked is remembered, so that a broken store does not make one mail a hundred. A crash in
between may still send a message twice; none is lost that was on disk.
"""

from __future__ import annotations

import json
import logging
import os
import stat
from collections.abc import Sequence
from dataclasses import replace
from math import inf
from pathlib import Path
from typing import Any

from zen_agents.adapters.durable_file import append_line, replace_durably, sync
from zen_agents.adapters.sqlite_store_rows import instant_of, message_json, message_of
from zen_agents.clock import Instant
from zen_agents.dataclass import dataclass
from zen_agents.errors import StoreError
from zen_agents.model.message import Message
from zen_agents.ports.store import OutboxRow, Store

log = logging.getLogger("zen_agents.outbox")

#: Rows kept outside of the store, and rows looked at in one go.
MOST_SPILLED = 500
MOST_PENDING = 1000
_MOST_FILE_BYTES = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class _Settled:
    """What became of a row of the store and is not written there yet."""

    row: OutboxRow
    #: sent, gave_up or pending (to be tried again).
    state: str
    at: Instant
    error: str = ""
    not_before: float = 0.0


class OutboxRows:
    """Rows that wait, wherever they are. No method raises for a store or disk that fails."""

    def __init__(self, store: Store, spill: Path) -> None:
        self._store, self._spill = store, spill
        #: Written within a batch that somebody else may roll back; written again by `confirm`.
        self._unconfirmed: dict[str, tuple[Message, list[str], float]] = {}
        self._settled: dict[int, _Settled] = {}
        self._spilled: dict[int, OutboxRow] = {}
        #: What became of rows beside the store, which has still to know of it: that somebody was told, that a page is open.
        self._ended_aside: dict[int, _Settled] = {}
        self._last_spilled = 0
        self._read_spill()

    def add(self, message: Message, channels: Sequence[str], not_before: float) -> None:
        """Take a message for these channels; behind what was told before it under its key, wherever that waits."""
        if self._store.writable() and not self._waits_aside(message.dedup_key):
            try:
                self._store.enqueue(message, channels, not_before)
            except StoreError as error:
                log.error("the outbox cannot be written, spilling: %s", error)
            else:
                known = self._unconfirmed.setdefault(f"{message.id} {not_before}", (message, [], not_before))
                known[1].extend(channels)
                return
        for channel in channels:
            self._keep_aside(message, channel, not_before)

    def confirm(self) -> bool:
        """Write what is not certainly durable yet, in one batch of its own; return False if the store does not take it."""
        if not (self._unconfirmed or self._settled or self._spilled or self._ended_aside):
            return True
        moves = self._store.writable()
        try:
            self._write_all()
            self._store.commit()
        except StoreError as error:
            log.error("the outbox cannot be written, going on from memory: %s", error)
            self._spill_unconfirmed()
            return False
        self._unconfirmed.clear()
        self._settled.clear()
        if moves and self._store.writable() and (self._ended_aside or self._spilled):
            self._ended_aside.clear()
            self._spilled.clear()
            self._rewrite()
        return True

    def pending(self) -> list[OutboxRow]:
        """Return rows that wait for delivery, in the order in which they were told."""
        rows: list[OutboxRow] = []
        try:
            rows.extend(self._as_settled(row) for row in self._store.due_messages(inf, limit=MOST_PENDING))
        except StoreError as error:
            log.error("the outbox cannot be read: %s", error)
        there = {(row.message.id, row.channel) for row in rows}
        aside = [self._spilled[id] for id in sorted(self._spilled, reverse=True)]
        ended = {(settled.row.message.id, settled.row.channel) for settled in self._ended_aside.values()}
        # A batch of somebody else may have saved a message before the write failed that put it aside.
        return [row for row in rows if row.state == "pending" and (row.message.id, row.channel) not in ended] + [
            row for row in aside if (row.message.id, row.channel) not in there
        ]

    def aside(self) -> list[OutboxRow]:
        """Return rows that are beside the store, ended or not, in the order in which they were told."""
        ended = [replace(settled.row, state=settled.state) for settled in self._ended_aside.values()]
        return sorted((*ended, *self._spilled.values()), key=lambda row: row.message.at.steady)

    def sent(self, row: OutboxRow, at: Instant) -> None:
        """Note that a channel took a row."""
        self._settle(_Settled(row, "sent", at))

    def failed(self, row: OutboxRow, error: str, at: Instant, *, not_before: float, give_up: bool) -> None:
        """Note that a channel did not take a row, and when to try again unless it is given up."""
        self._settle(_Settled(row, "gave_up" if give_up else "pending", at, error, not_before))

    def _settle(self, settled: _Settled) -> None:
        if settled.row.id < 0 and settled.row.id not in self._spilled:
            # It moved into the store while it was on its way.
            settled = replace(settled, row=self._moved(settled.row))
        id = settled.row.id
        if id >= 0:
            self._settled[id] = settled
            if settled.state != "pending":
                self._drop_aside(settled.row)
        elif settled.state == "pending" and id in self._spilled:
            self._spilled[id] = _tried(settled)
        elif self._spilled.pop(id, None):
            self._ended_aside[id] = settled
            if len(self._ended_aside) > MOST_SPILLED:
                del self._ended_aside[max(self._ended_aside)]
            self._rewrite()

    def _moved(self, row: OutboxRow) -> OutboxRow:
        try:
            waiting = self._store.due_messages(inf, limit=MOST_PENDING)
        except StoreError as error:
            log.error("the outbox cannot be read, a message may come twice: %s", error)
            return row
        same = (twin for twin in waiting if (twin.message.id, twin.channel) == (row.message.id, row.channel))
        return next(same, row)

    def _drop_aside(self, row: OutboxRow) -> None:
        twins = [
            id for id, twin in self._spilled.items() if (twin.message.id, twin.channel) == (row.message.id, row.channel)
        ]
        for id in twins:
            del self._spilled[id]
        if twins:
            self._rewrite()

    def _as_settled(self, row: OutboxRow) -> OutboxRow:
        settled = self._settled.get(row.id)
        return row if settled is None else _tried(settled)

    def _write_all(self) -> None:
        for message, channels, not_before in self._unconfirmed.values():
            self._store.enqueue(message, channels, not_before)
        if self._store.writable():
            for settled in self._ended_aside.values():
                row = settled.row
                self._store.enqueue(row.message, (row.channel,), row.not_before)
                self._mark(replace(settled, row=self._moved(row)))
        for settled in self._settled.values():
            self._mark(settled)
        if self._store.writable():  # what is set aside moves only to a state that lasts
            for id in sorted(self._spilled, reverse=True):
                row = self._spilled[id]
                self._store.enqueue(row.message, (row.channel,), row.not_before)

    def _mark(self, settled: _Settled) -> None:
        if settled.state == "sent":
            self._store.mark_sent(settled.row.id, settled.at)
        else:
            gives_up = settled.state == "gave_up"
            self._store.mark_failed(settled.row.id, settled.error, not_before=settled.not_before, give_up=gives_up)

    def _spill_unconfirmed(self) -> None:
        unconfirmed, self._unconfirmed = self._unconfirmed, {}
        for message, channels, not_before in unconfirmed.values():
            for channel in channels:
                self._keep_aside(message, channel, not_before)

    def _waits_aside(self, dedup_key: str) -> bool:
        """Tell whether an end, say, would be taken for older than its beginning if it went to the store before it."""
        return any(row.message.dedup_key == dedup_key for row in self._spilled.values())

    def _keep_aside(self, message: Message, channel: str, not_before: float) -> None:
        if len(self._spilled) >= MOST_SPILLED:
            log.error("not told, too much waits while the state cannot be written: %s", message.summary)
            return
        self._last_spilled -= 1
        row = OutboxRow(self._last_spilled, message, channel, 0, not_before, "pending")
        self._spilled[row.id] = row
        try:
            self._append(_line(row))
        except OSError as error:
            log.error("only in memory, the spill file cannot be written (%s): %s", error, message.summary)

    # -- the file -----------------------------------------------------------------------------------------------------
    def _append(self, text: str) -> None:
        made = not self._spill.exists()
        descriptor = append_line(self._spill, text.encode())
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        if made:
            sync(self._spill.parent)

    def _rewrite(self) -> None:
        """Write the file anew with what is still there; drop it when nothing is."""
        try:
            ended = [_line(settled.row, settled) for _, settled in sorted(self._ended_aside.items(), reverse=True)]
            lines = ended + [_line(self._spilled[id]) for id in sorted(self._spilled, reverse=True)]
            if lines:
                replace_durably(self._spill, "".join(lines).encode())
            else:
                self._spill.unlink(missing_ok=True)
        except OSError as error:
            log.error("%s cannot be rewritten, a message may come twice after a restart: %s", self._spill, error)

    def _read_spill(self) -> None:
        try:
            lines = _trusted_lines(self._spill)
        except FileNotFoundError:
            # Nothing was spilled.
            return
        except OSError as error:
            log.error("%s is left alone: %s", self._spill, error)
            return
        for line in lines[: 2 * MOST_SPILLED]:
            self._last_spilled -= 1
            try:
                row, ended = _row_of(line, self._last_spilled)
            except (ValueError, KeyError, TypeError, ArithmeticError) as error:
                log.error("a line of %s is no message: %s", self._spill, error)
            else:
                if ended is None:
                    self._spilled[row.id] = row
                else:
                    self._ended_aside[row.id] = ended


def _tried(settled: _Settled) -> OutboxRow:
    row = settled.row
    return replace(
        row, attempts=row.attempts + 1, state=settled.state, last_error=settled.error, not_before=settled.not_before
    )


def _line(row: OutboxRow, ended: _Settled | None = None) -> str:
    values: dict[str, Any] = {"channel": row.channel, "not_before": row.not_before, "message": message_json(row.message)}
    if ended is not None:
        at = {"at": ended.at.steady, "wall": ended.at.wall.timestamp()}
        values["ended"] = {"state": ended.state, "error": ended.error, "not_before": ended.not_before, **at}
    return json.dumps(values, separators=(",", ":")) + "\n"


def _row_of(line: str, id: int) -> tuple[OutboxRow, _Settled | None]:
    """Return the row of a line, and what became of it if it has ended.

    Raises ValueError, KeyError, TypeError or ArithmeticError for anything else.
    """
    values = json.loads(line)
    row = OutboxRow(id, message_of(values["message"]), str(values["channel"]), 0, float(values["not_before"]), "pending")
    ended = values.get("ended")
    if ended is None:
        return row, None
    if ended["state"] not in ("sent", "gave_up"):
        raise ValueError(f"{ended['state']!r} is no end of a message")
    at = instant_of(float(ended["at"]), float(ended["wall"]))
    return row, _Settled(row, ended["state"], at, str(ended["error"]), float(ended["not_before"]))


def _trusted_lines(path: Path) -> list[str]:
    """Return the lines of a file that only its owner, root or this account, may write (R21)."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    with os.fdopen(descriptor, encoding="utf-8", errors="replace") as file:
        state = os.fstat(file.fileno())
        if not stat.S_ISREG(state.st_mode) or state.st_uid not in (0, os.geteuid()) or state.st_mode & 0o022:
            raise PermissionError(
                f"its owner or mode is not trusted (uid {state.st_uid}, mode {state.st_mode & 0o7777:04o})"
            )
        return file.read(_MOST_FILE_BYTES).splitlines()
