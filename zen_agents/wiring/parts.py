"""The engine's own parts, wired over the ports that it is given."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping
from itertools import chain
from pathlib import Path

from zen_agents import catalog
from zen_agents.actions.base import Action
from zen_agents.adapters.emergency_flag import EmergencyFlag
from zen_agents.clock import Clock, Instant
from zen_agents.dataclass import dataclass
from zen_agents.engine.aside import Aside, DaemonThread, Thread
from zen_agents.engine.breakers import Breakers
from zen_agents.engine.causes import Causes
from zen_agents.engine.escalation import Escalation
from zen_agents.engine.evidence import Evidence
from zen_agents.engine.executor import ControlFactory, Executor
from zen_agents.engine.incidents import IncidentBook
from zen_agents.engine.journal import ActionLog, Journal
from zen_agents.engine.judging import Judging
from zen_agents.engine.messages import mode_line
from zen_agents.engine.parts import Parts
from zen_agents.engine.planning import Planning
from zen_agents.engine.rivals import Rivals
from zen_agents.engine.safe_mode import SafeMode, SafeModeTriggers
from zen_agents.engine.sampler import Sampler
from zen_agents.engine.unbegun import Unbegun
from zen_agents.first_use import later
from zen_agents.guards.base import Policy
from zen_agents.ports.events import EventSource
from zen_agents.ports.evidence import EvidenceSource
from zen_agents.ports.host import Host
from zen_agents.ports.notifier import Notifier
from zen_agents.ports.store import Store


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


def resident_bytes() -> int:
    """Return this process's resident memory in bytes, 0 where /proc does not tell."""
    try:
        return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        return 0


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
    planning = Planning(world.host, actions, aside, world.clock)
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
