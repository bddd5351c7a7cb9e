"""A question that every guard allows, on a calm host; tests change one thing about it and look at the answer."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from zen_agents.actions.base import ActionPolicy
from zen_agents.clock import Instant
from zen_agents.errors import HostError
from zen_agents.guards.base import Policy, Question, Situation
from zen_agents.model.action import (
    ActionRequest,
    Budget,
    Effect,
    Intent,
    Outcome,
    OutcomeKind,
    Plan,
    Resource,
    ResourceKind,
    Reversible,
    Risk,
)
from zen_agents.model.incident import Incident, IncidentState
from zen_agents.model.observation import Status
from zen_agents.model.principal import Principal
from zen_agents.model.severity import Severity
from zen_agents.ports.host_files import FileState
from zen_agents.ports.host_processes import Process
from zen_agents.ports.host_units import Unit

NOW = Instant(datetime(2026, 3, 18, 12, 0, tzinfo=UTC), 100_000.0)
ENGINE_PID = 700
ALICE = Principal("alice", 1000)
KEY = "system_health.web|service:web"

_numbers = itertools.count(1)


def unit(name: str = "web.service", **changes: Any) -> Unit:
    """Return a unit that runs well."""
    calm = Unit(
        id=name, load_state="loaded", active_state="active", sub_state="running", result="success",
        unit_file_state="enabled", main_pid=0, restarts=0, invocation="a1", changed_us=1, busy=False, takes_along=(),
        start_limit_burst=5, start_limit_interval_seconds=10.0, slice="system.slice",
    )  # fmt: skip
    return calm._replace(**changes)


def process(pid: int, name: str = "web", *, parent: int = 1, start_time: int = 9) -> Process:
    """Return a process; `pid:9` names it."""
    return Process(pid, start_time, parent, name, "S", 0.0, 1024, pid)


def file_state(path: str, kind: str = "file") -> FileState:
    """Return what lstat would say."""
    return FileState(path, kind, 0o644, 0, 0, 0, 0.0, 0.0, 0.0, 1, 1, 1)


@dataclass
class CalmHost:
    """The part of a host's view that guards ask."""

    units: dict[str, Unit] = field(default_factory=lambda: {"web.service": unit()})
    table: dict[int, Process] = field(default_factory=dict)
    groups: dict[int, str] = field(default_factory=dict)
    files: dict[str, FileState] = field(default_factory=dict)
    started: dict[str, Process] = field(default_factory=dict)
    state: str = "running"
    booted_for: float = 86400.0
    transaction: str = ""
    run: str = ""
    cloud_init: bool = False
    #: Names of questions that cannot be answered.
    mute: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        self.table.setdefault(ENGINE_PID, process(ENGINE_PID, "zen-agents"))

    def _tell(self, question: str) -> None:
        if question in self.mute:
            raise HostError(f"{question} cannot be told")

    def unit(self, name: str) -> Unit | None:
        self._tell("unit")
        return self.units.get(name)

    def process(self, pid: int) -> Process | None:
        self._tell("process")
        return self.table.get(pid)

    def cgroup(self, process: Process) -> str:
        self._tell("cgroup")
        return self.groups.get(process.pid, "/system.slice/web.service")

    def file(self, path: str) -> FileState | None:
        self._tell("file")
        return self.files.get(path)

    def service_process(self, name: str) -> Process | None:
        self._tell("service_process")
        return self.started.get(name)

    def system_state(self) -> str:
        self._tell("system_state")
        return self.state

    def boot_seconds(self) -> float:
        self._tell("boot_seconds")
        return self.booted_for

    def package_transaction(self) -> str:
        self._tell("package_transaction")
        return self.transaction

    def configuration_run(self) -> str:
        self._tell("configuration_run")
        return self.run

    def leaving(self, marks: Sequence[str]) -> str:
        self._tell("leaving")
        return next((f"{mark} says so" for mark in marks if mark in self.files), "")

    def cloud_init_pending(self) -> bool:
        self._tell("cloud_init_pending")
        return self.cloud_init


class Flag:
    """An emergency flag that is set to a text, or not."""

    def __init__(self, text: str | None = None) -> None:
        self.text = text

    def read(self) -> str | None:
        return self.text


def request(**changes: Any) -> ActionRequest:
    """Return the engine's request to restart web."""
    asked = ActionRequest(
        "restart_service", "service:web", {"service": "web"}, because="web is down", incident="inc-web",
        rule="system_health.web", agent="system_health",
    )  # fmt: skip
    return replace(asked, **changes)


def by_alice(*override: str, because: str = "it hangs", **changes: Any) -> ActionRequest:
    """Return a person's request to restart web by hand."""
    return request(requested_by=ALICE, because=because, override=frozenset(override), incident=None, **changes)


def touches(*names: str) -> tuple[Resource, ...]:
    """Return resources written as `unit:web.service`, `process:4242:9`, `path:/srv/x`."""
    pairs = (name.partition(":") for name in names)
    return tuple(Resource(ResourceKind(kind), rest) for kind, _, rest in pairs)


def plan(asked: ActionRequest | None = None, *names: str, budget: Budget = Budget.REPAIR) -> Plan:
    """Return a plan that touches these, web's unit if nothing is named."""
    touched = touches(*(names or ("unit:web.service",)))
    return Plan(asked or request(), ("systemctl restart web.service",), touched, "web@a1", Risk.LOW, Reversible.NO, budget)


def incident(**changes: Any) -> Incident:
    """Return web's open incident."""
    bad = Incident(
        id="inc-web", key=KEY, agent="system_health", rule="system_health.web", target="service:web",
        severity=Severity.ERROR, state=IncidentState.OPEN, began_at=NOW, opened_at=NOW, changed_at=NOW,
        last_status=Status.PROBLEM,
    )  # fmt: skip
    return replace(bad, **changes)


def policy(**changes: Any) -> Policy:
    """Return a policy that allows web to be restarted, with all limits as shipped."""
    named = Policy(
        auto_mitigate={"system_health": True},
        allowed={"restart_service": ActionPolicy()},
        declared=frozenset({("restart_service", "service:web")}),
        own_paths=frozenset({"/opt/zen/state"}),
        own_pid=ENGINE_PID,
        origins={
            "actions.allow.restart_service": "zen.yaml:9:5",
            "actions.allow.restart_service.cooldown": "zen.yaml:10:7",
            "limits.max_auto_repairs_per_hour": "zen.yaml:20:3",
        },
    )
    return replace(named, **changes)


def situation(**changes: Any) -> Situation:
    """Return the situation of one failing target among twenty."""
    return replace(Situation({KEY: incident()}, 1, 20, 0), **changes)


def question(store: Any, **changes: Any) -> Question:
    """Return a question that every guard allows, but for what is changed; a changed request is planned for."""
    asked = changes.pop("request", None) or request()
    by_hand = asked.incident is None
    whole: dict[str, Any] = {
        "request": asked, "plan": plan(asked), "incident": None if by_hand else incident(), "depends_on": frozenset(),
        "needs_confirmation": False, "now": NOW, "policy": policy(), "situation": situation(), "store": store,
        "host": CalmHost(), "stop": Flag(),
    }  # fmt: skip
    return Question(**(whole | changes))


def ran(
    store: Any, *, ago: float, asked: ActionRequest | None = None, kind: OutcomeKind | None = OutcomeKind.VERIFIED,
    took: float = 0.0, lease: float = 60.0, budget: Budget = Budget.REPAIR,
) -> str:  # fmt: skip
    """Write an action that was reserved so many seconds before NOW, and its outcome if it has one; return its id."""
    asked = asked or request()
    id, at = f"act-{next(_numbers):04d}", NOW.after(-ago)
    spends = None if asked.requested_by.is_person else 1_000_000
    store.reserve(Intent(id, plan(asked, budget=budget), at, at.steady + lease), hourly_limit=spends)
    if kind is not None:
        store.finish(Outcome(id, kind, at.after(took), took, Effect(True, "done")))
    return id
