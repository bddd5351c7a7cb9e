"""What stands in the ledger."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from enum import StrEnum
from typing import Any

from zen_agents.clock import Instant
from zen_agents.dataclass import dataclass


class EntryKind(StrEnum):
    """The kinds of ledger entry; a closed list."""

    DECISION = "decision"
    INTENT = "intent"
    OUTCOME = "outcome"
    #: What a person did: ack, pause, resume, act, stop, approve.
    HUMAN = "human"
    #: What the engine did about itself: start, stop, reload, safe mode, agent states.
    ENGINE = "engine"
    ALERT = "alert"


@dataclass(frozen=True, slots=True)
class Entry:
    """One record of the ledger before it is chained; `body` is plain JSON, redacted before it comes here."""

    kind: EntryKind
    #: `dec-9f31aa`, `act-7m3x9k`, `inc-...` or an event's name.
    id: str
    at: Instant
    actor: str
    incident: str | None = None
    action: str | None = None
    body: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ChainedEntry:
    """One record as it stands in the ledger."""

    seq: int
    entry: Entry
    prev_hash: str
    hash: str


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A signed statement that the ledger's entry number `seq` had this hash, and so what all entries up to it were."""

    seq: int
    hash: str
    #: Id of the key, see `store.checkpoint.key_id`, and the Ed25519 signature; lower-case hex.
    key: str
    signature: str

    @property
    def head(self) -> str:
        """The head as it is kept elsewhere and as `zen-agents audit verify --against` reads it: `812:7c1e9a...`."""
        return f"{self.seq}:{self.hash}"
