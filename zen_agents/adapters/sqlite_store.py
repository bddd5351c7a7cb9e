"""The durable state in one SQLite file: WAL, every commit on disk before it returns, nothing half written."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from dataclasses import asdict
from math import inf
from pathlib import Path

from zen_agents.adapters.sqlite_store_actions import ActionTables
from zen_agents.adapters.sqlite_store_ballast import lay_ballast
from zen_agents.adapters.sqlite_store_brakes import ApprovalTables, BrakeTables
from zen_agents.adapters.sqlite_store_entries import LedgerTables
from zen_agents.adapters.sqlite_store_file import (
    Connect,
    StateFile,
    open_copy,
    open_in_memory,
    open_read_only,
    open_writable,
)
from zen_agents.adapters.sqlite_store_incidents import IncidentTables
from zen_agents.adapters.sqlite_store_ledger import LedgerEnd
from zen_agents.adapters.sqlite_store_measurements import MeasurementTables
from zen_agents.adapters.sqlite_store_outbox import OutboxTables
from zen_agents.adapters.sqlite_store_retention import MOST_ROUNDS, drop_bodies, drop_rows, give_back
from zen_agents.adapters.sqlite_store_schema import create, ensure_schema, require_schema
from zen_agents.clock import Anchor
from zen_agents.model.redaction import Redaction
from zen_agents.store.ledger import canonical, clean_text

_ANCHOR = "anchor"


class SqliteStore(ActionTables, ApprovalTables, BrakeTables, IncidentTables, LedgerTables, MeasurementTables, OutboxTables):
    """`ports.store.Store` made real. One connection, used by the thread that opened it.

    A write that fails raises StoreError, its whole batch is gone, and `writable()` is False until a later commit succeeds.
    Incidents, breakers and brakes are lasting: they never raise, and are written again after a batch that was lost.
    """

    def __init__(self, path: Path, *, connect: Connect = sqlite3.connect) -> None:
        """Open the state for the engine, making or migrating it as needed.

        Raises SchemaTooNewError for a state of a newer zen-agents, StoreError for everything else.
        """
        file = open_writable(path, connect=connect)
        try:
            ensure_schema(file)
        except BaseException:
            file.close()
            raise
        self._attach(file)

    @classmethod
    def open_read_only(cls, path: Path) -> SqliteStore:
        """Open the state for looking; every write raises StoreError. Works beside a running engine and on a newer schema."""
        store = cls.__new__(cls)
        store._attach(open_read_only(path))
        return store

    @classmethod
    def volatile(cls) -> SqliteStore:
        """Open an empty state in memory, for watching and telling while the real one is unusable: never `writable()`."""
        store = cls.__new__(cls)
        file = open_in_memory()
        create(file.connection)
        store._attach(file, lasts=False)
        store._acts = False
        return store

    @classmethod
    def snapshot(cls, path: Path | None) -> SqliteStore:
        """Open a copy of the state, empty if there is none, for rehearsals: what is written is gone when it is closed."""
        file = open_copy(path)
        try:
            require_schema(file, path)
        except BaseException:
            file.close()
            raise
        store = cls.__new__(cls)
        store._attach(file, lasts=False)
        return store

    def _attach(self, file: StateFile, *, lasts: bool = True) -> None:
        self._file, self._lasts = file, lasts
        #: False where nothing may be done on the word of this state.
        self._acts = True
        self._ledger = LedgerEnd(file)
        self._series = {}
        file.on_rollback.append(self._series.clear)

    # -- life ---------------------------------------------------------------------------------------------------------
    def commit(self) -> None:
        """Make all pending writes durable in one transaction; cheap when there are none."""
        self._file.commit("batch")

    def close(self) -> None:
        """Close; what was not committed is dropped."""
        self._file.close()

    def writable(self) -> bool:
        """Tell whether the last write succeeded; False means: do not act."""
        return self._file.writable and self._acts

    def lost_batches(self) -> int:
        """Return how many batches were dropped since it was opened."""
        return self._file.lost_batches

    def redact_with(self, redaction: Redaction) -> None:
        """Leave out of all that is written from now on what this leaves out; what undoing needs stays, and is withheld."""
        self._file.redaction = redaction

    def require_readable(self, agents: Iterable[str]) -> None:
        """Read what a start of these agents rests on; raises StoreError if some of it cannot be: it is as good as none."""
        for name in agents:
            self.agent_state(name)
        self.anchor(), self.head(), self.brakes()
        self.live_incidents(), self.unfinished(), self.due_messages(inf, limit=1), self.open_pages()

    # -- facts about this state ---------------------------------------------------------------------------------------
    def get(self, name: str) -> str | None:
        """Return a small named fact."""
        return self._file.read_one_as(lambda row: str(row[0]), "get_fact", {"name": name})

    def put(self, name: str, value: str) -> None:
        """Write a small named fact within the pending batch."""
        self._file.write("put_fact", {"name": name, "value": clean_text(value)})

    def anchor(self) -> Anchor | None:
        """Return where the steady timeline stood when it was last saved."""
        return self._file.read_one_as(lambda row: Anchor(**json.loads(row[0])), "get_fact", {"name": _ANCHOR})

    def save_anchor(self, anchor: Anchor) -> None:
        """Write where the steady timeline stands within the pending batch."""
        self.put(_ANCHOR, canonical(asdict(anchor)))

    # -- retention ----------------------------------------------------------------------------------------------------
    def prune(self, *, metrics_before: float, decisions_before: float, actions_before: float) -> int:
        """Drop what is older, durably, in short transactions; return rows and bodies dropped.

        Unfinished actions, live incidents and pending messages stay. A call drops at most half a million rows of a table
        (half a second); what is left goes with the next. The ledger keeps the hashes of dropped bodies and says itself up
        to where they were dropped. Also gives free space back to the disk and calls `keep_room`.
        """
        dropped = 0
        for _ in range(MOST_ROUNDS):
            rows = drop_rows(
                self._file,
                metrics_before=metrics_before,
                decisions_before=decisions_before,
                actions_before=actions_before,
            )
            self._series.clear()
            rows += drop_bodies(self._file, self._ledger, decisions_before=decisions_before, actions_before=actions_before)
            self._file.commit("prune")
            give_back(self._file)
            dropped += rows
            if not rows:
                break
        self.keep_room()
        return dropped

    def keep_room(self) -> None:
        """Keep 4 MB of disk aside for the state, while there is plenty: acting on a full disk takes a durable intent."""
        if self._lasts:
            lay_ballast(self._file.path)
