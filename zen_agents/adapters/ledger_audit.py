"""Checks and exports the ledger. Reads only: works beside a running engine, and with the engine dead."""

from __future__ import annotations

import csv
import io
import json
import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from zen_agents.adapters.audit_key import PublicKeys
from zen_agents.adapters.ledger_heads import Head, compare
from zen_agents.adapters.ledger_signatures import BrokenError
from zen_agents.adapters.ledger_walk import Known, Walk, walk_in_legs
from zen_agents.adapters.sqlite_store_file import StateFile, open_read_only
from zen_agents.adapters.sqlite_store_reading import damaged, store_error
from zen_agents.adapters.sqlite_store_retention import CURSORS
from zen_agents.adapters.sqlite_store_rows import instant_of_microseconds, microseconds
from zen_agents.clock import Instant
from zen_agents.dataclass import dataclass
from zen_agents.store.ledger import canonical
from zen_agents.store.statements import SQL

Format = Literal["jsonl", "csv"]

_COLUMNS = ("seq", "kind", "id", "wall_us", "steady_us", "actor", "incident", "action", "body", "body_hash", "hash")
#: Entries that are worth a process of their own: an eighth of a second.
SHORTEST_LEG = 25_000
#: Before any moment that is written, also one of a clock that nobody had set.
_BEFORE_ALL = -(2**63)


@dataclass(frozen=True, slots=True)
class Verification:
    """What `verify` found. `problem` is "" and `ok` True if every entry is what was written and none is missing."""

    ok: bool
    #: Entries whose hashes verify, from the first on.
    entries: int
    first_at: Instant | None
    last_at: Instant | None
    #: Hash of the last of them; compare it with a copy elsewhere.
    head: str
    #: Number of the last entry that a checkpoint covers, how many checkpoints there are, and the ids of the keys.
    signed_to: int = 0
    checkpoints: int = 0
    signed_by: tuple[str, ...] = ()
    #: Whether the signatures themselves were checked: without a public key they are only compared with what they are over.
    signatures_checked: bool = False
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


def verify(
    path: Path, *, keys: PublicKeys | None = None, against: Sequence[Head] = (), leg: int = SHORTEST_LEG
) -> Verification:
    """Check every entry of the ledger at `path`; raises StoreError if the file cannot be read.

    `keys` are those whose signatures count; with any, a ledger without signatures does not verify. `against` are heads that
    were kept elsewhere. A ledger of at least two legs of `leg` entries is walked by as many processes as the machine has
    processors for it.
    """
    walk = _in_legs(path, keys, leg)
    file = open_read_only(path)
    try:
        # One snapshot: the engine may write meanwhile.
        file.connection.execute("BEGIN")
        broken: BrokenError | None = None
        to_walk = walk is None
        walk = walk or Walk(Known(_dropped_to(file), keys))
        try:
            if to_walk:
                walk.along(file)
            walk.signatures.require(walk.count)
            compare(file, walk.count, against)
        except BrokenError as error:
            broken = error
        unrecorded = tuple(id for (id,) in file.read("unrecorded_actions"))
        return _verification(walk, broken, unrecorded, checked=keys is not None)
    except sqlite3.Error as error:
        raise store_error(error, path) from error
    finally:
        file.close()


def _in_legs(path: Path, keys: PublicKeys | None, leg: int) -> Walk | None:
    """Return a walk that found nothing wrong; None if one process is to walk: a short way, or it is broken."""
    file = open_read_only(path)
    try:
        head = file.read_one("ledger_head")
        known = Known(_dropped_to(file), keys)
    finally:
        file.close()
    entries = int(head[0]) if head else 0
    count = min(entries // leg, len(os.sched_getaffinity(0)))
    if count < 2:
        return None
    ends = [entries * number // count for number in range(count + 1)]
    return walk_in_legs(path, known, ends)


def export(path: Path, *, since: datetime | None = None, after: int = 0, format: Format = "jsonl") -> Iterator[str]:
    """Yield the ledger as lines with their line ends, oldest first, from the wall-clock time `since` on, behind `after`.

    A line holds all that is hashed (see `store.ledger`), so that a copy verifies elsewhere. Raises StoreError.
    """
    from_us = _BEFORE_ALL if since is None else microseconds(Instant(since.astimezone(UTC), 0.0))[0]
    file = open_read_only(path)
    try:
        if format == "csv":
            yield _csv_line(("at", *_COLUMNS))
        for row in file.connection.execute(SQL["export_entries"], {"from_us": from_us, "after": after}):
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
            cursors = json.loads(body)
            dropped_to |= {name: int(cursors[name]) for name in CURSORS if name in cursors}
        except (ValueError, TypeError, OverflowError, RecursionError):
            continue  # dropped itself, or a changed entry: the walk says so
    return dropped_to


def _verification(walk: Walk, broken: BrokenError | None, unrecorded: tuple[str, ...], *, checked: bool) -> Verification:
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
        signed_to=walk.signatures.upto,
        checkpoints=walk.signatures.count,
        signed_by=tuple(walk.signatures.by),
        signatures_checked=checked,
        dropped_bodies=walk.dropped,
        broken_seq=broken.seq if broken else None,
        expected=broken.expected if broken else "",
        got=broken.got if broken else "",
        problem=problem,
        unpaired_intents=tuple(walk.open),
        unpaired_outcomes=tuple(action for action, needs_intent in walk.alone if needs_intent),
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
