"""Keeps the state from growing: drops old rows, old bodies of the ledger, and gives the space back."""

from __future__ import annotations

import json
from collections.abc import Mapping

from zen_agents.adapters.sqlite_store_file import StateFile
from zen_agents.adapters.sqlite_store_ledger import LedgerEnd
from zen_agents.model.entry import Entry, EntryKind
from zen_agents.store.ledger import PRUNED

#: Most rows dropped of one table in one transaction, and most transactions of one call: no tick is held up for long.
MOST_ROWS = 20_000
MOST_ROUNDS = 25

#: Most pages given back to the file system in one transaction (4 MB).
_MOST_PAGES = 1_000

#: A log larger than this is written back and emptied by `prune`.
_MOST_LOG_BYTES = 8 * 1024 * 1024

#: Kinds whose bodies go by the retention of decisions, and of actions; each with its cursor in a `PRUNED` entry's body.
CURSORS: Mapping[str, frozenset[EntryKind]] = {
    "decisions_to_seq": frozenset({EntryKind.DECISION, EntryKind.ENGINE, EntryKind.ALERT}),
    "actions_to_seq": frozenset({EntryKind.INTENT, EntryKind.OUTCOME, EntryKind.HUMAN}),
}


def drop_rows(file: StateFile, *, metrics_before: float, decisions_before: float, actions_before: float) -> int:
    """Drop old rows of the plain tables within the pending batch; what is not finished stays. Return rows dropped."""
    dropped = 0
    for name, before in (
        ("prune_observations", metrics_before),
        ("prune_usage", metrics_before),
        ("prune_outbox", decisions_before),
        ("prune_actions", actions_before),
        ("prune_approvals", actions_before),
        ("prune_tokens", actions_before),
        ("prune_incidents", actions_before),
    ):
        dropped += file.write(name, {"before": before, "limit": MOST_ROWS})
    file.write("prune_series")
    return dropped


def drop_bodies(file: StateFile, ledger: LedgerEnd, *, decisions_before: float, actions_before: float) -> int:
    """Drop old bodies of ledger entries and write an entry saying up to where. Return bodies dropped."""
    at = ledger.last_instant()
    if at is None:
        return 0
    row = file.read_one("last_pruned")
    cursors: dict[str, int] = json.loads(row[0]) if row else {}
    dropped, moved_far = 0, False
    for cursor, before in (("decisions_to_seq", decisions_before), ("actions_to_seq", actions_before)):
        from_seq = cursors.get(cursor, 0)
        to_seq = _horizon(file, from_seq, before)
        kinds = json.dumps(sorted(CURSORS[cursor]))
        dropped += file.write("drop_bodies", {"from_seq": from_seq, "to_seq": to_seq, "kinds": kinds})
        moved_far = moved_far or to_seq - from_seq >= MOST_ROWS
        cursors[cursor] = to_seq
    if dropped or moved_far:
        body = {name: cursors[name] for name in CURSORS} | {"bodies": dropped}
        # The caller hands no clock in: the time is that of the entry before, which this one can only be later than.
        ledger.append(Entry(EntryKind.ENGINE, PRUNED, at, "engine", body=body))
    return dropped


def give_back(file: StateFile) -> None:
    """Return free pages to the file system and keep the log small; outside of a batch."""
    file.pragma(f"incremental_vacuum({_MOST_PAGES})")
    log = file.path.with_name(file.path.name + "-wal")
    if log.exists() and log.stat().st_size > _MOST_LOG_BYTES:
        file.pragma("wal_checkpoint(TRUNCATE)")


def _horizon(file: StateFile, from_seq: int, before: float) -> int:
    row = file.read_one("prune_horizon", {"from_seq": from_seq, "before_us": round(before * 1e6), "limit": MOST_ROWS})
    return int(row[0]) if row else from_seq
