"""One engine on this host, from its configuration to its end."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager

from zen_agents import catalog
from zen_agents.adapters.accounts import group_names
from zen_agents.adapters.action_log import ActionLogFile
from zen_agents.adapters.approval_tokens import ApprovalTokens
from zen_agents.adapters.control_sockets import ControlSockets
from zen_agents.adapters.deeds_ahead import load_deeds
from zen_agents.adapters.emergency_flag import EmergencyFlag
from zen_agents.adapters.null_control import NullControl
from zen_agents.adapters.outbox_at_rest import OutboxAtRest
from zen_agents.adapters.running_actions import forget_ended
from zen_agents.adapters.state_dir import StateDir
from zen_agents.adapters.unbegun_actions import UnbegunActions
from zen_agents.agents.base import AgentContext, BaseAgent
from zen_agents.clock import SystemClock
from zen_agents.engine.by_hand import ByHand
from zen_agents.engine.engine import Engine
from zen_agents.engine.operator import Operator
from zen_agents.engine.pulse import Pulse
from zen_agents.engine.recorder import Recorder
from zen_agents.engine.running_agent import RunningAgent
from zen_agents.engine.scheduler import Scheduler
from zen_agents.engine.swap import end_orphans
from zen_agents.engine.tick import AgentTick
from zen_agents.errors import HostError
from zen_agents.first_use import later
from zen_agents.ports.host import Host
from zen_agents.runtime.configuration import Configuration
from zen_agents.runtime.exposition import Exposition
from zen_agents.runtime.ownership import Ownership
from zen_agents.runtime.reloading import Reloading
from zen_agents.runtime.signals import Signals
from zen_agents.runtime.starts import count_start
from zen_agents.runtime.upkeep import RuntimeUpkeep
from zen_agents.settings.loader import Loaded
from zen_agents.settings.policy import flap_limit, safe_mode_triggers
from zen_agents.wiring.agents import actionable_targets, agent_context, build_agents
from zen_agents.wiring.machine import Machine
from zen_agents.wiring.options import Options, load_settings
from zen_agents.wiring.parts import World, build_parts, resident_bytes
from zen_agents.wiring.state import open_store, resolve_host_name


class Runtime:
    """Builds the engine, runs it, and ends it."""

    def __init__(self, options: Options, loaded: Loaded, machine: Machine) -> None:
        self.options, self.configuration, self._machine = options, Configuration(options, loaded), machine
        self.state = StateDir(options.state_dir)
        self.reloading, self.upkeep = Reloading(self), RuntimeUpkeep(self)
        self._sockets = ControlSockets(self.state)
        self.exposition = Exposition(self)

    @classmethod
    def load(cls, options: Options, machine: Machine | None = None) -> Runtime:
        """Load the configuration; SettingsError if it is not valid: a wrong file never starts an engine."""
        return cls(options, load_settings(options), machine or Machine())

    # -- building -----------------------------------------------------------------------------------------------------
    def open(self) -> Engine:
        """Take the state and build the engine. BusyError if another engine holds it."""
        trouble = self._open_state()
        settings, loaded = self.configuration.settings, self.configuration.loaded
        self._host = self._machine.host(self.options.state_dir)
        self.ownership = Ownership(self.store, self.options.state_dir, self._machine, self._host)
        self.host_name = resolve_host_name(settings, self.store)
        self.outbox = self._outbox(loaded)
        flag = self._machine.flag(self.options.state_dir)
        unprepared = _prepare(flag)
        self.controls = self._machine.controls(self._host, self.options.state_dir, flag, self.clock)
        self.upkeep.keep_files()
        world = self._world(self._host, flag)
        self._pulse = Pulse(self.store)
        agents = build_agents(settings, self.agent_context(loaded), self.options.agents)
        policy = self.configuration.policy(loaded, agents)
        # A state that is only in memory says nothing about whose it is, and nothing is done on it anyway.
        foreign = "" if trouble else self.ownership.foreign(self.clock.now())
        triggers = safe_mode_triggers(settings)
        self.parts = build_parts(world, policy, triggers=triggers, host_name=self.host_name, foreign=foreign)
        self.parts.flapping = flap_limit(settings)
        self.parts.get_ready = self._get_ready
        self.parts.is_told_of = world.events.tells_of
        self.parts.journal.redaction.use(settings.redact)
        # Only now: signing writes, and whose state it is was judged by what stood there before.
        self._unsigned = self.ownership.sign(self.clock.now())
        self.engine = self._engine(world, agents)
        self.end_orphans()
        self.configuration.let_go(agents)
        self._finish_removals(flag)
        if trouble or unprepared:
            self.parts.safe_mode.store_failed(trouble or unprepared)
        return self.engine

    def _open_state(self) -> str:
        """Take the state, and the time that it goes by; return why it is only one in memory, "" if it is not."""
        self.state.prepare()
        self.state.take()
        self.state.point(self._machine.pointer)
        forget_ended(self.options.state_dir)
        self.store, trouble = open_store(self.options.state_dir, self.configuration.settings.agents)
        self.clock = SystemClock(self.store.anchor())
        self.configuration.applied_at = self.clock.now()
        return trouble

    def _get_ready(self, actions: Collection[str]) -> None:
        self.outbox.get_ready()
        load_deeds(actions)

    def _outbox(self, loaded: Loaded) -> OutboxAtRest:
        return OutboxAtRest(
            self.store, self.configuration.alert_policy(loaded), self.clock,
            context=self.configuration.alert_context(self.host_name),
            spill=self.options.state_dir / "outbox-spill.jsonl", worker=self._machine.worker,
        )  # fmt: skip

    def _world(self, host: Host, flag: EmergencyFlag) -> World:
        machine, state_dir = self._machine, self.options.state_dir
        return World(
            host=host, store=self.store, clock=self.clock, notifier=self.outbox, flag=flag,
            events=machine.events(host, self.clock),
            control=(lambda _: NullControl(host)) if self.options.dry_run else self.controls,
            action_log=ActionLogFile(state_dir / "actions.log"),
            still_running=lambda: machine.still_running(state_dir), thread=machine.thread,
            evidence=machine.evidence(host, state_dir),
            unbegun=UnbegunActions(state_dir, self.clock.anchor().boot_id),
        )  # fmt: skip

    def _finish_removals(self, flag: EmergencyFlag) -> None:
        """Finish what an earlier engine was removing, unless nothing may be changed now; the next start tries again."""
        policy, parts = self.parts.policy, self.parts
        held = parts.foreign or flag.read() or parts.safe_mode.brake or not self.store.writable()
        if not held and policy.mode == "enforce" and not policy.dry_run:
            self._machine.finish_removals(self.options.state_dir, self.clock)

    def _engine(self, world: World, agents: Sequence[BaseAgent]) -> Engine:
        engine: Engine
        parts = self.parts

        # The engine is not there yet when these are made.
        def watches_changed() -> None:
            engine.rewatch()

        def missed(job: str) -> None:
            engine.missed(job)

        self.recorder = Recorder(world.store, resident_bytes, watches_changed)
        scheduler = Scheduler(missed)
        running = [self.running_agent(agent) for agent in agents]
        parts.actionable = actionable_targets(running)
        by_hand = ByHand(parts, lambda: engine.agents, later(lambda name: catalog.ACTIONS[name](), catalog.ACTIONS))
        engine = Engine(
            parts=parts, agents=running, scheduler=scheduler, recorder=self.recorder, by_hand=by_hand, events=world.events,
            flag=world.flag, courier=self.outbox, upkeep=self.upkeep, pulse=self._pulse, host_name=self.host_name,
            warnings=self.warnings(),
        )  # fmt: skip
        return engine

    def running_agent(self, agent: BaseAgent) -> RunningAgent:
        """Return an agent with its turns, over this engine's parts."""

        def failed(name: str, why: str) -> None:
            self.parts.escalation.engine("agent_failed", f"{name}: {why}", self.clock.now())

        tick = AgentTick(agent, self.parts, self.recorder)
        return RunningAgent(
            tick, store=self.store, journal=self.parts.journal, clock=self.clock, pulse=self._pulse, failed=failed
        )

    def agent_context(self, loaded: Loaded) -> AgentContext:
        """Return what the agents of a configuration may know when they declare themselves."""
        return agent_context(loaded, self._host, self.options.state_dir, self.host_name, vitals=self._pulse)

    def warnings(self) -> list[str]:
        """Return what a person should know although it holds nothing, as long as this configuration is in force."""
        return [*filter(None, (self._unsigned,)), *self.configuration.warnings()]

    def end_orphans(self) -> None:
        """End incidents of agents that the configuration no longer has: nobody would ever look at them again."""
        agents = self.configuration.settings.agents
        end_orphans(self.parts, {name for name, agent in agents.items() if agent.enabled})

    # -- running ------------------------------------------------------------------------------------------------------
    async def run(self) -> str:
        """Run until a signal or a person ends it; return why it ended."""
        signals = Signals(self.engine, self.reloading.on_signal)
        signals.listen()
        await self._sockets.open(self.operator().answer)
        await self.start()
        try:
            await self.engine.run()
        finally:
            # While it ends it may still be looked at.
            await self._sockets.close(acting=True)
            await self.close(signals.ended_by)
        return signals.ended_by

    async def start(self) -> None:
        """Write the start down and begin; `run` does so, and whoever takes the place of signals and sockets."""
        count_start(self.parts, self.configuration.for_ledger(self.parts.policy))
        await self.engine.start()
        await self.exposition.open()

    async def close(self, reason: str) -> None:
        """End cleanly: actions drained, everything written, the state let go."""
        await self.engine.stop(reason)
        await self.exposition.close()
        await self._sockets.close(acting=False)
        self.controls.close()
        self.store.close()
        self.state.release()

    @asynccontextmanager
    async def open_to_people(self) -> AsyncIterator[None]:
        """Let people ask and answer for as long as the block lasts; `run` does so until it ends."""
        await self._sockets.open(self.operator().answer)
        try:
            yield
        finally:
            await self._sockets.close(acting=True)

    def operator(self) -> Operator:
        """Return who answers the control sockets."""
        return Operator(self.engine, tokens=ApprovalTokens(self.options.state_dir), groups_of=group_names)


def _prepare(flag: EmergencyFlag) -> str:
    """Prepare the emergency stop; return why it cannot be."""
    try:
        flag.prepare()
    except HostError as error:
        return str(error)
    return ""
