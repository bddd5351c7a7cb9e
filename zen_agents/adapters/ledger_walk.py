"""Walks along the chain of the ledger: every hash made again, every outcome brought to its intent, every signature checked.

A long ledger is walked in legs, one process each; a leg begins with the stored hash of the entry before it, which the leg
before it has made again. Reads only.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import BrokenExecutor, ProcessPoolExecutor
from dataclasses import field
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from zen_agents.adapters.audit_key import PublicKeys
from zen_agents.adapters.ledger_signatures import BrokenError, Signatures
from zen_agents.adapters.sqlite_store_file import StateFile, open_read_only
from zen_agents.adapters.sqlite_store_retention import CURSORS
from zen_agents.dataclass import dataclass
from zen_agents.errors import StoreError
from zen_agents.model.action import OutcomeKind
from zen_agents.model.entry import EntryKind
from zen_agents.store.checkpoint import CHECKPOINT
from zen_agents.store.ledger import GENESIS, entry_hash
from zen_agents.store.statements import SQL

_CURSOR_OF = {kind.value: cursor for cursor, kinds in CURSORS.items() for kind in kinds}
_FINAL = frozenset(kind.value for kind in OutcomeKind if kind.is_final)
#: Any number that a row can have: an entry before the first is one that nobody wrote.
_FIRST, _LAST = -(2**63), 2**63 - 1
_PAIRED = frozenset((EntryKind.INTENT.value, EntryKind.OUTCOME.value))
_SIGNED = frozenset((EntryKind.ENGINE.value, EntryKind.HUMAN.value))


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a ledger before it is walked along."""

    #: By cursor, the number of the last entry whose body retention may have dropped.
    dropped_to: Mapping[str, int] = field(default_factory=dict)
    #: Whose signatures count; None: no key is known, and signatures are only compared with what they are over.
    keys: PublicKeys | None = None


class Walk:
    """One walk along entries that follow each other, oldest first."""

    def __init__(self, known: Known, *, after: int = 0, head: bytes = GENESIS) -> None:
        """Begin behind the entry number `after`, whose hash is `head`."""
        self._dropped_to = known.dropped_to
        self.signatures = Signatures(known.keys)
        self.count = after
        self.before = self.head = head
        self.dropped = 0
        #: Wall and steady microseconds of the first entry and of the last.
        self.first: tuple[int, int] | None = None
        self.last: tuple[int, int] | None = None
        #: Intents without a final outcome.
        self.open: dict[str, None] = {}
        #: Final outcomes whose intent is not on this walk, in order, and whether they need one: what is undone had its end.
        self.alone: list[tuple[str, bool]] = []

    def along(self, file: StateFile, upto: int = _LAST) -> None:
        """Walk up to the entry number `upto`; raises BrokenError at the first that does not verify, sqlite3.Error."""
        begin = self.count + 1 if self.count else _FIRST
        # Closed at once: what is left of an unfinished reading would hold the state until the garbage is collected.
        with contextlib.closing(file.connection.execute(SQL["verify_entries"], (begin, upto))) as rows:
            self._over(rows)

    def go_on_with(self, leg: Walk) -> None:
        """Take over what the next leg found."""
        for action, needs_intent in leg.alone:
            self._close(action, needs_intent)
        self.open |= leg.open
        self.signatures.go_on_with(leg.signatures)
        self.count, self.head, self.dropped = leg.count, leg.head, self.dropped + leg.dropped
        self.first, self.last = self.first or leg.first, leg.last or self.last

    def _over(self, rows: Iterable[Sequence[Any]]) -> None:
        # Of a million entries each is touched here: what is kept of the last one is local until the walk ends.
        sha256, count, head, last = hashlib.sha256, self.count, self.head, self.last
        try:
            for seq, kind, id, wall_us, steady_us, actor, incident, action, body, body_hash, stored in rows:
                if seq != count + 1:
                    raise BrokenError(count + 1, "an entry is missing", f"entry {count + 1}", f"entry {seq}")
                if body is None:
                    self._note_dropped(seq, kind, id)
                elif sha256(body).digest() != body_hash:
                    raise BrokenError(seq, "its body was changed", body_hash.hex(), sha256(body).hexdigest())
                hash = entry_hash(head, seq, kind, id, wall_us, steady_us, actor, incident, action, body_hash)
                if hash != stored:
                    raise BrokenError(seq, "it, or the one before, was changed", hash.hex(), stored.hex())
                if kind in _PAIRED:
                    self._pair(kind, action, body)
                elif kind in _SIGNED:
                    self.signatures.note(seq, kind, id, body, head)
                count, head, last = seq, stored, (wall_us, steady_us)
                if self.first is None:
                    self.first = last
        except (TypeError, AttributeError, ValueError, RecursionError, sqlite3.OperationalError) as error:
            # A column of another type, or text that is no UTF-8: nothing the engine writes.
            raise BrokenError(count + 1, f"it cannot be read: {error}") from error
        finally:
            self.count, self.head, self.last = count, head, last

    def _note_dropped(self, seq: int, kind: str, id: str) -> None:
        cursor = _CURSOR_OF.get(kind)
        if id == CHECKPOINT or cursor is None or seq > self._dropped_to.get(cursor, 0):
            raise BrokenError(seq, "its body is gone, and not by retention")
        self.dropped += 1

    def _pair(self, kind: str, action: str, body: bytes | None) -> None:
        if kind == EntryKind.INTENT:
            self.open[action] = None
            return
        outcome = None if body is None else json.loads(body).get("outcome")
        if body is None or outcome in _FINAL:
            self._close(action, outcome != OutcomeKind.UNDONE)

    def _close(self, action: str, needs_intent: bool) -> None:
        if action in self.open:
            del self.open[action]
        else:
            self.alone.append((action, needs_intent))


def walk_in_legs(path: Path, known: Known, ends: Sequence[int]) -> Walk | None:
    """Walk along the entries up to the last of `ends`, a process for each leg between two of them.

    Returns None if a leg is broken or could not be walked; a walk in one snapshot says which it was.
    """
    walk = Walk(known)
    try:
        # Forked: what a leg needs is in memory already. Only a command verifies, and it has no other thread.
        with ProcessPoolExecutor(len(ends) - 1, mp_context=get_context("fork")) as processes:
            for leg in processes.map(partial(_leg, path, known), ends, ends[1:]):
                if leg is None or leg.before != walk.head:
                    return None
                walk.go_on_with(leg)
    except (OSError, BrokenExecutor):
        return None
    return walk


def _leg(path: Path, known: Known, after: int, upto: int) -> Walk | None:
    try:
        file = open_read_only(path)
        try:
            row = file.read_one("entry_hash", (after,))
            leg = Walk(known, after=after, head=bytes(row[0]) if row else GENESIS)
            leg.along(file, upto)
        finally:
            file.close()
    except (BrokenError, StoreError, sqlite3.Error, TypeError):
        return None
    return leg if leg.count == upto else None
