"""What a guard is: one reason to refuse, and all that it may look at to tell."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Mapping, Set
from dataclasses import field
from datetime import time, timedelta
from typing import ClassVar, Protocol

from zen_agents.clock import Instant
from zen_agents.dataclass import dataclass
from zen_agents.model.action import ActionRequest, Plan
from zen_agents.model.incident import Incident
from zen_agents.model.reason import Reason
from zen_agents.model.verdict import Answer, Ruling
from zen_agents.ports.host import HostView
from zen_agents.ports.store import Store


@dataclass(frozen=True, slots=True)
class MaintenanceWindow:
    """A planned period. `effect`: no_actions (tell, do not act), no_alerts (act, do not tell), observe (neither)."""

    name: str
    start: time
    duration_seconds: float
    #: mon..sun; empty means every day.
    days: frozenset[str]
    timezone: str
    effect: str
    origin: str = ""


class Allowance(Protocol):
    """What `actions.allow.NAME` says, as guards read it; `actions.base.ActionPolicy` is one."""

    @property
    def approval(self) -> str:
        """auto, required or two_person."""
        ...

    @property
    def cooldown(self) -> timedelta: ...
    @property
    def max_per_hour(self) -> int | None: ...
    @property
    def timeout(self) -> timedelta | None:
        """The longest one execution may run; None: what the action itself says."""
        ...

    @property
    def only_in(self) -> str | None:
        """Name of the maintenance window outside which it never runs."""
        ...

    def permits(self, plan: Plan) -> str:
        """Return "" if the plan is within its scope, else why not, in words."""
        ...

    def names(self, path: str) -> bool:
        """Tell whether its scope names exactly this path, not only one above it."""
        ...


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `most` within `within_seconds`; for breakers, with a `retry_after_seconds`."""

    most: int
    within_seconds: float
    retry_after_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class ApprovalTerms:
    """Who may say yes, for how long a question stays open, and what its silent end means besides no."""

    #: `user:NAME` and `group:NAME`; empty: whoever may act on the control socket.
    approvers: frozenset[str] = frozenset()
    expire_after_seconds: float = 1800.0
    #: True: people are told that nobody answered.
    escalates: bool = True


@dataclass(frozen=True, slots=True)
class Policy:
    """The configuration as guards see it: what may be done here, and how much."""

    #: observe, approve or enforce.
    mode: str = "enforce"
    dry_run: bool = False
    #: Digests of the plans that may run, None: any; `once --plan` runs what people have seen.
    only_plans: frozenset[str] | None = None
    #: Agent -> auto_mitigate.
    auto_mitigate: Mapping[str, bool] = field(default_factory=dict)
    #: Action -> its policy; an action that is missing is never run.
    allowed: Mapping[str, Allowance] = field(default_factory=dict)
    #: (action, target) pairs that the configuration names; nothing else is in scope.
    declared: Set[tuple[str, str]] = frozenset()
    repairs: Limit = Limit(5, 3600.0)
    housekeeping: Limit = Limit(20, 3600.0)
    per_target: Limit = Limit(4, 3600.0)
    max_concurrent: int = 1
    failures: Limit = Limit(4, 3600.0, 1800.0)
    recurrence: Limit = Limit(3, 14400.0, 7200.0)
    #: The storm brake opens when more than this many targets, or this share of those that could be acted on, fail within it.
    storm: Limit = Limit(10, 300.0, 600.0)
    storm_share: float = 0.5
    #: The share counts only from this many failing targets on: one of one is no storm.
    storm_share_from: int = 3
    approvals: ApprovalTerms = ApprovalTerms()
    #: (rule, action) -> observe, approve or auto: how far the engine may go alone; what is missing follows the allow-list.
    autonomy: Mapping[tuple[str, str], str] = field(default_factory=dict)
    maintenance: tuple[MaintenanceWindow, ...] = ()
    boot_grace_seconds: float = 120.0
    #: Files that say, by being there, that somebody drains or ends this machine (R24).
    leave_alone_while: tuple[str, ...] = ()
    #: Unit names that a person added to the protected, and to the stateful, ones.
    protected_units: frozenset[str] = frozenset()
    protected_paths: frozenset[str] = frozenset()
    stateful_units: frozenset[str] = frozenset()
    #: Units, service names, processes or paths that the host's own file names in `actions.allow.NAME` with `approval: auto`:
    #: the stateful ones among them may be restarted unasked (R25).
    stateful_allowed: frozenset[str] = frozenset()
    #: Services whose rule says `keep: running`, by target; `command:` services are always in it.
    keep_running: frozenset[str] = frozenset()
    #: Engine's own things: unit, pid, state directory, configuration files, package directory; real absolute paths.
    own_units: frozenset[str] = frozenset({"zen-agents.service"})
    own_paths: frozenset[str] = frozenset()
    own_pid: int = field(default_factory=os.getpid)
    #: Key path -> `file:line:column`, for `why`.
    origins: Mapping[str, str] = field(default_factory=dict)

    def origin(self, *paths: str) -> str:
        """Return where the first of these keys that was written stands, "" if all are defaults."""
        return next((self.origins[path] for path in paths if path in self.origins), "")


@dataclass(frozen=True, slots=True)
class Situation:
    """What is known about the whole host at this moment."""

    #: Live incidents by key.
    incidents: Mapping[str, Incident]
    #: Targets of which an incident opened within the storm window, and targets that could be acted on.
    failing_targets: int
    actionable_targets: int
    #: Actions running now.
    running: int
    #: Why this state is not this host's own (other machine id, restored ledger, new state as root); "" if it is.
    foreign: str = ""
    #: Targets of which a check of the present state, not a log line, says PROBLEM now (R32); none if no rule asks for it.
    present_problems: frozenset[str] = frozenset()


class StopFlag(Protocol):
    """The emergency stop, readable with everything else broken (R9)."""

    def read(self) -> str | None:
        """Return who set it, when and why; None if it is not set. A flag that cannot be read is set."""
        ...


@dataclass(frozen=True, slots=True)
class Question:
    """One action asked for, and all that guards may look at."""

    request: ActionRequest
    plan: Plan
    #: None for an act by hand.
    incident: Incident | None
    #: Keys (`rule|target`) on which the rule depends.
    depends_on: frozenset[str]
    #: True if the rule rests on a log line alone.
    needs_confirmation: bool
    now: Instant
    policy: Policy
    situation: Situation
    store: Store
    host: HostView
    stop: StopFlag
    #: How each of `depends_on` is known that is not written in the configuration.
    known_by: Mapping[str, str] = field(default_factory=dict)

    def origin_of_service(self, key: str) -> str:
        """Return where this key of the service that is asked about stands, "" if it is not written or no service is."""
        kind, _, name = self.request.target.partition(":")
        return self.policy.origin(f"agents.{self.request.agent}.services.{name}.{key}") if kind == "service" else ""


class Guard(ABC):
    """One reason to refuse. `assess` may raise: the pipeline turns that into DENY guard_error (R4)."""

    #: Stable name, shown in `why`.
    name: ClassVar[str]
    #: One sentence: what it protects from.
    why: ClassVar[str]
    #: False: a person's act with a reason passes it. True: it refuses people as well.
    binds_people: ClassVar[bool] = True
    #: True: a person passes it by naming it in --override, with a reason.
    overridable: ClassVar[bool] = False

    @abstractmethod
    def assess(self, question: Question) -> Answer:
        """Answer, with the value that was judged."""

    def allow(self, value: str, *, origin: str = "") -> Answer:
        """Return an ALLOW of this guard."""
        return Answer(self.name, Ruling.ALLOW, None, value, origin)

    def deny(self, reason: Reason, value: str = "", *, origin: str = "", until: float | None = None) -> Answer:
        """Return a DENY of this guard."""
        return Answer(self.name, Ruling.DENY, reason, value, origin, until)

    def hold(self, reason: Reason, value: str = "", *, origin: str = "", until: float | None = None) -> Answer:
        """Return a HOLD of this guard: people are asked."""
        return Answer(self.name, Ruling.HOLD, reason, value, origin, until)
