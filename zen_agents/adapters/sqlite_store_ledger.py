"""The writing end of the ledger, and reading entries back."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from zen_agents.adapters.sqlite_store_file import StateFile, damaged
from zen_agents.adapters.sqlite_store_rows import entry_of, instant_of_microseconds, microseconds
from zen_agents.clock import Instant
from zen_agents.model.entry import ChainedEntry, Entry, EntryKind
from zen_agents.store.ledger import GENESIS, clean_text, entry_hash, sealed


class LedgerEnd:
    """Chains entries to the last one."""

    def __init__(self, file: StateFile) -> None:
        self._file = file
        #: seq and hash of the last entry as far as this end knows; None: to be read.
        self._last: tuple[int, bytes] | None = None
        # What was rolled back never was.
        file.on_rollback.append(self._forget)

    def _forget(self) -> None:
        self._last = None

    def head(self) -> tuple[int, bytes]:
        """Return seq and hash of the last entry, (0, GENESIS) if there is none."""
        return self._file.read_one_as(_head_of, "ledger_head") or (0, GENESIS)

    def last_instant(self) -> Instant | None:
        """Return when the last entry was written."""
        return self._file.read_one_as(lambda row: instant_of_microseconds(*row), "ledger_head_instant")

    def append(self, entry: Entry) -> None:
        """Chain an entry within the pending batch; raises StoreError."""
        self._file.begin()
        if not self._chained(entry):
            # Another process wrote since the last batch: its entry has the number that this one was to get.
            self._forget()
            if not self._chained(entry):
                raise damaged(self._file.path, "the ledger's numbers do not follow each other")

    def _chained(self, entry: Entry) -> bool:
        """Write an entry behind the last one that this end knows of; False if its number is taken."""
        last_seq, last_hash = self._last or self.head()
        seq, kind, incident, action = last_seq + 1, entry.kind.value, entry.incident, entry.action
        id, actor = clean_text(entry.id), clean_text(entry.actor)
        wall_us, steady_us = microseconds(entry.at)
        body, body_hash = sealed(entry.body)
        hash = entry_hash(last_hash, seq, kind, id, wall_us, steady_us, actor, incident, action, body_hash)
        row = (seq, kind, id, wall_us, steady_us, actor, incident, action, body, body_hash, hash)
        if not self._file.write("append_entry", row):
            return False
        self._last = (seq, hash)
        return True

    def entries(
        self,
        *,
        since: int,
        kinds: Iterable[EntryKind],
        incident: str | None,
        action: str | None,
        limit: int,
        newest_first: bool,
    ) -> Sequence[ChainedEntry]:
        """Return entries after the number `since`."""
        of = "_of_action" if action is not None else "_of_incident" if incident is not None else ""
        wanted = [kind.value for kind in kinds]
        return self._file.read_as(
            lambda row: entry_of(row, GENESIS),
            f"entries{of}_{'newest' if newest_first else 'oldest'}_first",
            {
                "since": since,
                "kinds": json.dumps(wanted) if wanted else None,
                "incident": incident,
                "action": action,
                "limit": limit,
            },
        )


def _head_of(row: Sequence[Any]) -> tuple[int, bytes]:
    seq, hash = row
    return seq, bytes(memoryview(hash))
