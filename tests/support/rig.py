"""A whole engine over a simulated host, a hand-moved clock and a real store in a temporary file.

rig = Rig(tmp_path, services=["web"])
rig.host.crash("web")
await rig.run(60)            # a minute of host time, in milliseconds
assert rig.outcomes() == ["verified"]
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from chaos.simulation.host import SimulatedHost
from zen_agents.actions.base import Action, ActionPolicy
from zen_agents.adapters.action_log import ActionLogFile
from zen_agents.adapters.emergency_flag import EmergencyFlag
from zen_agents.adapters.sqlite_store import SqliteStore
from zen_agents.adapters.unbegun_actions import UnbegunActions
from zen_agents.agents.base import AgentContext, BaseAgent, Schedule
from zen_agents.catalog import GUARDS
from zen_agents.checks.base import Check, Probe
from zen_agents.clock import Instant
from zen_agents.engine.aside import Aside
from zen_agents.engine.breakers import Breakers
from zen_agents.engine.by_hand import ByHand
from zen_agents.engine.causes import Causes
from zen_agents.engine.escalation import Escalation
from zen_agents.engine.executor import Executor
from zen_agents.engine.incidents import IncidentBook
from zen_agents.engine.journal import Journal
from zen_agents.engine.judging import Judging
from zen_agents.engine.parts import Parts
from zen_agents.engine.planning import Planning
from zen_agents.engine.pulse import Pulse
from zen_agents.engine.recorder import Recorder
from zen_agents.engine.rivals import Rivals
from zen_agents.engine.running_agent import RunningAgent
from zen_agents.engine.safe_mode import SafeMode, SafeModeTriggers
from zen_agents.engine.sampler import sound
from zen_agents.engine.tick import AgentTick
from zen_agents.guards.base import Limit, Policy
from zen_agents.model.action import (
    ActionRequest,
    Effect,
    Intent,
    Plan,
    Resource,
    ResourceKind,
    Reversible,
    Risk,
)  # fmt: skip
from zen_agents.model.agent import AgentState
from zen_agents.model.entry import EntryKind
from zen_agents.model.message import Message
from zen_agents.model.observation import Observation, Status
from zen_agents.model.severity import Severity
from zen_agents.ports.events import Watch
from zen_agents.ports.host import HostControl, HostView
from zen_agents.rules.condition import StatusIs
from zen_agents.rules.rule import Hold, Rule, Rung


class UpCheck(Check):
    """Whether a simulated service answers."""

    kind = "up"
    summary = "Asks whether a service answers."

    def __init__(self, name: str, host: SimulatedHost, every_seconds: float) -> None:
        super().__init__(name=f"up.{name}", target=f"service:{name}", every_seconds=every_seconds)
        self._service, self._host = name, host

    @property
    def observes(self) -> tuple[str, ...]:
        return (self.name,)

    def observe(self, host: HostView, now: Instant) -> Sequence[Observation]:
        self._host.faults.apply("up", lambda: None)
        service = self._host.services[self._service]
        up = self._host.answering(service.port) is service and not service.hangs
        status = Status.OK if up else Status.PROBLEM
        return [Observation(self.name, self.target, status, now, None, "answers" if up else "connection refused")]


class WatchedUp(UpCheck):
    """The same of a unit, asked at once when systemd says that the unit changed."""

    def watches(self) -> Sequence[Watch]:
        return (Watch("unit", f"{self._service}.service"),)


def watch_units(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let agents of rigs that are made from now on watch their units."""
    monkeypatch.setattr(
        RigAgent, "checks", lambda agent: [WatchedUp(name, agent._host, agent._every) for name in agent._names]
    )


class Restart(Action):
    """Starts a simulated service again through its control, so that every start is counted there."""

    name = "restart_service"
    summary = "Starts it again."
    side_effects = "none"
    risk = Risk.LOW
    reversible = Reversible.NO

    class Params(BaseModel):
        unit: str

    def plan(self, request: ActionRequest, host: HostView) -> Plan:
        unit = host.unit(request.params["unit"])
        assert unit is not None
        return Plan(
            request, (f"systemctl restart -- {unit.id}",), (Resource(ResourceKind.UNIT, unit.id),),
            f"{unit.invocation}:{unit.active_state}:{unit.changed_us}", self.risk, self.reversible, self.budget,
            timeout_seconds=30.0,
        )  # fmt: skip

    async def execute(self, plan: Plan, control: HostControl) -> Effect:
        from zen_agents.ports.host_commands import Command  # noqa: PLC0415

        result = await control.run(Command(("systemctl", "restart", "--", plan.request.params["unit"])))
        return Effect(result.exit_code == 0, f"exit {result.exit_code}", exit_code=result.exit_code, output=result.output)


class RigAgent(BaseAgent):
    """Keeps services of a simulated host up."""

    name = "system_health"
    purpose = "Keeps services up."
    permissions = side_effects = recovery = ("none",)
    actions = frozenset({"restart_service"})
    Settings = BaseModel

    def __init__(self, host: SimulatedHost, names: Sequence[str], rule: dict[str, Any], every_seconds: float) -> None:
        super().__init__(None, AgentContext("host"))
        self._host, self._names, self._rule, self._every = host, names, rule, every_seconds

    @property
    def schedule(self) -> Schedule:
        return Schedule(every_seconds=300.0)

    def checks(self) -> Sequence[Check]:
        return [UpCheck(name, self._host, self._every) for name in self._names]

    def remedies(self) -> Sequence[ActionRequest]:
        return [
            ActionRequest("restart_service", f"service:{name}", {"unit": f"{name}.service"}, agent=self.name)
            for name in self._names
        ]

    def rules(self) -> Sequence[Rule]:
        return [self._rule_for(remedy) for remedy in self.remedies()]

    def _rule_for(self, remedy: ActionRequest) -> Rule:
        name = remedy.target.partition(":")[2]
        rung = Rung((remedy,), backoff_first_seconds=10.0, jitter_seconds=0.0, verify_within_seconds=30.0)
        rule = Rule(
            f"system_health.{name}", self.name, remedy.target, StatusIs(f"up.{name}", remedy.target, 60.0), Hold(),
            severity=Severity.ERROR, ladder=(rung,), summary=f"{name} answers",
        )  # fmt: skip
        return replace(rule, **self._rule)


@dataclass
class Told:
    """A notifier that keeps what it is told."""

    messages: list[Message] = field(default_factory=list)
    #: What it was told to get ready for.
    expected: list[Message] = field(default_factory=list)
    broken: bool = False

    def tell(self, message: Message) -> None:
        if self.broken:
            raise OSError("no way to tell anybody")
        self.messages.append(message)

    def expect(self, message: Message) -> None:
        if self.broken:
            raise OSError("no way to tell anybody")
        self.expected.append(message)


class InlineSampler:
    """Asks in the test's own thread, so that a simulated hour takes no real time."""

    def __init__(self, host: SimulatedHost) -> None:
        self._host = host

    async def sample(self, checks: Sequence[Check], now: Instant, look: HostView | None = None) -> list[Observation]:
        view, found = look or self._host.look(), []
        for check in checks:
            try:
                seen = await check.probe(view, now) if isinstance(check, Probe) else check.observe(view, now)
                found.extend(sound(check, seen, now))
            except Exception as error:
                found.extend(check.unknown(now, str(error)))
        return found

    def is_hung(self, name: str) -> bool:
        del name
        return False

    def threw_away(self, name: str) -> bool:
        del name
        return False

    def close(self) -> None: ...


class Rig:
    """The engine's parts and one agent over a simulated host."""

    def __init__(
        self, state_dir: Path, services: Sequence[str] = ("web",), *, host: SimulatedHost | None = None,
        rule: dict[str, Any] | None = None, every_seconds: float = 5.0, triggers: SafeModeTriggers | None = None,
        agent: BaseAgent | None = None, actions: Mapping[str, Action] | None = None, **policy: Any,
    ) -> None:  # fmt: skip
        self.host = host or SimulatedHost()
        if host is None:
            for index, name in enumerate(services):
                self.host.add_service(name, unit=f"{name}.service", port=8000 + index)
                self.host.start(name)
        self.clock = self.host.clock
        self.state_dir = state_dir
        self.store = SqliteStore(state_dir / "state.db")
        self.flag = EmergencyFlag(state_dir, host_flag=state_dir / "no-host-flag")
        self.told = Told()
        self.controls: list[Any] = []
        self.agent = agent or RigAgent(self.host, services, rule or {}, every_seconds)
        self._actions = actions or {"restart_service": Restart()}
        defaults: dict[str, Any] = {
            "auto_mitigate": {"system_health": True}, "allowed": {"restart_service": ActionPolicy()},
            "declared": self.agent.scope(),
            "storm": Limit(10, 300.0, 600.0), "storm_share": 1.0,
        }  # fmt: skip
        self.parts = self._parts(Policy(**(defaults | policy)), triggers or SafeModeTriggers())
        self.recorder = Recorder(self.store, lambda: 0, self._rewatch)
        self.tick = AgentTick(self.agent, self.parts, self.recorder)
        self.parts.actionable = len(services)
        self.running = RunningAgent(
            self.tick, store=self.store, journal=self.parts.journal, clock=self.clock, pulse=Pulse(self.store),
            failed=lambda name, why: None,
        )  # fmt: skip
        self.running.state = AgentState.RUNNING
        self.by_hand = ByHand(self.parts, lambda: [self.running], {"restart_service": Restart()})

    def _parts(self, policy: Policy, triggers: SafeModeTriggers) -> Parts:
        journal = Journal(self.store, ActionLogFile(self.state_dir / "actions.log"))
        escalation = Escalation(
            notifier=self.told, store=self.store, journal=journal, host_name="host", mode_line=lambda: ""
        )
        causes = Causes(self.host, self.clock)
        planning = Planning(self.host, self._actions, Aside(), self.clock)
        judging = Judging(planning, host=self.host, store=self.store, stop=self.flag, guards=GUARDS, causes_of=causes.of)
        executor = Executor(
            planning, host=self.host, store=self.store, journal=journal, clock=self.clock, stop=self.flag,
            control=self._control, unbegun=UnbegunActions(self.state_dir, self.host.boot),
        )  # fmt: skip
        safe_mode = SafeMode(
            store=self.store, journal=journal, clock=self.clock, triggers=triggers,
            entered=lambda reason, at: escalation.engine("safe_mode", reason, at),
        )  # fmt: skip
        return Parts(
            store=self.store, host=self.host, clock=self.clock, policy=policy, sampler=InlineSampler(self.host),
            book=IncidentBook(self.store), planning=planning, judging=judging, executor=executor, journal=journal,
            escalation=escalation,
            breakers=Breakers(self.store, policy.failures, self.clock.now), safe_mode=safe_mode, random=random.Random(1),
            rivals=Rivals(self.store, journal), causes=causes,
        )  # fmt: skip

    def _control(self, intent: Intent) -> HostControl:
        self.controls.append(intent.id)
        return self.host.control()

    def _rewatch(self) -> None:
        self.host.events.watch(self.tick.watchlist.all_watches())

    async def turn(self, *, everything: bool = False) -> None:
        """Take one turn and let what it started end."""
        await self.tick.run(everything=everything)
        await self.parts.executor.drain()

    async def run(self, seconds: float) -> None:
        """Let time pass, with a turn whenever one is due."""
        end = self.clock.now().steady + seconds
        while True:
            await self.turn()
            now = self.clock.now().steady
            step = max(0.05, self.tick.next_at() - now)
            if now + step > end:
                self.host.advance(max(0.0, end - now))
                await self.turn()
                return
            self.host.advance(step)

    def restart(self, **changes: Any) -> Rig:
        """Return a new engine on the same host and state, as after a kill -9: nothing of the old one's memory is left."""
        self.store.close()
        names = [check.name.removeprefix("up.") for check in self.agent.checks()]
        rig = Rig(self.state_dir, names, host=self.host, **changes)
        for row in rig.store.unfinished():
            incident = next((i for i in rig.parts.book if i.id == row.incident), None)
            rule = rig.tick.watchlist.rules.get(incident.key) if incident else None
            rig.tick.repairs.adopt(row, incident, rule, rig.clock.now())
        rig.parts.executor.unbegun.clear()
        return rig

    # -- what came of it ----------------------------------------------------------------------------------------------
    def outcomes(self) -> list[str]:
        """Return the outcomes of all actions, oldest first."""
        return [row.kind.value for row in reversed(self.store.actions(limit=10_000))]

    def starts(self, name: str = "web") -> int:
        """Return how often a service was started, the first time included."""
        return self.host.services[name].runs

    def reasons(self) -> list[str]:
        """Return the reasons of all decisions in the ledger, oldest first."""
        return [row.entry.body["reason"] for row in self.store.entries(kinds=[EntryKind.DECISION], limit=10_000)]

    def summaries(self, kind: str = "firing") -> list[str]:
        """Return what people were told of a kind."""
        return [message.summary for message in self.told.messages if message.kind.value == kind]
