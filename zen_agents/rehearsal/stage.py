"""Sets the stage for a rehearsal: the engine's parts over a copy of the state in memory and a door that is closed."""

from __future__ import annotations

import socket
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from zen_agents.adapters.emergency_flag import EmergencyFlag
from zen_agents.adapters.linux_host import LinuxHost
from zen_agents.adapters.null_control import NullControl
from zen_agents.adapters.sqlite_store import SqliteStore
from zen_agents.agents.base import BaseAgent
from zen_agents.clock import Clock, Instant, ManualClock, SystemClock
from zen_agents.dataclass import dataclass
from zen_agents.engine.parts import Parts
from zen_agents.model.message import Message
from zen_agents.ports.events import Watch
from zen_agents.ports.host import Host
from zen_agents.rehearsal.facts import FactsHost, read_facts
from zen_agents.rehearsal.plan import PlanReport, look, observations_of, rehearse
from zen_agents.settings.loader import Loaded
from zen_agents.settings.policy import safe_mode_triggers, to_policy
from zen_agents.wiring.agents import agent_context, build_agents
from zen_agents.wiring.options import Options, load_settings
from zen_agents.wiring.parts import World, build_parts

#: A rehearsal on facts happens long after the boot, as far as the guards can tell.
LONG_AFTER_BOOT = 1e6


class Nobody:
    """Tells nobody, logs nothing, is woken by nothing."""

    unwatched: Mapping[str, int] = {}

    def tell(self, message: Message) -> None:
        """Drop it."""

    def expect(self, message: Message) -> None:
        """Drop it."""

    def write(
        self, at: Instant, kind: str, id: str, *, action: str, target: str, by: str, outcome: str, detail: str
    ) -> None:
        """Drop it."""

    def open(self, wake: object) -> None:
        """Do nothing."""

    def watch(self, watches: Iterable[Watch]) -> None:
        """Do nothing."""

    def tells_of(self, watch: Watch) -> bool:
        """Tell of nothing."""
        del watch
        return False

    def close(self) -> None:
        """Do nothing."""


@dataclass(frozen=True, slots=True)
class Stage:
    """The engine's parts and agents by a configuration, over a store that is dropped and a door that is closed."""

    parts: Parts
    agents: Sequence[BaseAgent]
    host_name: str
    #: The configuration's files, and its digest.
    files: tuple[str, ...]
    digest: str


def set_stage(options: Options, loaded: Loaded, *, host: Host, store: SqliteStore, clock: Clock) -> Stage:
    """Build the parts of a rehearsal by a configuration that is valid."""
    settings, nobody = loaded.require(), Nobody()
    world = World(
        host=host, store=store, clock=clock, notifier=nobody, events=nobody, flag=EmergencyFlag(options.state_dir),
        control=lambda _: NullControl(host), action_log=nobody,
    )  # fmt: skip
    host_name = settings.host.name or store.get("host_name") or socket.gethostname()
    context = agent_context(loaded, host, options.state_dir, host_name)
    agents = build_agents(settings, context, options.agents)
    parts = build_parts(
        world, to_policy(settings, loaded, agents), triggers=safe_mode_triggers(settings), host_name=host_name
    )
    parts.journal.redaction.use(settings.redact)
    parts.actionable = len({rule.target for agent in agents for rule in agent.rules() if rule.ladder})
    return Stage(parts, agents, host_name, tuple(map(str, loaded.files)), loaded.digest)


class _Movable:
    """A clock that is moved once the host was looked at; limits free up as time goes on, and not as it goes back."""

    def __init__(self, clock: Clock) -> None:
        self._clock, self._away = clock, timedelta()

    def now(self) -> Instant:
        now = self._clock.now()
        return Instant(now.wall + self._away, now.steady + max(self._away.total_seconds(), 0.0))

    def move_to(self, moment: datetime) -> None:
        """Go on from another moment."""
        self._away = moment - self._clock.now().wall


async def rehearse_plan(options: Options, facts_file: Path | None, at: datetime | None = None) -> PlanReport:
    """Return what would be done now, on this host or on written facts; `at`: if what is seen were seen then."""
    loaded = load_settings(options)
    loaded.require()
    facts = read_facts(facts_file) if facts_file else None
    store = SqliteStore.snapshot(None if facts else options.state_dir / "state.db")
    clock = _Movable(ManualClock(facts.now, LONG_AFTER_BOOT) if facts else SystemClock(store.anchor()))
    host: Host = FactsHost(facts) if facts else LinuxHost(options.state_dir)
    stage = set_stage(options, loaded, host=host, store=store, clock=clock)
    parts, agents = stage.parts, stage.agents
    if facts:
        observations = observations_of(facts, [check for agent in agents for check in agent.checks()], clock.now())
    else:
        observations = await look(parts, agents)
        parts.sampler.close()
    if at is not None:
        clock.move_to(at)
    report = await rehearse(parts, agents, observations, clock.now(), facts_only=facts is not None)
    if facts:
        report = replace(report, unused_facts=facts.unused((seen.name, seen.target) for seen in observations))
    return replace(report, host=stage.host_name, mode=parts.policy.mode, config=stage.files, digest=stage.digest)
