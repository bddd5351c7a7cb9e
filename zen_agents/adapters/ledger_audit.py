"""Checks and exports the ledger. Reads only: works beside a running engine, and with the engine dead."""

from __future__ import annotations

import contextlib
import csv
import hashlib
import io
import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from zen_agents.adapters.sqlite_store_file import StateFile, damaged, open_read_only, store_error
from zen_agents.adapters.sqlite_store_retention import CURSORS
from zen_agents.adapters.sqlite_store_rows import instant_of_microseconds, microseconds
from zen_agents.clock import Instant
from zen_agents.model.action import OutcomeKind
from zen_agents.model.entry import EntryKind
from zen_agents.store.ledger import GENESIS, canonical, entry_hash
from zen_agents.store.statements import SQL

Format = Literal["jsonl", "csv"]

_COLUMNS = ("seq", "kind", "id", "wall_us", "steady_us", "actor", "incident", "action", "body", "body_hash", "hash")
_CURSOR_OF = {kind.value: cursor for cursor, kinds in CURSORS.items() for kind in kinds}
_FINAL = frozenset(kind.value for kind in OutcomeKind if kind.is_final)


@dataclass(frozen=True, slots=True)
class Verification:
    """What `verify` found. `problem` is "" and `ok` True if every entry is what was written and none is missing."""

    ok: bool
    #: Entries that verify, from the first on.
    entries: int
    first_at: Instant | None
    last_at: Instant | None
    #: Hash of the last entry that verifies; compare it with the copy in the daily digest.
    head: str
    #: Bodies that retention dropped; their hashes are part of the chain.
    dropped_bodies: int = 0
    #: Number of the first entry that does not verify.
    broken_seq: int | None = None
    expected: str = ""
    got: str = ""
    problem: str = ""
    #: Intents without a final outcome: running now, or cut off.
    unpaired_intents: tuple[str, ...] = ()
    #: Outcomes without an intent before them.
    unpaired_outcomes: tuple[str, ...] = ()
    #: Actions the ledger knows nothing of: somebody cut its end off.
    unrecorded_actions: tuple[str, ...] = ()


class _BrokenError(Exception):
    """An entry that does not verify: number, problem, expected, got."""

    def __init__(self, seq: int, problem: str, expected: str = "", got: str = "") -> None:
        super().__init__(problem)
        self.seq, self.problem, self.expected, self.got = seq, problem, expected, got


class _Walk:
    """One walk over all entries, oldest first."""

    def __init__(self, dropped_to: dict[str, int]) -> None:
        #: Cursor -> number of the last entry whose body retention may have dropped.
        self._dropped_to = dropped_to
        self.count = 0
        self.head = GENESIS
        self.dropped = 0
        self.first: tuple[int, int] | None = None
        self.last: tuple[int, int] | None = None
        self.open: dict[str, None] = {}
        self.outcomes_alone: list[str] = []

    def over(self, rows: Iterable[Sequence[Any]]) -> None:
        """Go over `rows`; raises _BrokenError at the first entry that does not verify."""
        sha256, paired = hashlib.sha256, (EntryKind.INTENT.value, EntryKind.OUTCOME.value)
        try:
            for seq, kind, id, wall_us, steady_us, actor, incident, action, body, body_hash, stored in rows:
                if seq != self.count + 1:
                    raise _BrokenError(self.count + 1, "an entry is missing", f"entry {self.count + 1}", f"entry {seq}")
                if body is None:
                    self._note_dropped(seq, kind)
                elif sha256(body.encode()).digest() != body_hash:
                    raise _BrokenError(seq, "its body was changed", body_hash.hex(), sha256(body.encode()).hexdigest())
                hash = entry_hash(self.head, seq, kind, id, wall_us, steady_us, actor, incident, action, body_hash)
                if hash != stored:
                    raise _BrokenError(seq, "it, or the one before, was changed", hash.hex(), stored.hex())
                if kind in paired:
                    self._pair(kind, action, body)
                self.count, self.head, self.last = seq, stored, (wall_us, steady_us)
                if seq == 1:
                    self.first = self.last
        except (TypeError, AttributeError, ValueError, RecursionError, sqlite3.OperationalError) as error:
            # A column of another type, or text that is no UTF-8: nothing the engine writes.
            raise _BrokenError(self.count + 1, f"it cannot be read: {error}") from error

    def _note_dropped(self, seq: int, kind: str) -> None:
        if seq > self._dropped_to.get(_CURSOR_OF.get(kind, ""), 0):
            raise _BrokenError(seq, "its body is gone, and not by retention")
        self.dropped += 1

    def _pair(self, kind: str, action: str, body: str | None) -> None:
        if kind == EntryKind.INTENT:
            self.open[action] = None
        elif body is None or json.loads(body).get("outcome") in _FINAL:
            if action in self.open:
                del self.open[action]
            elif body is None or json.loads(body).get("outcome") != OutcomeKind.UNDONE:
                self.outcomes_alone.append(action)


def verify(path: Path) -> Verification:
    """Check every entry of the ledger at `path`; raises StoreError if the file cannot be read."""
    file = open_read_only(path)
    try:
        # One snapshot: the engine may write meanwhile.
        file.connection.execute("BEGIN")
        walk = _Walk(_dropped_to(file))
        broken: _BrokenError | None = None
        try:
            # Closed at once: what is left of an unfinished reading would hold the state until the garbage is collected.
            with contextlib.closing(file.connection.execute(SQL["verify_entries"])) as rows:
                walk.over(rows)
        except _BrokenError as error:
            broken = error
        unrecorded = tuple(id for (id,) in file.read("unrecorded_actions"))
        return _verification(walk, broken, unrecorded)
    except sqlite3.Error as error:
        raise store_error(error, path) from error
    finally:
        file.close()


def export(path: Path, *, since: datetime | None = None, format: Format = "jsonl") -> Iterator[str]:
    """Yield the ledger as lines with their line ends, oldest first, from the wall-clock time `since` on.

    A line holds all that is hashed (see `store.ledger`), so that a copy verifies elsewhere. Raises StoreError.
    """
    from_us = 0 if since is None else microseconds(Instant(since.astimezone(UTC), 0.0))[0]
    file = open_read_only(path)
    try:
        if format == "csv":
            yield _csv_line(("at", *_COLUMNS))
        for row in file.connection.execute(SQL["export_entries"], {"from_us": from_us}):
            yield _exported(dict(zip(_COLUMNS, row, strict=True)), format)
    except sqlite3.Error as error:
        raise store_error(error, path) from error
    except (TypeError, AttributeError, ValueError, OverflowError, RecursionError) as error:
        raise damaged(path, f"an entry of the ledger cannot be read: {error}") from error
    finally:
        file.close()


def _exported(columns: dict[str, Any], format: Format) -> str:
    columns["body_hash"], columns["hash"] = columns["body_hash"].hex(), columns["hash"].hex()
    at = instant_of_microseconds(columns["wall_us"], 0).wall.isoformat()
    if format == "csv":
        return _csv_line((at, *columns.values()))
    body = columns["body"]
    columns["body"] = None if body is None else json.loads(body)
    return canonical({"at": at, **columns}) + "\n"


def _dropped_to(file: StateFile) -> dict[str, int]:
    """Return up to where retention says it dropped bodies; the entries saying so are verified with all others."""
    dropped_to: dict[str, int] = {}
    for (body,) in file.read("pruned_entries"):
        try:
            cursors = json.loads(body or "{}")
            dropped_to |= {name: int(cursors[name]) for name in CURSORS if name in cursors}
        except (ValueError, TypeError, OverflowError, RecursionError):
            continue  # a changed entry: the walk says so
    return dropped_to


def _verification(walk: _Walk, broken: _BrokenError | None, unrecorded: tuple[str, ...]) -> Verification:
    problem = ""
    if broken:
        problem = f"Entry {broken.seq} does not verify: {broken.problem}."
    elif unrecorded:
        problem = f"{len(unrecorded)} actions have no entry, the first is {unrecorded[0]}: the ledger's end was cut off."
    return Verification(
        ok=not problem,
        entries=walk.count,
        first_at=_instant(walk.first),
        last_at=_instant(walk.last),
        head=walk.head.hex(),
        dropped_bodies=walk.dropped,
        broken_seq=broken.seq if broken else None,
        expected=broken.expected if broken else "",
        got=broken.got if broken else "",
        problem=problem,
        unpaired_intents=tuple(walk.open),
        unpaired_outcomes=tuple(walk.outcomes_alone),
        unrecorded_actions=unrecorded,
    )


def _instant(written: tuple[int, int] | None) -> Instant | None:
    """Return a moment as it was written; None for one that no calendar has, which verifies all the same."""
    try:
        return instant_of_microseconds(*written) if written else None
    except OverflowError:
        return None


def _csv_line(cells: Iterable[Any]) -> str:
    line = io.StringIO()
    csv.writer(line).writerow(cells)
    return line.getvalue()
