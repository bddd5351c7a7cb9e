"""The one place where ports meet adapters: builds the engine, reloads it, ends it."""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import os
import signal
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zen_agents import __version__, catalog
from zen_agents.adapters.accounts import group_names
from zen_agents.adapters.action_log import ActionLogFile
from zen_agents.adapters.approval_tokens import ApprovalTokens
from zen_agents.adapters.audit_key import AuditKey
from zen_agents.adapters.control_sockets import ControlSockets
from zen_agents.adapters.emergency_flag import EmergencyFlag
from zen_agents.adapters.host_state import accept, accept_own, keep_head
from zen_agents.adapters.null_control import NullControl
from zen_agents.adapters.outbox_at_rest import OutboxAtRest
from zen_agents.adapters.running_actions import forget_ended
from zen_agents.adapters.state_dir import StateDir
from zen_agents.adapters.syslog_witness import SyslogWitness
from zen_agents.adapters.unbegun_actions import UnbegunActions
from zen_agents.agents.base import AgentContext, BaseAgent
from zen_agents.alerts.context import AlertContext
from zen_agents.alerts.policy import AlertPolicy
from zen_agents.clock import Instant, SystemClock
from zen_agents.engine.breakers import Breakers
from zen_agents.engine.by_hand import ByHand
from zen_agents.engine.engine import Engine
from zen_agents.engine.operator import Operator
from zen_agents.engine.pulse import Pulse
from zen_agents.engine.recorder import Recorder
from zen_agents.engine.running_agent import RunningAgent
from zen_agents.engine.safe_mode import HOST
from zen_agents.engine.scheduler import Scheduler
from zen_agents.engine.swap import end_orphans, swap
from zen_agents.engine.tick import AgentTick
from zen_agents.errors import HostError, SettingsError, StoreError, ZenError
from zen_agents.first_use import later
from zen_agents.guards.base import Policy
from zen_agents.ports.host import Host
from zen_agents.ports.store import Brake
from zen_agents.settings.loader import Loaded
from zen_agents.settings.models import Settings
from zen_agents.settings.policy import flap_limit, safe_mode_triggers, to_alert_policy, to_policy
from zen_agents.wiring import (
    Machine,
    Options,
    World,
    actionable_targets,
    agent_context,
    build_agents,
    build_parts,
    counted_seconds,
    load_settings,
    open_store,
    resident_bytes,
    resolve_host_name,
)

if TYPE_CHECKING:
    from zen_agents.adapters.metrics_export import MetricsExport
    from zen_agents.engine.measurements import Measurements

log = logging.getLogger("zen_agents.runtime")

#: The steady timeline is saved this often (seconds): so much of it could be lost over a reboot.
SAVE_TIME_EVERY = 60.0
#: Starts remembered for "restarting in a loop".
STARTS_KEPT = 20


class Runtime:
    """One engine on this host, from its configuration to its end."""

    def __init__(self, options: Options, loaded: Loaded, settings: Settings, machine: Machine) -> None:
        self.options, self.loaded, self.settings, self._machine = options, loaded, settings, machine
        self.state = StateDir(options.state_dir)
        self._not_applied: tuple[str, float] | None = None
        self._reloading = asyncio.Lock()
        self._saved_at = float("-inf")
        self._sockets = ControlSockets(self.state)
        self.measurements: Measurements | None = None
        self._metrics: MetricsExport | None = None

    @classmethod
    def load(cls, options: Options, machine: Machine | None = None) -> Runtime:
        """Load the configuration; SettingsError if it is not valid: a wrong file never starts an engine."""
        loaded = load_settings(options)
        return cls(options, loaded, loaded.require(), machine or Machine())

    # -- building -----------------------------------------------------------------------------------------------------
    def open(self) -> Engine:
        """Take the state and build the engine. BusyError if another engine holds it."""
        self.state.prepare()
        self.state.take()
        self.state.point(self._machine.pointer)
        forget_ended(self.options.state_dir)
        store, trouble = open_store(self.options.state_dir, self.settings.agents)
        self.store = store
        self.clock = SystemClock(store.anchor())
        self._loaded_at = self.clock.now()
        flag = self._machine.flag(self.options.state_dir)
        unprepared = self._prepare(flag)
        host = self._machine.host(self.options.state_dir)
        self.host_name = resolve_host_name(self.settings, store)
        self.outbox = OutboxAtRest(
            store, self._alert_policy(self.settings, self.loaded), self.clock,
            context=self._alert_context(), spill=self.options.state_dir / "outbox-spill.jsonl", worker=self._machine.worker,
        )  # fmt: skip
        self.controls = self._machine.controls(host, self.options.state_dir, flag, self.clock)
        self._keep_files()
        world = World(
            host=host, store=store, clock=self.clock, notifier=self.outbox, flag=flag,
            events=self._machine.events(host, self.clock),
            control=(lambda _: NullControl(host)) if self.options.dry_run else self.controls,
            action_log=ActionLogFile(self.options.state_dir / "actions.log"),
            still_running=lambda: self._machine.still_running(self.options.state_dir), thread=self._machine.thread,
            evidence=self._machine.evidence(host, self.options.state_dir),
            unbegun=UnbegunActions(self.options.state_dir, self.clock.anchor().boot_id),
        )  # fmt: skip
        self._host, self._pulse = host, Pulse(store)
        agents = build_agents(self.settings, self._context(self.loaded), self.options.agents)
        self.parts = build_parts(
            world, self._policy(self.loaded, agents), triggers=safe_mode_triggers(self.settings), host_name=self.host_name,
            # A state that is only in memory says nothing about whose it is, and nothing is done on it anyway.
            foreign="" if trouble else self._foreign(host),
        )  # fmt: skip
        self.parts.flapping = flap_limit(self.settings)
        self.parts.get_ready = self.outbox.get_ready
        self.parts.is_told_of = world.events.tells_of
        self.parts.journal.redaction.use(self.settings.redact)
        # Only now: signing writes, and whose state it is was judged by what stood there before.
        self._unsigned = self._sign_ledger()
        self.engine = self._engine(world, agents)
        self._end_orphans()
        self._let_go(agents)
        self._finish_removals(flag)
        if trouble or unprepared:
            self.parts.safe_mode.store_failed(trouble or unprepared)
        return self.engine

    def _sign_ledger(self) -> str:
        """Sign the ledger from now on; return why not: an engine that cannot sign watches and acts, and says so."""
        if not self.store.writable():
            return ""
        try:
            key = AuditKey.of(self.options.state_dir)
            self.store.sign_with(key, SyslogWitness(self._machine.syslog), self.clock.now())
            key.publish(self.options.state_dir)
        except StoreError as error:
            log.critical("%s", error)
            return str(error)
        return ""

    def _prepare(self, flag: EmergencyFlag) -> str:
        try:
            flag.prepare()
        except HostError as error:
            return str(error)
        return ""

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

        recorder = Recorder(world.store, resident_bytes, watches_changed)
        scheduler = Scheduler(missed)
        running = [self._running(agent, recorder) for agent in agents]
        parts.actionable = actionable_targets(running)
        self._recorder = recorder
        by_hand = ByHand(parts, lambda: engine.agents, later(lambda name: catalog.ACTIONS[name](), catalog.ACTIONS))
        engine = Engine(
            parts=parts, agents=running, scheduler=scheduler, recorder=recorder, by_hand=by_hand, events=world.events,
            flag=world.flag, courier=self.outbox, upkeep=self, pulse=self._pulse, host_name=self.host_name,
            warnings=self._warnings(),
        )  # fmt: skip
        return engine

    def _running(self, agent: BaseAgent, recorder: Recorder) -> RunningAgent:
        def failed(name: str, why: str) -> None:
            self.parts.escalation.engine("agent_failed", f"{name}: {why}", self.clock.now())

        tick = AgentTick(agent, self.parts, recorder)
        return RunningAgent(
            tick, store=self.store, journal=self.parts.journal, clock=self.clock, pulse=self._pulse, failed=failed
        )

    def _context(self, loaded: Loaded) -> AgentContext:
        return agent_context(loaded, self._host, self.options.state_dir, self.host_name, vitals=self._pulse)

    def _policy(self, loaded: Loaded, agents: Sequence[BaseAgent]) -> Policy:
        own_paths = (str(self.options.state_dir.resolve()), str(Path(__file__).resolve().parent))
        return to_policy(
            loaded.require(), loaded, agents, dry_run=self.options.dry_run, own_paths=own_paths,
            only_plans=self.options.only_plans,
        )  # fmt: skip

    def _alert_policy(self, settings: Settings, loaded: Loaded) -> AlertPolicy:
        """Return who is told; a dry run tells nobody, for nothing was done."""
        return AlertPolicy() if self.options.dry_run else to_alert_policy(settings, loaded, os.environ)

    def _alert_context(self) -> AlertContext:
        return AlertContext(
            self.host_name, __version__, self.loaded.digest[:6], self.settings.alerts.timezone, self.settings.host.labels
        )

    def _foreign(self, host: Host) -> str:
        """Return why only observing is right on this state (R34), "" if it is this host's own; set the brake accordingly."""
        machine, kept = host.look().machine_id(), self._machine.host_state
        why = accept_own(self.store, self.options.state_dir, machine, host_state=kept)
        if not why:
            return ""
        self.store.set_brake(Brake("observe_only", HOST, why, "engine", self.clock.now(), None))
        return f"{why}; look at it, then: zen-agents resume --reason ..."

    def accept_state(self) -> None:
        """Take the state as this host's own: a person has looked."""
        machine, kept = self._host.look().machine_id(), self._machine.host_state
        accept(self.store, self.options.state_dir, machine, host_state=kept)
        self.parts.foreign = ""

    def _warnings(self) -> list[str]:
        warnings = [diagnostic.message for diagnostic in self.loaded.diagnostics]
        if os.geteuid() == 0 and (Path(__file__).parent.parent / ".git").exists():
            warnings.insert(0, "started as root from a checkout: whoever may write there may become root")
        return [self._unsigned, *warnings] if self._unsigned else warnings

    # -- running ------------------------------------------------------------------------------------------------------
    async def run(self) -> str:
        """Run until a signal or a person ends it; return why it ended."""
        engine, loop = self.engine, asyncio.get_running_loop()
        ended_by = "asked to stop"

        def on_signal(name: str) -> None:
            nonlocal ended_by
            if ended_by == name:
                # A second one of a kind: whoever sends it does not want to wait.
                engine.hurry()
            ended_by = name
            engine.request_stop()

        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, on_signal, signal.Signals(number).name)
        loop.add_signal_handler(signal.SIGHUP, lambda: loop.create_task(self._reload_on_signal()))
        await self._sockets.open(self.operator().answer)
        await self.start()
        try:
            await engine.run()
        finally:
            # While it ends it may still be looked at.
            await self._sockets.close(acting=True)
            await self.close(ended_by)
        return ended_by

    async def start(self) -> None:
        """Write the start down and begin; `run` does so, and whoever takes the place of signals and sockets."""
        self._count_start()
        await self.engine.start()
        await self.export_metrics()

    async def close(self, reason: str) -> None:
        """End cleanly: actions drained, everything written, the state let go."""
        await self.engine.stop(reason)
        if self._metrics is not None:
            await self._metrics.close()
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

    async def export_metrics(self) -> None:
        """Tell Prometheus what the configuration says it is told; without a word of it nothing is loaded for it."""
        wanted = self.settings.metrics
        if self._metrics is not None:
            await self._metrics.close()
            self._metrics = None
        if wanted.textfile is None and wanted.listen is None:
            return
        from zen_agents.adapters.metrics_export import MetricsExport  # noqa: PLC0415
        from zen_agents.engine.measurements import Measurements  # noqa: PLC0415

        if self.measurements is None:
            self.measurements = Measurements(self.engine, self._recorder, lambda: self.outbox.delivered, __version__)
        self._metrics = MetricsExport(self.measurements.text)
        host, _, port = (wanted.listen or "").rpartition(":")
        await self._metrics.open(
            file=Path(wanted.textfile) if wanted.textfile else None, every_seconds=wanted.every.total_seconds(),
            listen=(host.strip("[]"), int(port)) if wanted.listen else None,
        )  # fmt: skip

    def operator(self) -> Operator:
        """Return who answers the control sockets."""
        return Operator(self.engine, tokens=ApprovalTokens(self.options.state_dir), groups_of=group_names)

    def _count_start(self) -> None:
        """Remember this start, and go to safe mode if there were too many lately."""
        try:
            starts: list[float] = json.loads(self.store.get("starts") or "[]")
            starts = [*starts[-STARTS_KEPT:], self.clock.now().steady]
            self.store.put("starts", json.dumps(starts))
            self.parts.journal.engine(self.clock.now(), "started", **self._in_force(), pid=os.getpid())
            self.store.commit()
            self.parts.safe_mode.started(starts)
        except StoreError as error:
            self.parts.safe_mode.store_failed(str(error))

    def _in_force(self) -> dict[str, Any]:
        """Return what the ledger has to say of the configuration, so that it can be judged without it."""
        return {"config": self.loaded.digest, "mode": self.parts.policy.mode, "dry_run": self.parts.policy.dry_run}

    # -- upkeep (engine.upkeep.Upkeep) --------------------------------------------------------------------------------
    def save_time(self) -> None:
        """Save the anchor of the steady timeline, once a minute."""
        now = self.clock.now().steady
        if now - self._saved_at >= SAVE_TIME_EVERY:
            self._saved_at = now
            self.store.save_anchor(self.clock.anchor())
            self.store.sign_waiting(self.clock.now())
            self.store.commit()
            keep_head(self.store, self.options.state_dir)

    def prune(self) -> None:
        """Drop what retention no longer keeps."""
        now, kept = self.clock.now().steady, self.settings.retention
        self.store.prune(
            metrics_before=now - kept.metrics.total_seconds(),
            decisions_before=now - kept.decisions.total_seconds(),
            actions_before=now - max(kept.actions.total_seconds(), counted_seconds(self.parts.policy, self.parts.flapping)),
        )
        self._keep_files()

    def _keep_files(self) -> None:
        """Hold the quarantine to what the configuration says; one that cannot be read keeps everything."""
        kept = self.settings.retention
        try:
            self.controls.keep_files(kept.quarantine.total_seconds(), kept.quarantine_size)
        except HostError as error:
            log.error("nothing was dropped from the quarantine: %s", error)

    async def good_tick(self) -> None:
        """Ping the heartbeat address, if there is one."""
        await self.outbox.good_tick()

    def config_facts(self) -> Mapping[str, Any]:
        """Return which configuration is in force, and why a newer one is not."""
        facts: dict[str, Any] = {
            "path": ", ".join(str(path) for path in self.loaded.files),
            "digest": self.loaded.digest,
            "loaded_at": self._loaded_at.wall.isoformat(),
        }
        if self._not_applied is not None:
            error, at = self._not_applied
            facts["not_applied"] = {"error": error, "seconds_ago": self.clock.now().steady - at}
        return facts

    async def _reload_on_signal(self) -> None:
        try:
            await self.reload()
        except ZenError as error:
            log.error("the configuration was not applied: %s", error)

    async def reload(self) -> Mapping[str, Any]:
        """Load the configuration anew: everything new is built first, then swapped in; a bad file changes nothing."""
        async with self._reloading:
            now = self.clock.now()
            try:
                loaded = load_settings(self.options)
                settings = loaded.require()
                agents = build_agents(settings, self._context(loaded), self.options.agents)
                for agent in agents:
                    # Asked here for the first time, so that one that cannot tell stops the reload and not the swap.
                    agent.checks(), agent.rules(), agent.scope()
                policy, alerts = self._policy(loaded, agents), self._alert_policy(settings, loaded)
            except Exception as error:
                self._remember_not_applied(error, now)
                if isinstance(error, SettingsError):
                    raise
                raise SettingsError(f"the configuration cannot be applied: {error}") from error
            self._not_applied = None
            self.parts.journal.redaction.use(settings.redact)
            self.loaded, self.settings, self._loaded_at = loaded, settings, now
            self.outbox.reconfigure(alerts, self._alert_context())
            self._keep_files()
            self.parts.policy = policy
            # Before anybody decides by it.
            self._write("reloaded", **self._in_force())
            await self._swap(agents, policy)
            await self.export_metrics()
            self._let_go(agents)
            gc.collect()
            return {"config": loaded.digest, "agents": [agent.name for agent in agents]}

    def _let_go(self, agents: Sequence[BaseAgent]) -> None:
        """Keep no configuration in memory of which everything is built: with thousands of entries it is most of it."""
        self.loaded, self.settings = self.loaded.lean(), self.settings.model_copy(update={"agents": {}})
        for agent in agents:
            agent.context = replace(agent.context, origins={})

    def _remember_not_applied(self, error: Exception, now: Instant) -> None:
        lines = str(error).strip().splitlines() or [type(error).__name__]
        # A mere warning may stand above it.
        place = next((line for line in lines if ": error[" in line), lines[0])
        self._not_applied = (f"reload failed at {now.wall.astimezone():%H:%M}: {place}", now.steady)
        self._write("reload_failed", error=str(error)[:2000])

    def _write(self, what: str, **body: Any) -> None:
        """Write what the engine did about itself; a state that cannot be written does not keep it from being done."""
        try:
            self.parts.journal.engine(self.clock.now(), what, **body)
            self.store.commit()
        except StoreError as error:
            self.parts.safe_mode.store_failed(str(error))

    def _end_orphans(self) -> None:
        """End incidents of agents that the configuration no longer has: nobody would ever look at them again."""
        enabled = {name for name, agent in self.settings.agents.items() if agent.enabled}
        end_orphans(self.parts, enabled)

    async def _swap(self, agents: Sequence[BaseAgent], policy: Policy) -> None:
        engine = self.engine
        self.parts.flapping = flap_limit(self.settings)
        self.parts.safe_mode.triggers = safe_mode_triggers(self.settings)
        self.parts.breakers = Breakers(self.store, policy.failures, self.clock.now)
        engine.standing_warnings = self._warnings()
        await swap(engine, agents, lambda agent: self._running(agent, self._recorder))
        self._end_orphans()
        self.parts.actionable = actionable_targets(engine.agents)
        self.parts.causes.forget()
        engine.rewatch()
