"""A signed ledger, and somebody who forges it: with root, sqlite3 and all knowledge of the format, but without the key."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support.state import START, an_entry, an_intent, an_outcome
from zen_agents.adapters.audit_key import AuditKey
from zen_agents.adapters.sqlite_store import SqliteStore
from zen_agents.clock import ManualClock
from zen_agents.model.action import OutcomeKind
from zen_agents.model.entry import Checkpoint, Entry, EntryKind
from zen_agents.store.checkpoint import CHECKPOINT, checkpoint_body
from zen_agents.store.ledger import GENESIS, entry_hash, sealed

#: seq, kind, id, wall_us, steady_us, actor, incident, action, body, body_hash, hash.
Row = list[Any]
COLUMNS = ("seq", "kind", "id", "wall_us", "steady_us", "actor", "incident", "action", "body", "body_hash", "hash")
SEQ, KIND, ID, BODY, BODY_HASH, HASH = 0, 1, 2, 8, 9, 10


@dataclass
class SignedLedger:
    """A state directory, its key, and what its engine told the world."""

    folder: Path
    key: AuditKey
    told: list[Checkpoint] = field(default_factory=list)

    @property
    def path(self) -> Path:
        return self.folder / "state.db"

    def opened(self, clock: ManualClock) -> SqliteStore:
        """Open it as an engine does that starts."""
        store = SqliteStore(self.path)
        store.sign_with(self.key, self.told.append, clock.now())
        return store


def signed_ledger(folder: Path, write: Callable[[SqliteStore, ManualClock], None]) -> SignedLedger:
    """Make a signed ledger of what `write` writes."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    ledger, clock = SignedLedger(folder, AuditKey.of(folder)), ManualClock(START, 100.0)
    ledger.key.publish(folder)
    store = ledger.opened(clock)
    write(store, clock)
    store.commit()
    store.close()
    return ledger


def an_engines_day(store: SqliteStore, clock: ManualClock) -> None:
    """Write 40 entries with their signatures: a start, decisions, two acts, what a person did, and the stop."""
    store.append(Entry(EntryKind.ENGINE, "started", clock.now(), "engine", body={"mode": "enforce"}))
    for number in range(26):
        store.append(an_entry(f"dec-{number}", at=clock.advance(60.0), incident="inc-1" if number % 2 else None))
        if number == 5:
            store.reserve(an_intent("act-1", clock.now()), hourly_limit=5)
            store.finish(an_outcome("act-1", OutcomeKind.VERIFIED, clock.now()))
        if number in (11, 17):
            store.append(an_entry("pause", kind=EntryKind.HUMAN, at=clock.now(), body={"reason": "a look", "uid": 0}))
            store.commit()
    store.append(Entry(EntryKind.ENGINE, "stopped", clock.advance(1.0), "engine", body={"reason": "SIGTERM"}))


def rows_of(path: Path) -> list[Row]:
    """Return the rows of a ledger."""
    connection = sqlite3.connect(path)
    rows = [list(row) for row in connection.execute(f"SELECT {', '.join(COLUMNS)} FROM ledger ORDER BY seq")]
    connection.close()
    return rows


class Forger:
    """Writes rows in the place of a ledger's own."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None)
        self._connection.execute("PRAGMA synchronous = OFF")
        for trigger in ("ledger_keeps_entries", "ledger_drops_only_bodies"):
            self._connection.execute(f"DROP TRIGGER IF EXISTS {trigger}")

    def write(self, rows: Iterable[Row]) -> None:
        self._connection.execute("BEGIN")
        self._connection.execute("DELETE FROM ledger")
        self._connection.executemany(f"INSERT INTO ledger VALUES ({', '.join('?' * len(COLUMNS))})", rows)
        self._connection.execute("COMMIT")

    def close(self) -> None:
        self._connection.close()


def rechained(rows: list[Row], start: int, *, key: AuditKey | None = None) -> list[Row]:
    """Number and chain the rows anew from the index `start` on; with a key, sign the checkpoints anew as well."""
    head = rows[start - 1][HASH] if start else GENESIS
    for index in range(start, len(rows)):
        row = rows[index]
        row[SEQ] = index + 1
        if key is not None and row[ID] == CHECKPOINT:
            row[BODY], row[BODY_HASH] = sealed(checkpoint_body(key.checkpoint(index, head.hex())))
        head = row[HASH] = entry_hash(head, *row[:8], row[BODY_HASH])
    return rows


def renamed(row: Row) -> None:
    """Make a decision of an entry, so that it needs no signature and is none."""
    row[KIND], row[ID] = EntryKind.DECISION.value, f"dec-x{row[SEQ]}"
    row[BODY], row[BODY_HASH] = sealed({"outcome": "skip", "was": json.loads(row[BODY]).get("seq")})
