"""The writing end of the ledger, and reading entries back."""

from __future__ import annotations

import json
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from zen_agents.adapters.sqlite_store_file import StateFile
from zen_agents.adapters.sqlite_store_reading import damaged
from zen_agents.adapters.sqlite_store_rows import entry_of, instant_of_microseconds, microseconds
from zen_agents.adapters.sqlite_store_signing import SIGN_WITHIN, Signing, checkpoint_of_row
from zen_agents.clock import Instant
from zen_agents.model.entry import ChainedEntry, Checkpoint, Entry, EntryKind
from zen_agents.store.ledger import GENESIS, clean_text, entry_hash, sealed


class LedgerEnd:
    """Chains entries to the last one."""

    def __init__(self, file: StateFile) -> None:
        self._file = file
        #: Signs what is written; None leaves it unsigned.
        self.signing: Signing | None = None
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
        """Chain an entry within the pending batch, and sign it where that is due; raises StoreError."""
        body = self._file.redaction.value(entry.body)
        if body is not entry.body:
            entry = replace(entry, body=body)
        self._file.begin()
        seq, hash = self._chain(entry)
        if self.signing is not None and self.signing.is_due(seq, entry.kind, entry.id):
            self._chain(self.signing.entry(seq, hash, entry.at))

    def sign_waiting(self, at: Instant, within_seconds: float = SIGN_WITHIN) -> None:
        """Sign what has waited for so long within the pending batch; raises StoreError."""
        if self.signing is None:
            return
        since = self.signing.waits_since(self.head()[0])
        if since is not None and at.steady - since >= within_seconds:
            self._sign(self.signing, at)

    def begin_signing(self, signing: Signing, at: Instant) -> None:
        """Sign from now on, beginning with all that is there; raises StoreError."""
        self.signing = signing
        seq, _ = self.head()
        if seq == 0 or signing.waits_since(seq) is not None:
            self._sign(signing, at)

    def _sign(self, signing: Signing, at: Instant) -> None:
        # Within the batch nobody else writes, so that what is signed is what the checkpoint follows.
        self._file.begin()
        seq, hash = self.head()
        self._chain(signing.entry(seq, hash, at))

    def last_checkpoint(self) -> Checkpoint | None:
        """Return what was signed last."""
        return self._file.read_one_as(checkpoint_of_row, "last_checkpoint")

    def _chain(self, entry: Entry) -> tuple[int, bytes]:
        """Write an entry and return its number and hash."""
        chained = self._chained(entry)
        if chained is None:
            # Another process wrote since the last batch: its entry has the number that this one was to get.
            self._forget()
            chained = self._chained(entry)
        if chained is None:
            raise damaged(self._file.path, "the ledger's numbers do not follow each other")
        return chained

    def _chained(self, entry: Entry) -> tuple[int, bytes] | None:
        """Write an entry behind the last one that this end knows of; None if its number is taken."""
        last_seq, last_hash = self._last or self.head()
        seq, kind, incident, action = last_seq + 1, str(entry.kind), entry.incident, entry.action
        id, actor = clean_text(entry.id), clean_text(entry.actor)
        wall_us, steady_us = microseconds(entry.at)
        body, body_hash = sealed(entry.body)
        hash = entry_hash(last_hash, seq, kind, id, wall_us, steady_us, actor, incident, action, body_hash)
        row = (seq, kind, id, wall_us, steady_us, actor, incident, action, body, body_hash, hash)
        if not self._file.write("append_entry", row):
            return None
        self._last = (seq, hash)
        return self._last

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

    def decision(self, id: str) -> ChainedEntry | None:
        """Return one decision, None if there is none of this id."""
        return self._file.read_one_as(lambda row: entry_of(row, GENESIS), "decision", {"id": id})

    def entries_before(self, steady: float) -> int:
        """Return the number of the last entry written before this moment, 0 if none was; the entries follow each other."""
        moment, (last, _) = round(steady * 1e6), self.head()
        return bisect_left(range(1, last + 1), moment, key=self._steady_of)

    def _steady_of(self, seq: int) -> int:
        row = self._file.read_one("entry_steady", (seq,))
        return int(row[0]) if row else 0

    def skipped(self, after: int, upto: int) -> Mapping[str, int]:
        """Return how often each reason kept the engine from acting between two entries, the most frequent first."""
        rows = self._file.read_as(lambda row: (str(row[0]), int(row[1])), "skipped_between", {"after": after, "upto": upto})
        return dict(rows)

    def decisions_between(self, since: float, until: float, *, after: int, limit: int) -> Sequence[ChainedEntry]:
        """Return decisions about incidents of that time (steady) whose number is larger than `after`, oldest first."""
        params = {"since": after, "from_us": round(since * 1e6), "to_us": round(until * 1e6), "limit": limit}
        return self._file.read_as(lambda row: entry_of(row, GENESIS), "decisions_between", params)


def _head_of(row: Sequence[Any]) -> tuple[int, bytes]:
    seq, hash = row
    return seq, bytes(memoryview(hash))
