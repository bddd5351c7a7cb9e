"""The power cut under the store alone, in this process and without a compiler: its own statements on files that are seen."""

from __future__ import annotations

import contextlib
import sqlite3
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from chaos.durability.campaign import Finding, Round, in_rounds
from chaos.durability.disk import Disk
from chaos.durability.disk_calls import Call
from chaos.durability.seen_sqlite import SeenSqlite
from tests.support.state import START, a_message, an_entry, an_incident, an_intent, an_observation, an_outcome
from zen_agents.adapters.ledger_audit import verify
from zen_agents.adapters.sqlite_store import SqliteStore
from zen_agents.clock import Instant
from zen_agents.errors import StoreError
from zen_agents.model.action import OutcomeKind
from zen_agents.model.entry import EntryKind
from zen_agents.model.message import MessageKind

#: Cuts of one life of a store, and what it goes through in it.
CUTS_A_ROUND = 50
_STEPS = 30


@dataclass
class _Life:
    """A store that decides, reserves, finishes, measures, tells and forgets, at random."""

    store: SqliteStore
    calls: list[Call]
    chance: Random
    now: float = 100.0
    #: Number of calls after which an intent, and an outcome, was acknowledged.
    meant: dict[str, int] = field(default_factory=dict)
    ended: dict[str, int] = field(default_factory=dict)

    def run(self) -> None:
        steps: tuple[Callable[[], None], ...] = (self._decide, self._reserve, self._finish, self._measure, self._prune)
        for _ in range(_STEPS):
            self.now += 1.0
            self.chance.choices(steps, weights=(4, 6, 6, 4, 1))[0]()
        self.store.close()

    def _at(self) -> Instant:
        return Instant(START, self.now)

    def _decide(self) -> None:
        self.store.append(an_entry(f"dec-{self.now:.0f}", at=self._at()))
        self.store.save_incident(an_incident(f"inc-{self.now:.0f}", self._at()))
        if self.chance.random() < 0.5:
            self.store.commit()

    def _reserve(self) -> None:
        id = f"act-{self.now:.0f}"
        self.store.reserve(an_intent(id, self._at(), target=f"service:{id}"), hourly_limit=1000)
        self.meant[id] = len(self.calls)

    def _finish(self) -> None:
        if going := [id for id in self.meant if id not in self.ended]:
            id = self.chance.choice(going)
            self.store.finish(an_outcome(id, OutcomeKind.VERIFIED, self._at()))
            self.ended[id] = len(self.calls)

    def _measure(self) -> None:
        self.store.record_observations([an_observation("cpu.percent", self._at(), value=1.0)] * 20)
        self.store.enqueue(a_message(f"msg-{self.now:.0f}", MessageKind.FIRING, self._at()), ("email",), 0.0)
        self.store.commit()

    def _prune(self) -> None:
        self.store.prune(metrics_before=self.now - 5, decisions_before=self.now - 5, actions_before=0.0)


def run(folder: Path, seed: str, count: int) -> Finding:
    """Live one life, cut it so often, and return what was wrong with what was left."""
    place, chance = folder / "disk", Random(seed)  # noqa: S311 - it has to be repeatable, not secret
    place.mkdir()
    (place / "state.db").touch(mode=0o600)
    disk, seen = Disk(place), SeenSqlite(f"seen-{seed}")
    life = _Life(SqliteStore(place / "state.db", connect=seen.connect), seen.calls, chance)
    life.run()
    problems: list[str] = []
    unfinished, fed = 0, 0
    for after in sorted(chance.randrange(1, len(seen.calls) + 1) for _ in range(count)):
        disk.feed(seen.calls[fed:after])
        fed = after
        with tempfile.TemporaryDirectory(dir=folder) as image:
            disk.cut(chance, Path(image))
            problems += [f"cut after {after}: {what}" for what in _look(Path(image), life, after)]
        unfinished += any(at <= after < life.ended.get(id, after + 1) for id, at in life.meant.items())
    return Finding(seed, count, tuple(problems), unfinished)


def _look(image: Path, life: _Life, after: int) -> list[str]:
    meant = {id for id, at in life.meant.items() if at <= after}
    try:
        store = SqliteStore(image / "state.db")
    except StoreError as error:
        return [f"the state cannot be opened: {error}"]
    rows = {row.id: row.kind for row in store.actions(limit=-1)}
    problems = [f"{id} was durable, and is gone" for id in meant - set(rows)]
    ended = [id for id, at in life.ended.items() if at <= after and id in rows]
    problems += [f"{id} had ended, and has not any more" for id in ended if not rows[id].is_final]
    problems += [f"{id} is half there" for id, kind in rows.items() if not _is_whole(store, id, kind)]
    store.close()
    with contextlib.closing(sqlite3.connect(image / "state.db")) as plain:
        (integrity,) = plain.execute("PRAGMA integrity_check").fetchone()
    problems += [] if integrity == "ok" else [f"integrity: {integrity}"]
    audit = verify(image / "state.db")
    return problems if audit.ok else [*problems, f"the ledger: {audit.problem}"]


def _is_whole(store: SqliteStore, id: str, kind: OutcomeKind) -> bool:
    """Tell whether an action, its entries and its lease say the same."""
    kinds = [entry.entry.kind for entry in store.entries(action=id)]
    held = store.lease(f"service:{id}") is not None
    return held is not kind.is_final and kinds == [EntryKind.INTENT, EntryKind.OUTCOME][: 1 + kind.is_final]


def rounds(count: int, seed: int) -> list[Round]:
    """Return rounds of so many cuts in all."""
    return in_rounds(count, seed, lambda name, _, size, folder: run(folder, name, size), most=CUTS_A_ROUND)
