"""Ledger benchmark: durable appends a second beside bare sqlite3 inserting the same columns, and verified entries a second.

Runs A B A B on one file system and takes medians. `same table`: bare inserts into a table with the same columns and
indexes. `no index`: the same columns without any index.
"""

from __future__ import annotations

import sqlite3
import statistics
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from scripts.benchmarks.report import Figure
from zen_agents.adapters.audit_key import AuditKey, PublicKeys
from zen_agents.adapters.ledger_audit import verify
from zen_agents.adapters.sqlite_store import SqliteStore
from zen_agents.clock import Instant
from zen_agents.model.entry import Entry, EntryKind
from zen_agents.store.statements import SCHEMA_FILE, SQL

ROUNDS = 7
KEY = AuditKey(b"the key that signs the benchmark")
START = datetime(2026, 1, 4, tzinfo=UTC)


def entry(number: int) -> Entry:
    """Return a decision as the engine writes it."""
    guard = {"guard": "cooldown", "ruling": "deny", "reason": "cooldown", "value": "10m", "until": 12.5}
    body = {
        "rule": "system_health.web",
        "target": "service:web",
        "outcome": "skip",
        "reason": "cooldown",
        "detail": "http://127.0.0.1:8080/health did not answer within 2 s",
        "status": "problem",
        "value": number / 7,
        "action": "restart_service",
        "guards": [guard],
    }
    at = Instant(START + timedelta(seconds=number), float(number))
    return Entry(EntryKind.DECISION, f"dec-{number:06d}", at, "system_health", f"inc-{number % 97:06d}", None, body)


def bare(path: Path, *, indexed: bool) -> sqlite3.Connection:
    """Return bare sqlite3 with the same settings and columns."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    if indexed:
        connection.executescript(SCHEMA_FILE.read_text(encoding="utf-8"))
    else:
        connection.execute(
            "CREATE TABLE ledger (seq INTEGER PRIMARY KEY, kind TEXT, id TEXT, wall_us INTEGER, steady_us INTEGER,"
            " actor TEXT, incident TEXT, action TEXT, body TEXT, body_hash BLOB, hash BLOB)"
        )
    return connection


def rows_of(count: int, folder: Path) -> list[tuple[object, ...]]:
    """Return the columns that `count` entries have in the ledger."""
    store = SqliteStore(folder / "rows" / "state.db")
    for number in range(count):
        store.append(entry(number))
    store.commit()
    store.close()
    connection = sqlite3.connect(folder / "rows" / "state.db")
    rows = connection.execute(SQL["verify_entries"], (1, count)).fetchall()
    connection.close()
    return rows


def time_ours(path: Path, entries: list[Entry], batch: int) -> float:
    """Return seconds for appending all entries and their signatures, `batch` a commit."""
    store = SqliteStore(path)
    store.sign_with(KEY, lambda _: None, entries[0].at)
    began = time.perf_counter()
    for start in range(0, len(entries), batch):
        for one in entries[start : start + batch]:
            store.append(one)
        store.commit()
    took = time.perf_counter() - began
    store.close()
    return took


def time_bare(path: Path, rows: list[tuple[object, ...]], batch: int, *, indexed: bool) -> float:
    """Return seconds for inserting all rows, `batch` a commit."""
    connection = bare(path, indexed=indexed)
    sql = SQL["append_entry"]
    began = time.perf_counter()
    for start in range(0, len(rows), batch):
        connection.execute("BEGIN IMMEDIATE")
        for row in rows[start : start + batch]:
            connection.execute(sql, row)
        connection.execute("COMMIT")
    took = time.perf_counter() - began
    connection.close()
    return took


def appends(folder: Path, count: int, batch: int) -> tuple[float, float, float]:
    """Return medians of appends a second: ours, bare on the same table, bare without an index."""
    rows = rows_of(count, folder / f"c{batch}")
    entries = [entry(number) for number in range(count)]
    turns: tuple[Callable[[Path], float], ...] = (
        lambda path: time_ours(path / "state.db", entries, batch),
        lambda path: time_bare(path / "bare.db", rows, batch, indexed=True),
        lambda path: time_bare(path / "plain.db", rows, batch, indexed=False),
    )
    seconds: list[list[float]] = [[], [], []]
    for turn in range(ROUNDS):
        path = folder / f"b{batch}-{turn}"
        path.mkdir(mode=0o700)
        for index, run in enumerate(turns):
            seconds[index].append(run(path))
    ours, same, plain = (count / statistics.median(times) for times in seconds)
    return ours, same, plain


def verified(folder: Path, count: int) -> float:
    """Return the median of entries verified a second."""
    path = folder / "verify" / "state.db"
    time_ours(path, [entry(number) for number in range(count)], 1000)
    speeds, keys = [], PublicKeys({KEY.id: KEY.public})
    for _ in range(ROUNDS):
        began = time.perf_counter()
        found = verify(path, keys=keys)
        speeds.append(found.entries / (time.perf_counter() - began))
        if not found.ok:
            raise SystemExit(found.problem)
    return statistics.median(speeds)


def figures(folder: Path, quick: bool) -> Sequence[Figure]:
    """Measure everything of this part."""
    global ROUNDS  # noqa: PLW0603 - one number for all of it
    ROUNDS = 3 if quick else 7
    found = []
    for batch, count, goal in ((1, 1000, 0.8), (100, 20_000, 0.5)):
        ours, same, plain = appends(folder, count, batch)
        note = f"goal: {goal:.0%} of bare sqlite3, same table: {same:,.0f}/s; without an index {plain:,.0f}/s"
        found.append(
            Figure(
                f"durable appends, {batch} a commit",
                ours,
                "/s",
                goal * same,
                at_least=True,
                note=f"{ours / same:.0%}; {note}",
            )
        )
    speed = verified(folder, 50_000 if quick else 200_000)
    found.append(
        Figure(
            "audit verify, entries with their signatures",
            speed,
            "/s",
            200_000,
            at_least=True,
            note=f"sqlite {sqlite3.sqlite_version}",
        )
    )
    return found
