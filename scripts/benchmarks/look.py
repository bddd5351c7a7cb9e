"""How long people wait: `status` beside a living engine and `why` on a state of a million ledger entries.

Each is a process of its own, started as a person would; beside it the bare start of the same interpreter, in turn with it.
"""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from scripts.benchmarks import leaks
from scripts.benchmarks.processes import REPOSITORY, EngineProcess, environment
from scripts.benchmarks.report import Figure, median, spread
from zen_agents.adapters.ledger_audit import verify
from zen_agents.adapters.sqlite_store import SqliteStore
from zen_agents.adapters.sqlite_store_rows import incident_columns
from zen_agents.clock import Instant, SystemClock
from zen_agents.model.entry import EntryKind
from zen_agents.model.incident import Incident, IncidentState, incident_key
from zen_agents.model.observation import Status
from zen_agents.model.redaction import Redaction
from zen_agents.model.severity import Severity
from zen_agents.store.ledger import GENESIS, entry_hash, sealed
from zen_agents.store.statements import SQL

DEFAULT = REPOSITORY / "config" / "default.yaml"
#: Entries about each incident.
EACH = 50
#: Different bodies; what is read is as large as it would be, and made only once.
BODIES = 97
_SECONDS_APART = 5


def figures(folder: Path, quick: bool) -> Sequence[Figure]:
    """Measure everything of this part."""
    entries = 100_000 if quick else 1_000_000
    state = folder / "large"
    began = time.monotonic()
    last = write_ledger(state, entries)
    made = f"{entries:,} entries, made in {time.monotonic() - began:.0f} s"
    rounds = 5 if quick else 15
    found = []
    middle = f"inc-{entries // EACH // 2:06d}"
    for name, words in (
        ("why @last", ("why", "@last")),
        ("why of an incident in the middle", ("why", middle)),
        ("why of a decision", ("why", f"dec-{entries // 3:07d}")),
        ("why --not a check", ("why", "--not", last.target)),
        ("why --not a check, --at", ("why", "--not", last.target, "--at", f"{last.began_at.wall:%Y-%m-%dT%H:%M:%S+00:00}")),
    ):
        found.append(_figure(name, words, state, rounds, 0.3, made))
    with EngineProcess(DEFAULT, folder / "live") as engine:
        engine.first_turn()
        found.append(_tab(engine.state, rounds))
        found.append(_figure("status beside a living engine", ("status",), engine.state, rounds, 0.1, "config/default.yaml"))
    found.append(_figure("status of a dead engine", ("status",), state, rounds, 0.1, made))
    return [*found, *leaks.figures(folder)]


def _figure(name: str, words: Sequence[str], state: Path, rounds: int, goal: float | None, about: str) -> Figure:
    """Time a command and the bare start in turn."""
    ours, bare = [], []
    command = [sys.executable, "-m", "zen_agents", "--state-dir", str(state), *words]
    for _ in range(rounds):
        ours.append(_seconds(command))
        bare.append(_seconds([sys.executable, "-c", "pass"]))
    ratio = median(ours) / median(bare)
    note = f"{ratio:.1f} times the bare start of Python ({median(bare):.3f} s); {spread(ours)}; {about}"
    return Figure(name, median(ours), "s", goal, note=note, samples=ours)


def _tab(state: Path, rounds: int) -> Figure:
    """Time what a shell asks at a Tab beside a living engine: what it takes beyond the bare start."""
    words = ("completion", "ids", "inc", "act", "apr", "brk", "names")
    asked = _figure("completion", words, state, rounds, None, "config/default.yaml")
    bare = median([_seconds([sys.executable, "-c", "pass"]) for _ in range(rounds)])
    return Figure("a Tab with live ids, beyond the bare start", median(asked.samples) - bare, "s", 0.15, note=asked.note)


def _seconds(command: Sequence[str]) -> float:
    began = time.perf_counter()
    done = subprocess.run(
        command, cwd=REPOSITORY, env=environment(), stdin=subprocess.DEVNULL, capture_output=True, check=False
    )
    took = time.perf_counter() - began
    # 1: degraded, 3: not running; both are answers.
    if done.returncode not in (0, 1, 3):
        raise SystemExit(f"{' '.join(command)} ended with {done.returncode}: {done.stderr.decode(errors='replace')}")
    return took


def write_ledger(folder: Path, entries: int) -> Incident:
    """Write a state with so many entries whose chain is valid, and their incidents; return the last of them."""
    store = SqliteStore(folder / "state.db")
    # Long after the beginning of the steady timeline, so that all of it may have happened.
    clock = SystemClock(replace(SystemClock().anchor(), steady=2.0 * entries * _SECONDS_APART))
    store.save_anchor(clock.anchor())
    now = clock.now()
    first = now.after(-entries * _SECONDS_APART)
    store.commit()
    store.close()
    connection = sqlite3.connect(folder / "state.db", isolation_level=None)
    connection.execute("PRAGMA synchronous = OFF")
    connection.execute("BEGIN IMMEDIATE")
    incidents = [_incident(number, first) for number in range(entries // EACH)]
    connection.executemany(SQL["save_incident"], (incident_columns(one, Redaction()) for one in incidents))
    connection.executemany(SQL["append_entry"], _rows(entries, first))
    connection.execute("COMMIT")
    connection.close()
    os.sync()
    found = verify(folder / "state.db")
    if not found.ok or found.entries != entries:
        raise SystemExit(f"the ledger that was made is no ledger: {found.problem}")
    return incidents[-1]


def _incident(number: int, first: Instant) -> Incident:
    began = first.after(number * EACH * _SECONDS_APART)
    over = began.after(EACH * _SECONDS_APART - 1)
    target = f"service:s{number % 200}"
    return Incident(
        id=f"inc-{number:06d}", key=incident_key("system_health.web", target), agent="system_health",
        rule=f"system_health.s{number % 200}", target=target, severity=Severity.ERROR, state=IncidentState.RESOLVED,
        began_at=began, opened_at=began, changed_at=over, last_status=Status.OK, detail="answers", resolved_at=over,
        resolved_by="engine",
    )  # fmt: skip


def _rows(entries: int, first: Instant) -> Iterator[tuple[Any, ...]]:
    bodies = [[sealed(_body(target, number)) for number in range(BODIES)] for target in range(200)]
    hash, epoch = GENESIS, datetime(1970, 1, 1, tzinfo=UTC)
    wall_us, steady_us = (first.wall - epoch) // timedelta(microseconds=1), round(first.steady * 1e6)
    for seq in range(1, entries + 1):
        incident = (seq - 1) // EACH
        body, body_hash = bodies[incident % 200][seq % BODIES]
        at, steady = wall_us + seq * _SECONDS_APART * 1_000_000, steady_us + seq * _SECONDS_APART * 1_000_000
        id, of, kind = f"dec-{seq:07d}", f"inc-{incident:06d}", EntryKind.DECISION.value
        hash = entry_hash(hash, seq, kind, id, at, steady, "system_health", of, None, body_hash)
        yield seq, kind, id, at, steady, "system_health", of, None, body, body_hash, hash


def _body(target: int, number: int) -> dict[str, Any]:
    """Return a decision as the engine writes it, with every guard's answer."""
    guards = [
        {"guard": name, "ruling": "allow", "value": "0 of 5 repairs this hour", "origin": "/etc/zen-agents/config.yaml:41:7"}
        for name in ("mode", "maintenance", "allow_list", "protected", "lease", "rate_limit", "breaker", "approval")
    ]
    refusal = {"guard": "cooldown", "ruling": "deny", "reason": "cooldown", "value": "4m left", "until": 12.5}
    return {
        "rule": f"system_health.s{target}", "target": f"service:s{target}", "outcome": "skip", "reason": "cooldown",
        "detail": "attempt 1 of 4", "seen": f"connection refused, {number} times", "status": "problem", "value": number / 7,
        "action": "restart_service", "guards": [*guards, refusal],
    }  # fmt: skip
