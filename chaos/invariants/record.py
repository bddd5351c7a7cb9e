"""The record that an engine left: its ledger, its state and its plain log, read once and only read.

Times are steady seconds; an entry's number (`seq`) says what was written first.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from zen_agents.adapters.emergency_flag import FLAG_NAME
from zen_agents.adapters.ledger_audit import Verification, verify
from zen_agents.adapters.outbox_memory import Memory, load_memory
from zen_agents.adapters.sqlite_store import SqliteStore
from zen_agents.adapters.sqlite_store_file import open_read_only
from zen_agents.adapters.sqlite_store_rows import message_of
from zen_agents.model.action import OutcomeKind
from zen_agents.model.entry import ChainedEntry, EntryKind
from zen_agents.model.incident import Incident
from zen_agents.model.message import Message
from zen_agents.model.principal import ENGINE
from zen_agents.ports.store import ActionRow

#: Times in the ledger are rounded to microseconds; less than this (seconds) is no time.
ROUNDING = 1e-5


@dataclass(frozen=True, slots=True)
class Deed:
    """One change of a host, told by the host itself and not by the engine."""

    #: `unit:web.service`, `path:/srv/app/tmp/old`, as plans name what they touch.
    resource: str
    #: Id of the action whose door it came through; "" where the host cannot tell.
    action: str = ""


class Witness(Protocol):
    """A host that can tell what was done to it."""

    @property
    def doors(self) -> Sequence[str]:
        """The ids of the actions for which a way to change the host was opened, in order, each time it was."""
        ...

    @property
    def deeds(self) -> Sequence[Deed]:
        """What was changed through the engine, in order."""
        ...


@dataclass(frozen=True, slots=True)
class Act:
    """One intent with all that came of it."""

    intent: ChainedEntry
    outcomes: tuple[ChainedEntry, ...]

    @property
    def id(self) -> str:
        return self.intent.entry.id

    @property
    def seq(self) -> int:
        return self.intent.seq

    @property
    def at(self) -> float:
        return self.intent.entry.at.steady

    @property
    def body(self) -> Mapping[str, Any]:
        """The intent as it was written; empty if retention dropped it."""
        return self.intent.entry.body

    @property
    def target(self) -> str:
        return str(self.body.get("target", ""))

    @property
    def action(self) -> str:
        return str(self.body.get("action", ""))

    @property
    def by_engine(self) -> bool:
        return self.intent.entry.actor == ENGINE.name

    @property
    def touches(self) -> tuple[str, ...]:
        return tuple(f"{each['kind']}:{each['name']}" for each in self.body.get("touches", ()))

    @property
    def final(self) -> ChainedEntry | None:
        """The first final outcome."""
        return next((outcome for outcome in self.outcomes if kind_of(outcome).is_final), None)

    @property
    def ran_until(self) -> float:
        """When the action itself had ended; infinity while nothing says so."""
        return self.outcomes[0].entry.at.steady if self.outcomes else float("inf")

    @property
    def held_until(self) -> int:
        """Number of the entry that let the target go."""
        return self.final.seq if self.final is not None else 2**63


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line of `actions.log`."""

    kind: str
    id: str


@dataclass(frozen=True, slots=True)
class Record:
    """Everything the oracle looks at."""

    audit: Verification
    entries: Sequence[ChainedEntry]
    acts: Sequence[Act]
    rows: Mapping[str, ActionRow]
    incidents: Sequence[Incident]
    log: Sequence[LogLine]
    #: Messages in the outbox with their channel and state, in the order in which they were told.
    outbox: Sequence[tuple[Message, str, str]]
    #: Ids of messages put aside while the state could not be written.
    spilled: frozenset[str]
    #: What the outbox remembers: among it what waits to be told in one.
    memory: Memory
    #: True if the emergency stop of this state is set now.
    stop_is_set: bool
    witness: Witness | None = None
    _decisions: Mapping[str, Sequence[ChainedEntry]] = field(default_factory=dict)

    def of(self, kind: EntryKind, *ids: str) -> Iterator[ChainedEntry]:
        """Yield entries of a kind, oldest first; of these ids if any are given."""
        return (each for each in self.entries if each.entry.kind is kind and (not ids or each.entry.id in ids))

    @property
    def kept_after(self) -> int:
        """Number of the last decision whose body retention dropped: what rested on it can no longer be judged."""
        dropped = (each.seq for each in self.of(EntryKind.DECISION) if not each.entry.body)
        return max(dropped, default=0)

    def decisions(self, incident: str | None) -> Sequence[ChainedEntry]:
        """Return the decisions about an incident, oldest first, but those whose bodies retention dropped."""
        return self._decisions.get(incident or "", ())

    def decision_of(self, act: Act) -> ChainedEntry | None:
        """Return the decision on which an act rests: the last one about its incident before the intent."""
        before = [each for each in self.decisions(act.intent.entry.incident) if each.seq < act.seq]
        return before[-1] if before else None

    @property
    def acts_of_engine(self) -> Sequence[Act]:
        return [act for act in self.acts if act.by_engine and act.body]


def kind_of(outcome: ChainedEntry) -> OutcomeKind:
    """Return what an outcome's entry says; a dropped body says nothing but that it ended."""
    return OutcomeKind(outcome.entry.body.get("outcome", OutcomeKind.SKIPPED.value))


def read_record(state: Path, witness: Witness | None = None) -> Record:
    """Read the record of a state directory; raises StoreError if it cannot be read."""
    path = state / "state.db"
    # First, for a line is written after the entry that it is the shadow of: an engine may be running.
    log = list(_log_lines(state))
    audit = verify(path)
    store = SqliteStore.open_read_only(path)
    try:
        entries = store.entries(limit=-1)
        return Record(
            audit=audit, entries=entries, acts=_acts(entries), rows={row.id: row for row in store.actions(limit=-1)},
            incidents=store.incidents(limit=-1), log=log, outbox=_outbox(path),
            spilled=frozenset(_spilled(state)), memory=load_memory(store), stop_is_set=(state / FLAG_NAME).exists(),
            witness=witness, _decisions=_by_incident(entries),
        )  # fmt: skip
    finally:
        store.close()


def _acts(entries: Iterable[ChainedEntry]) -> list[Act]:
    intents: list[ChainedEntry] = []
    outcomes: dict[str, list[ChainedEntry]] = defaultdict(list)
    for each in entries:
        if each.entry.kind is EntryKind.INTENT:
            intents.append(each)
        elif each.entry.kind is EntryKind.OUTCOME:
            outcomes[each.entry.id].append(each)
    return [Act(intent, tuple(outcomes[intent.entry.id])) for intent in intents]


def _by_incident(entries: Iterable[ChainedEntry]) -> dict[str, list[ChainedEntry]]:
    found: dict[str, list[ChainedEntry]] = defaultdict(list)
    for each in entries:
        if each.entry.kind is EntryKind.DECISION and each.entry.body:
            found[each.entry.incident or ""].append(each)
    return dict(found)


def _log_lines(state: Path) -> Iterator[LogLine]:
    for name in ("actions.log.1", "actions.log"):
        path = state / name
        text = path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
        for line in text.split("\n"):
            columns = line.split("\t")
            # A full disk may have taken only the beginning of one.
            if len(columns) == 9:
                yield LogLine(columns[2], columns[3])


def _outbox(path: Path) -> list[tuple[Message, str, str]]:
    file = open_read_only(path)
    try:
        rows = file.connection.execute("SELECT message, channel, state FROM outbox ORDER BY made_at, id")
        return [(message_of(text), channel, state) for text, channel, state in rows]
    finally:
        file.close()


def _spilled(state: Path) -> Iterator[str]:
    path = state / "outbox-spill.jsonl"
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else ():
        try:
            yield str(json.loads(json.loads(line)["message"])["id"])
        except (ValueError, KeyError, TypeError):
            continue  # torn by a full disk
