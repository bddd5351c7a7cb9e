"""The durable state. Real adapter: `adapters.sqlite_store`; there is no fake, tests use the real one in a temporary file.

Writes between two commits are one batch. `reserve` and `finish` commit what is pending together with themselves, durably
(fsync), so that what was decided before an act is on disk before the act. Every failure is a `StoreError`; but
`save_incident`, `save_check_memory`, `save_breaker` and `set_brake` are lasting: where they cannot be written now, or their
batch is lost, they do not raise and are written with the next batch that can be. `writable` is False meanwhile. A message
that `enqueue` took comes back with the next batch as well, so that people are told of the incidents that do.
All times are steady seconds unless they are an `Instant`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

from zen_agents.clock import Anchor, Instant
from zen_agents.dataclass import dataclass
from zen_agents.model.action import Budget, Intent, Outcome, OutcomeKind
from zen_agents.model.agent import AgentState
from zen_agents.model.approval import Approval
from zen_agents.model.entry import ChainedEntry, Checkpoint, Entry, EntryKind
from zen_agents.model.incident import Incident
from zen_agents.model.message import Message
from zen_agents.model.observation import Observation
from zen_agents.model.redaction import Redaction

#: Name of the fact in which the outbox keeps what it has told.
OUTBOX_MEMORY = "alerts.memory"
#: The fact that lists, as JSON, the paths that the engine watches: so that a command knows them with the engine dead.
WATCHED_PATHS = "watched_paths"


@dataclass(frozen=True, slots=True)
class ActionRow:
    """One action as `actions` shows it: the intent and what is known of its outcome."""

    id: str
    action: str
    target: str
    agent: str
    rule: str
    incident: str | None
    requested_by: str
    because: str
    budget: Budget
    reserved_at: Instant
    leased_until: float
    kind: OutcomeKind
    #: None while it runs.
    ended_at: Instant | None
    took_seconds: float
    #: The plan, effect and digest as plain JSON.
    plan: Mapping[str, Any]
    effect: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Ran:
    """How often the engine itself acted; what was refused, expired or skipped never ran."""

    times: int
    #: When the oldest of the newest `most` that were asked for was reserved (steady); None if there were fewer.
    oldest_of_most: float | None


@dataclass(frozen=True, slots=True)
class Lease:
    """Who holds a target, until when."""

    target: str
    action: str
    until: float


@dataclass(frozen=True, slots=True)
class BreakerRow:
    """The durable part of one circuit breaker (pybreaker keeps the state machine)."""

    name: str
    #: closed, open, half-open.
    state: str
    failures: int
    successes: int
    #: Steady time at which it opened, None if closed.
    opened_at: float | None
    #: Steady times of counted failures within the window.
    failed_at: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Brake:
    """A pause, safe mode, or hold that a person or the engine set."""

    #: `pause`, `safe_mode`, `observe_only`, `storm`, `target_closed`, `rule_paused`, `rival`.
    kind: str
    #: `host`, `agent:NAME`, `rule:NAME`, `target:T`.
    scope: str
    reason: str
    by: str
    since: Instant
    #: None: until lifted.
    until: float | None


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """One message on its way to one channel."""

    id: int
    message: Message
    channel: str
    attempts: int
    not_before: float
    #: pending, sent, gave_up.
    state: str
    last_error: str = ""


@dataclass(frozen=True, slots=True)
class Usage:
    """What one tick or action cost."""

    agent: str
    #: `tick` or `action`.
    kind: str
    at: Instant
    wall_seconds: float
    cpu_seconds: float
    #: Resident bytes of the engine afterwards.
    resident_bytes: int
    checks: int = 0


class Store(Protocol):
    """Everything the engine must not forget."""

    # -- life ---------------------------------------------------------------------------------------------------------
    def commit(self) -> None:
        """Make all pending writes durable in one transaction; cheap when there are none."""
        ...

    def close(self) -> None: ...
    def writable(self) -> bool:
        """Tell whether the last write succeeded; False means: do not act."""
        ...

    def lost_batches(self) -> int:
        """Return how many batches were dropped; one more than before: what was pending then was not written."""
        ...

    def redact_with(self, redaction: Redaction) -> None:
        """Leave out of all that is written from now on what this leaves out."""
        ...

    # -- facts about this state ---------------------------------------------------------------------------------------
    def get(self, name: str) -> str | None:
        """Return a small named fact (machine_id, host_name, config_digest ...)."""
        ...

    def put(self, name: str, value: str) -> None: ...
    def anchor(self) -> Anchor | None: ...
    def save_anchor(self, anchor: Anchor) -> None: ...

    # -- ledger -------------------------------------------------------------------------------------------------------
    def append(self, entry: Entry) -> None:
        """Chain an entry to the ledger within the pending batch."""
        ...

    def last_checkpoint(self) -> Checkpoint | None:
        """Return what was signed last of the ledger: the head that leaves the host with a message. None if nothing was."""
        ...

    def entries(
        self,
        *,
        since: int = 0,
        kinds: Iterable[EntryKind] = (),
        incident: str | None = None,
        action: str | None = None,
        limit: int = 1000,
        newest_first: bool = False,
    ) -> Sequence[ChainedEntry]: ...

    # -- incidents ----------------------------------------------------------------------------------------------------
    def save_incident(self, incident: Incident) -> None: ...
    def live_incidents(self) -> Sequence[Incident]: ...
    def live_ids(self) -> Mapping[str, float | None]:
        """Return live incidents by id with the steady time until which they are acknowledged; cheap, also in a storm."""
        ...

    def incidents(self, *, since: float = 0.0, limit: int = 100) -> Sequence[Incident]:
        """Return incidents that began or changed since then, newest first."""
        ...

    def find_ids(self, prefix: str) -> Sequence[str]:
        """Return ids of incidents, actions, approvals and decisions that start with `prefix`."""
        ...

    def openings(self, key: str, since: float) -> Sequence[float]:
        """Return when incidents of this key opened, since then, oldest first."""
        ...

    # -- actions ------------------------------------------------------------------------------------------------------
    def reserve(self, intent: Intent, *, hourly_limit: int | None) -> None:
        """Write intent, lease, budget token and their ledger entry in one durable transaction.

        Spends the intent's approval as well. Raises RefusedError if the budget is spent (`hourly_limit` within 3600 s of the
        same budget), the target is leased or the approval is not to be had; then nothing is written. A person's act gives
        None: it spends no token.
        """
        ...

    def finish(self, outcome: Outcome) -> None:
        """Write an outcome durably with its ledger entry; a final kind releases the lease."""
        ...

    def unfinished(self) -> Sequence[ActionRow]:
        """Return actions whose outcome is not final, oldest first."""
        ...

    def action(self, id: str) -> ActionRow | None: ...
    def actions(
        self, *, since: float = 0.0, target: str | None = None, incident: str | None = None, limit: int = 100
    ) -> Sequence[ActionRow]: ...
    def spent(self, budget: Budget, since: float) -> int:
        """Return how many actions the engine reserved of this budget since then."""
        ...

    def ran(self, *, since: float, most: int, action: str | None = None, budget: Budget | None = None) -> Ran:
        """Return what limits count of the actions reserved after that moment: of one action or budget, or of all."""
        ...

    def ran_on(self, target: str, *, since: float, most: int) -> Ran:
        """Return what limits count of the actions on a target that were reserved after that moment."""
        ...

    def taken_back(self, since: float) -> Mapping[str, float]:
        """Return the targets of which people took an action back since then, and when they last did (steady)."""
        ...

    def last_on(self, target: str, *, since: float, not_for: str | None) -> tuple[str, float | None] | None:
        """Return the action on a target that ended last, whoever asked for it, and when (steady; None: it still runs).

        Of those reserved since then that were not for this incident; None if there was none.
        """
        ...

    def repairs(self, key: str, since: float) -> int:
        """Return how many repairs of this key by the engine were verified since then.

        Counted by their outcomes, which are durable at once: an incident may outlive one of them, with an engine that died.
        """
        ...

    def lease(self, target: str) -> Lease | None: ...

    # -- approvals ----------------------------------------------------------------------------------------------------
    def save_approval(self, approval: Approval) -> None: ...
    def approval(self, id: str) -> Approval | None: ...
    def open_approval(self, action: str, target: str) -> Approval | None:
        """Return the open question about an action on a target, also if its time has passed; the reader compares."""
        ...

    def open_approvals(self) -> Sequence[Approval]: ...
    def approvals(self, *, since: float = 0.0, limit: int = 100) -> Sequence[Approval]:
        """Return questions asked since then, newest first."""
        ...

    def spend_token(self, token: str, approval: str, at: Instant) -> bool:
        """Write that a token (its SHA-256, hex) was used; False if it was before."""
        ...

    # -- breakers and brakes ------------------------------------------------------------------------------------------
    def breaker(self, name: str) -> BreakerRow | None: ...
    def save_breaker(self, row: BreakerRow) -> None: ...
    def breakers(self) -> Sequence[BreakerRow]: ...
    def set_brake(self, brake: Brake) -> None: ...
    def lift_brake(self, kind: str, scope: str) -> bool: ...
    def brakes(self) -> Sequence[Brake]:
        """Return brakes that are set, also those whose end has passed; the reader compares with now."""
        ...

    # -- agents and measurements --------------------------------------------------------------------------------------
    def agent_state(self, name: str) -> AgentState | None: ...
    def save_agent_state(self, name: str, state: AgentState, reason: str, at: Instant) -> None: ...
    def check_memories(self, agent: str) -> Mapping[str, str]:
        """Return what the checks of an agent have saved, by their names."""
        ...

    def save_check_memory(self, agent: str, name: str, memory: Mapping[str, Any]) -> None:
        """Write what a check must remember within the pending batch, with what came of it; lasting."""
        ...

    def drop_check_memory(self, agent: str, name: str) -> None: ...
    def record_usage(self, usage: Usage) -> None: ...
    def usage(self, *, since: float) -> Sequence[Usage]: ...
    def record_observations(self, observations: Iterable[Observation]) -> None: ...
    def observations(self, name: str, target: str, *, since: float, limit: int = 10_000) -> Sequence[Observation]: ...

    # -- outbox -------------------------------------------------------------------------------------------------------
    def enqueue(self, message: Message, channels: Sequence[str], not_before: float) -> None: ...
    def due_messages(self, now: float, *, limit: int = 50) -> Sequence[OutboxRow]: ...
    def mark_sent(self, id: int, at: Instant) -> None: ...
    def mark_failed(self, id: int, error: str, *, not_before: float, give_up: bool) -> None: ...
    def open_pages(self) -> Mapping[str, str]:
        """Return dedup keys that were triggered on PagerDuty and not resolved, with the incident each belongs to."""
        ...

    def sent_since(self, channel: str, since: float) -> int: ...

    # -- retention ----------------------------------------------------------------------------------------------------
    def prune(self, *, metrics_before: float, decisions_before: float, actions_before: float) -> int:
        """Drop what is older; the ledger keeps the hashes of dropped bodies, so it still verifies. Return rows dropped."""
        ...
