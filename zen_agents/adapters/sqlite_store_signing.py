"""Signs the end of the ledger: where the format wants it, and whatever has waited for long."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from zen_agents.adapters.sqlite_store_file import StateFile
from zen_agents.clock import Instant
from zen_agents.model.entry import Checkpoint, Entry, EntryKind
from zen_agents.store.checkpoint import CHECKPOINT, MOST_UNSIGNED, checkpoint_body, checkpoint_of, is_signed_at_once

if TYPE_CHECKING:
    from zen_agents.adapters.audit_key import AuditKey

#: No entry waits longer for a signature (seconds).
SIGN_WITHIN = 600.0

#: Told of a checkpoint once it is durable; never blocks and never raises.
Witness = Callable[[Checkpoint], None]


class Signing:
    """One key at the end of one ledger."""

    def __init__(self, file: StateFile, key: AuditKey, witness: Witness) -> None:
        self._file, self._key, self._witness = file, key, witness
        #: Number of the last checkpoint's entry as far as is known; None: to be read.
        self._last: int | None = None
        self._to_tell: Checkpoint | None = None
        file.on_rollback.append(self._forget)
        file.on_commit.append(self._tell)

    def is_due(self, seq: int, kind: str, id: str) -> bool:
        """Tell whether the entry with this number, just written, has to be signed before the next one."""
        return seq - self._last_signed() >= MOST_UNSIGNED or is_signed_at_once(kind, id)

    def waits_since(self, seq: int) -> float | None:
        """Return when the first entry that is not signed was written (steady), with `seq` the last; None if all are."""
        first = self._last_signed() + 1
        row = self._file.read_one("entry_steady", (first,)) if first <= seq else None
        return row[0] / 1e6 if row else None

    def entry(self, seq: int, hash: bytes, at: Instant) -> Entry:
        """Return the checkpoint over the entry with this number and hash, to be written behind it."""
        self._to_tell = self._key.checkpoint(seq, hash.hex())
        self._last = seq + 1
        return Entry(EntryKind.ENGINE, CHECKPOINT, at, "engine", body=checkpoint_body(self._to_tell))

    def _last_signed(self) -> int:
        if self._last is None:
            row = self._file.read_one("last_checkpoint")
            self._last = int(row[0]) if row else 0
        return self._last

    def _tell(self) -> None:
        told, self._to_tell = self._to_tell, None
        if told is not None:
            self._witness(told)

    def _forget(self) -> None:
        self._last = self._to_tell = None


def checkpoint_of_row(row: Sequence[Any]) -> Checkpoint:
    """Return the checkpoint of a row (seq, body)."""
    return checkpoint_of(json.loads(row[1]))
