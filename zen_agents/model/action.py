"""What may be done, what is meant, what was meant to be done, and what came of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import field
from enum import StrEnum
from typing import Any

from zen_agents.clock import Instant
from zen_agents.dataclass import dataclass
from zen_agents.model.principal import ENGINE, Principal


class Risk(StrEnum):
    """What one execution could at worst cost."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


class Reversible(StrEnum):
    """Whether `undo` can give back what was there; shown before anything runs."""

    YES = "yes"
    PARTLY = "partly"
    NO = "no"


class Budget(StrEnum):
    """Which hourly budget an action spends from."""

    REPAIR = "repair"
    HOUSEKEEPING = "housekeeping"
    #: What keeps an attacker out. It has no budget but `max_per_hour` of its own action: whoever attacks must not be able to
    #: spend what repairs need.
    CONTAINMENT = "containment"


class ResourceKind(StrEnum):
    """The kinds of thing an action can touch."""

    UNIT = "unit"
    SERVICE = "service"
    PROCESS = "process"
    PATH = "path"
    #: What journald keeps. Its directories are protected: it is only ever asked to let go of something itself.
    JOURNAL = "journal"
    #: Connections of a server, by its name in the configuration.
    POOL = "pool"
    #: An address, or the network around one, that is shut out.
    ADDRESS = "address"
    #: An account of this host, by its name.
    ACCOUNT = "account"
    #: A package of this host, by its name.
    PACKAGE = "package"
    #: A table of a server, by the file that says how to connect, and its name: `/etc/zen-agents/shop.address:sales.orders`.
    TABLE = "table"


@dataclass(frozen=True, slots=True)
class Resource:
    """One thing that a plan touches, by its canonical name."""

    kind: ResourceKind
    #: Canonical unit id, service name, `pid:start_time`, real absolute path, or `system`.
    name: str


@dataclass(frozen=True, slots=True)
class ActionRequest:
    """Somebody wants this action on this target."""

    #: Name in `catalog.ACTIONS`.
    action: str
    #: `service:web`, `path:uploads`, `temp_dir:app` ...
    target: str
    #: The action's Params as plain JSON values.
    params: Mapping[str, Any] = field(default_factory=dict)
    requested_by: Principal = ENGINE
    #: Why, for the ledger; for a person's act the reason they gave.
    because: str = ""
    incident: str | None = None
    rule: str | None = None
    agent: str = ""
    #: Guards a person passes by name (`cooldown`, `rate_limit`); never the emergency stop or the allow-list.
    override: frozenset[str] = frozenset()
    #: 1 for the first attempt of this rung, 2.. for its retries.
    attempt: int = 1
    #: How many of the attempts before it ended with their engine before they said anything: they may never have begun.
    unsaid: int = 0
    #: Name of the action that this one takes back; "" for all that are no inverse.
    inverse_of: str = ""

    @property
    def listed_as(self) -> str:
        """The name under which the allow-list permits it: an inverse may run where its action may."""
        return self.inverse_of or self.action

    @property
    def is_first_begun(self) -> bool:
        """True when no attempt before it is known to have begun."""
        return self.attempt - self.unsaid <= 1


@dataclass(frozen=True, slots=True)
class Plan:
    """What exactly would be done. Made by `Action.plan`, shown in a dry run, bound by its digest."""

    request: ActionRequest
    #: One line a step, argv printed as a list or a file operation in words.
    steps: tuple[str, ...]
    #: Everything touched; guards judge these.
    touches: tuple[Resource, ...]
    #: Identity of the target when planned; looked at again before acting (R5).
    fingerprint: str
    risk: Risk
    reversible: Reversible
    budget: Budget
    #: The expected duration in seconds.
    expected_seconds: float = 1.0
    #: The longest it may run, in seconds.
    timeout_seconds: float = 60.0
    #: What plan() found and execute() needs (bounded, plain JSON values).
    detail: Mapping[str, Any] = field(default_factory=dict)
    #: What cannot be undone or widens access, in words; empty if nothing.
    warning: str = ""
    #: Why a person decides on this very plan, each a sentence: whatever the allow-list says, it is held for that.
    asks: tuple[str, ...] = ()
    #: What changes along with what is touched and is not acted on: units that a restart takes along.
    along: tuple[Resource, ...] = ()

    @property
    def disturbs(self) -> frozenset[str]:
        """Subjects (`unit:web.service`) that are not as they should be while it runs, and are no fault then (R8)."""
        return frozenset(f"{resource.kind.value}:{resource.name}" for resource in (*self.touches, *self.along))

    @property
    def digest(self) -> str:
        """SHA-256 over all that a person agrees to, as sorted JSON; hex.

        Action, target, parameters, steps, the target's state, the warning, whether it can be taken back, and what is asked.
        """
        request = self.request
        agreed = (
            request.action,
            request.target,
            request.params,
            self.steps,
            self.fingerprint,
            self.warning,
            self.reversible,
            *((self.asks,) if self.asks else ()),
        )
        text = json.dumps(agreed, sort_keys=True, separators=(",", ":"), default=str)
        return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Intent:
    """The durable record that an action is about to run; written before the deed."""

    #: `act-7m3x9k`.
    id: str
    plan: Plan
    reserved_at: Instant
    #: Steady time until which the target is leased to this action.
    leased_until: float
    #: The check whose clearing verifies it, by observation name; "" if only the postcondition counts.
    verified_by: str = ""
    #: The approval that it spends, None where nobody had to be asked.
    approval: str | None = None


class OutcomeKind(StrEnum):
    """How an action ended."""

    #: Ran, not judged yet.
    RUNNING = "running"
    VERIFYING = "verifying"
    VERIFIED = "verified"
    FAILED = "failed"
    TIMED_OUT = "timed_out"
    UNKNOWN = "unknown"
    DENIED = "denied"
    EXPIRED = "expired"
    SKIPPED = "skipped"
    UNDONE = "undone"

    @property
    def is_final(self) -> bool:
        """True when no verification is outstanding."""
        return self not in (OutcomeKind.RUNNING, OutcomeKind.VERIFYING)


@dataclass(frozen=True, slots=True)
class Effect:
    """What `Action.execute` did: its own word, which only verification can confirm."""

    ok: bool
    detail: str
    #: Measured before and after, short texts ("free 12 %").
    before: str = ""
    after: str = ""
    exit_code: int | None = None
    #: Bounded tail of what the command printed. Untrusted text.
    output: str = ""
    #: What the inverse needs: quarantine ids, old mode and owner.
    undo: Mapping[str, Any] = field(default_factory=dict)
    #: False where the engine ended before the action said anything: it may never have begun.
    said: bool = True


@dataclass(frozen=True, slots=True)
class Outcome:
    """The durable record of how an action went, so far or finally."""

    intent: str
    kind: OutcomeKind
    at: Instant
    took_seconds: float
    effect: Effect
