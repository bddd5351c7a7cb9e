"""The ledger as the store hands it out: entries are chained, signed and read here, and how is `sqlite_store_ledger`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from zen_agents.adapters.sqlite_store_file import StateFile
from zen_agents.adapters.sqlite_store_ledger import LedgerEnd
from zen_agents.adapters.sqlite_store_signing import Signing, Witness
from zen_agents.clock import Instant
from zen_agents.model.entry import ChainedEntry, Checkpoint, Entry, EntryKind

if TYPE_CHECKING:
    from zen_agents.adapters.audit_key import AuditKey


class LedgerTables:
    """Part of `SqliteStore`: the ledger."""

    _file: StateFile
    _ledger: LedgerEnd

    def append(self, entry: Entry) -> None:
        """Chain an entry to the ledger within the pending batch; a body that is too large is cut."""
        self._ledger.append(entry)

    def sign_with(self, key: AuditKey, witness: Witness, at: Instant) -> None:
        """Sign the ledger from now on, beginning durably with all that is there; raises StoreError."""
        self._ledger.begin_signing(Signing(self._file, key, witness), at)
        self._file.commit("batch")

    def sign_waiting(self, at: Instant) -> None:
        """Sign within the pending batch what has waited for ten minutes; nothing if the ledger is not signed."""
        self._ledger.sign_waiting(at)

    def last_checkpoint(self) -> Checkpoint | None:
        """Return what was signed last, None if nothing was."""
        return self._ledger.last_checkpoint()

    def head(self) -> tuple[int, str]:
        """Return number and hash of the last ledger entry; (0, genesis) if there is none."""
        seq, hash = self._ledger.head()
        return seq, hash.hex()

    def entries(
        self,
        *,
        since: int = 0,
        kinds: Iterable[EntryKind] = (),
        incident: str | None = None,
        action: str | None = None,
        limit: int = 1000,
        newest_first: bool = False,
    ) -> Sequence[ChainedEntry]:
        """Return entries whose number is larger than `since`; a body dropped by retention is empty."""
        return self._ledger.entries(
            since=since, kinds=kinds, incident=incident, action=action, limit=limit, newest_first=newest_first
        )

    def decision(self, id: str) -> ChainedEntry | None:
        """Return one decision, None if there is none of this id."""
        return self._ledger.decision(id)

    def decisions_between(self, since: float, until: float, *, after: int = 0, limit: int = 1000) -> Sequence[ChainedEntry]:
        """Return decisions about incidents of that time (steady) whose number is larger than `after`, oldest first."""
        return self._ledger.decisions_between(since, until, after=after, limit=limit)

    def entries_before(self, steady: float) -> int:
        """Return the number of the last entry that was written before this moment, 0 if none was."""
        return self._ledger.entries_before(steady)

    def skipped(self, after: int, upto: int) -> Mapping[str, int]:
        """Return how often each reason kept the engine from acting, in the entries between two numbers."""
        return self._ledger.skipped(after, upto)
