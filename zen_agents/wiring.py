"""From a configuration and the ports to the engine's parts: a real engine is built so, and so is a rehearsal."""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Protocol

from zen_agents import catalog
from zen_agents.actions.base import Action
from zen_agents.adapters.emergency_flag import EmergencyFlag
from zen_agents.adapters.event_sources import EventSources
from zen_agents.adapters.host_evidence import HostEvidence
from zen_agents.adapters.host_state import HOST_STATE
from zen_agents.adapters.linux_control import LinuxControls
from zen_agents.adapters.linux_host import LinuxHost
from zen_agents.adapters.quarantine import Quarantine
from zen_agents.adapters.running_actions import still_running
from zen_agents.adapters.safe_files import tidy
from zen_agents.adapters.service_keeper import ServiceKeeper
from zen_agents.adapters.sqlite_store import SqliteStore
from zen_agents.adapters.state_dir import ROOT_POINTER
from zen_agents.adapters.syslog_witness import SYSLOG
from zen_agents.adapters.worker_process import run_worker
from zen_agents.agents.base import AgentContext, BaseAgent
from zen_agents.clock import Clock, Instant
from zen_agents.dataclass import dataclass
from zen_agents.engine.aside import Aside, DaemonThread, Thread
from zen_agents.engine.breakers import Breakers
from zen_agents.engine.causes import Causes
from zen_agents.engine.escalation import Escalation
from zen_agents.engine.evidence import Evidence
from zen_agents.engine.executor import ControlFactory, Executor, Unbegun
from zen_agents.engine.incidents import IncidentBook
from zen_agents.engine.journal import ActionLog, Journal
from zen_agents.engine.judging import Judging
from zen_agents.engine.messages import mode_line
from zen_agents.engine.parts import Parts
from zen_agents.engine.planning import Planning
from zen_agents.engine.rivals import Rivals
from zen_agents.engine.running_agent import RunningAgent
from zen_agents.engine.safe_mode import SafeMode, SafeModeTriggers
from zen_agents.engine.sampler import Sampler
from zen_agents.errors import HostError, StoreError, UsageError
from zen_agents.first_use import later
from zen_agents.guards.base import Policy
from zen_agents.model.action import Intent
from zen_agents.ports.events import EventSource
from zen_agents.ports.evidence import EvidenceSource
from zen_agents.ports.host import Host, HostControl
from zen_agents.ports.notifier import Notifier
from zen_agents.ports.store import Store
from zen_agents.ports.vitals import Vitals
from zen_agents.rules.rule import FlapLimit
from zen_agents.settings.apart import load_lean
from zen_agents.settings.loader import Loaded
from zen_agents.settings.models import Settings

log = logging.getLogger("zen_agents.runtime")

#: An action that began before a window may have ended in it; and "keeps coming back" is told by the day (seconds).
_LOOK_BACK_SECONDS = 2 * 86400.0


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line says about a run."""

    config: Sequence[Path]
    state_dir: Path
    dry_run: bool = False
    #: A mode safer than the file's; None keeps the file's.
    mode: str | None = None
    #: Only these agents; empty means all.
    agents: frozenset[str] = frozenset()
    #: Digests of the plans that may run; None means any.
    only_plans: frozenset[str] | None = None


def load_settings(options: Options) -> Loaded:
    """Load the configuration; SettingsError with every diagnostic if it is not valid.

    Raises UsageError if the options name an agent that is not in it: nothing would be watched, and nobody told.
    """
    flags = {"mode": options.mode} if options.mode else {}
    loaded = load_lean(options.config, os.environ, flags=flags)
    known = loaded.require().agents
    for name in sorted(options.agents.difference(known)):
        raise UsageError(f"there is no agent {name!r} in the configuration; there are: {', '.join(known) or 'none'}")
    return loaded


def agent_context(
    loaded: Loaded, host: Host, state_dir: Path, host_name: str, *, vitals: Vitals | None = None
) -> AgentContext:
    """Return what agents may know when they declare themselves; a host that cannot tell its mounts has none to watch."""
    try:
        mounts = tuple(host.look().mounts())
    except HostError as error:
        log.warning("the mounts cannot be told: %s", error)
        mounts = ()
    settings = loaded.require()
    return AgentContext(
        host_name, loaded.origins, str(state_dir), mounts, vitals, settings.actions.allow,
        patience_seconds=settings.limits.patience.total_seconds(),
        patience_when_critical_seconds=settings.limits.patience_when_critical.total_seconds(),
    )  # fmt: skip


def build_agents(settings: Settings, context: AgentContext, only: frozenset[str] = frozenset()) -> list[BaseAgent]:
    """Return the enabled agents of a configuration, in the catalog's order."""
    built: list[BaseAgent] = []
    for name in catalog.AGENTS:
        if name in settings.agents and settings.agents[name].enabled:
            built.append(catalog.AGENTS[name](settings.agents[name], replace(context, others=tuple(built))))
    return [agent for agent in built if not only or agent.name in only]


def actionable_targets(agents: Sequence[RunningAgent]) -> int:
    """Return how many targets could be acted on at all: the denominator of the storm brake."""
    return len({rule.target for agent in agents for rule in agent.tick.watchlist.rules.values() if rule.ladder})


def open_store(state_dir: Path, agents: Iterable[str]) -> tuple[SqliteStore, str]:
    """Return the state, or an empty one in memory and why: an engine that cannot write watches and tells (R14)."""
    try:
        store = SqliteStore(state_dir / "state.db")
    except StoreError as error:
        log.critical("%s", error)
        return SqliteStore.volatile(), str(error)
    try:
        store.require_readable(agents)
    except StoreError as error:
        log.critical("%s", error)
        store.close()
        return SqliteStore.volatile(), str(error)
    # Room for the next intent on a disk that fills up.
    store.keep_room()
    return store, ""


def resolve_host_name(settings: Settings, store: Store) -> str:
    """Return the host's name: the file's, else the one found first, so that it survives a boot without DNS.

    It is kept: what looks at the state alone names the host as the engine did.
    """
    kept = store.get("host_name")
    name = settings.host.name or kept or _found_name()
    if name != kept:
        try:
            store.put("host_name", name)
        except StoreError as error:
            log.error("the host's name was not kept, the next start asks again: %s", error)
    return name


def _found_name() -> str:
    name = socket.getfqdn()
    return socket.gethostname() if name.startswith("localhost") else name


def counted_seconds(policy: Policy, flapping: FlapLimit) -> float:
    """Return how far limits and breakers look back: what they count is kept so long, whatever retention says."""
    limits = (policy.failures, policy.recurrence, policy.repairs, policy.housekeeping, policy.per_target)
    windows = [max(limit.within_seconds, limit.retry_after_seconds) for limit in limits]
    windows += [allowance.cooldown.total_seconds() for allowance in policy.allowed.values()]
    return _LOOK_BACK_SECONDS + max(*windows, flapping.within_seconds)


def resident_bytes() -> int:
    """Return this process's resident memory in bytes, 0 where /proc does not tell."""
    try:
        return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        return 0


class Controls(Protocol):
    """Makes the control of each intent, and ends with the engine."""

    def __call__(self, intent: Intent) -> HostControl: ...
    def keep_files(self, seconds: float, most_bytes: int) -> None:
        """Keep files of the quarantine so long and of that size from now on, and drop what has had its time.

        Raises HostError if the quarantine cannot be read.
        """
        ...

    def close(self) -> None:
        """Let go of what the controls share."""
        ...


class Machine:
    """The machine that an engine runs on, as its adapters make it; a simulation brings its own."""

    #: Where a start leaves the path of its state for the emergency scripts, and what names the state that a host has had.
    pointer = ROOT_POINTER
    host_state = HOST_STATE
    #: Where the system's log takes the signed heads of the ledger.
    syslog = SYSLOG

    def host(self, state_dir: Path) -> Host:
        """Return the host to look at."""
        return LinuxHost(state_dir)

    def flag(self, state_dir: Path) -> EmergencyFlag:
        """Return the emergency stop of a state and of the machine."""
        return EmergencyFlag(state_dir)

    def controls(self, host: Host, state_dir: Path, flag: EmergencyFlag, clock: Clock) -> Controls:
        """Return the way to change the host; what an earlier engine only half took into quarantine is let go of."""
        controls = LinuxControls(host, state_dir=state_dir, flag=flag, clock=clock)
        controls.quarantine.forget_unfinished()
        return controls

    def finish_removals(self, state_dir: Path, clock: Clock) -> None:
        """Remove what an earlier engine was removing, and take back what it had not proven, when it was killed."""
        quarantine = Quarantine(state_dir / "quarantine", clock)
        tidy(quarantine)
        if (state_dir / "environments").is_dir():
            from zen_agents.adapters.environment_recovery import recover  # noqa: PLC0415 - only where one was upgraded

            recover(state_dir, quarantine, clock)

    def evidence(self, host: Host, state_dir: Path) -> EvidenceSource | None:
        """Return what reads evidence before a repair; None if nothing does."""
        return HostEvidence(host, ServiceKeeper(state_dir).said)

    def events(self, host: Host, clock: Clock) -> EventSource:
        """Return what wakes the engine early."""
        return EventSources(ask=lambda glance: glance(host.look(), clock.now()))

    def still_running(self, state_dir: Path) -> Collection[str]:
        """Return ids of actions whose command still runs, also such as an earlier engine began."""
        return still_running(state_dir)

    def thread(self) -> Thread:
        """Return a thread for what may hang."""
        return DaemonThread()

    async def worker(self, module: str, request: str, *, timeout_seconds: float) -> str:
        """Have a worker process answer a request; raises WorkerError."""
        return await run_worker(module, request, timeout_seconds=timeout_seconds)


@dataclass(slots=True)
class World:
    """The ports that an engine is built on; a simulation hands in its own."""

    host: Host
    store: Store
    clock: Clock
    notifier: Notifier
    events: EventSource
    flag: EmergencyFlag
    control: ControlFactory
    action_log: ActionLog
    #: Ids of actions whose command still runs, also such as an earlier engine began.
    still_running: Callable[[], Collection[str]] = tuple
    thread: Callable[[], Thread] = DaemonThread
    #: Reads what was wrong before it is repaired; None: nothing does.
    evidence: EvidenceSource | None = None
    #: Knows which reserved actions have not begun; None: nobody does.
    unbegun: Unbegun | None = None


def catalog_actions() -> Mapping[str, Action]:
    """Return every action that this version can do, by name, and what undoes them; each is loaded when it is needed."""
    kinds: tuple[Mapping[str, type[Action]], ...] = (catalog.ACTIONS, catalog.INVERSES)
    return later(lambda name: next(each[name] for each in kinds if name in each)(), chain(*kinds))


def build_parts(
    world: World, policy: Policy, *, triggers: SafeModeTriggers, host_name: str, foreign: str = "",
    actions: Mapping[str, Action] | None = None,
) -> Parts:  # fmt: skip
    """Wire the engine's own parts over the ports; `actions` are the catalog's unless a rehearsal brings its own."""
    actions = catalog_actions() if actions is None else actions
    journal = Journal(world.store, world.action_log)
    aside = Aside(world.thread)
    evidence = Evidence(world.evidence, store=world.store, journal=journal, clock=world.clock, aside=aside)
    causes = Causes(world.host, world.clock, aside)
    planning = Planning(world.host, actions, aside)
    judging = Judging(
        planning, host=world.host, store=world.store, stop=world.flag, guards=catalog.GUARDS, causes_of=causes.of
    )
    executor = Executor(
        planning, host=world.host, store=world.store, journal=journal, clock=world.clock, stop=world.flag,
        control=world.control, resident_bytes=resident_bytes, still_running=world.still_running, evidence=evidence,
        unbegun=world.unbegun,
    )  # fmt: skip
    parts: Parts

    escalation = Escalation(
        notifier=world.notifier, store=world.store, journal=journal, host_name=host_name,
        mode_line=lambda: mode_line(parts.policy, world.store, world.clock.now()), evidence=evidence.of,
    )  # fmt: skip

    def entered(reason: str, at: Instant) -> None:
        escalation.engine("safe_mode", reason, at)

    safe_mode = SafeMode(store=world.store, journal=journal, clock=world.clock, triggers=triggers, entered=entered)
    parts = Parts(
        store=world.store, host=world.host, clock=world.clock, policy=policy,
        sampler=Sampler(world.host, world.clock, world.thread), book=IncidentBook(world.store),
        planning=planning, judging=judging, executor=executor, journal=journal, escalation=escalation,
        breakers=Breakers(world.store, policy.failures, world.clock.now),
        safe_mode=safe_mode, causes=causes, rivals=Rivals(world.store, journal), foreign=foreign,
    )  # fmt: skip
    return parts
