"""The resident engine: its agents, its schedule, and what it does about itself."""

from __future__ import annotations

import asyncio
import json
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from zen_agents.agents.base import Schedule
from zen_agents.checks.base import Check
from zen_agents.clock import Instant
from zen_agents.engine.approvals import Approvals
from zen_agents.engine.by_hand import ByHand
from zen_agents.engine.emergency_stop import EmergencyStop, Flag
from zen_agents.engine.held_by import held_by
from zen_agents.engine.parts import Parts
from zen_agents.engine.pulse import Pulse
from zen_agents.engine.recorder import Recorder
from zen_agents.engine.recovery import recover
from zen_agents.engine.rollback import Rollback
from zen_agents.engine.running_agent import RunningAgent
from zen_agents.engine.scheduler import Scheduler
from zen_agents.engine.stages import Stages
from zen_agents.engine.undo import Undo
from zen_agents.engine.upkeep import Upkeep
from zen_agents.errors import StoreError
from zen_agents.model.incident import Incident, IncidentState
from zen_agents.model.observation import Status
from zen_agents.model.reason import Reason
from zen_agents.model.severity import Severity
from zen_agents.ports.events import EventSource, Wake
from zen_agents.ports.notifier import Courier
from zen_agents.ports.store import WATCHED_PATHS
from zen_agents.rules.rule import Rule

log = logging.getLogger("zen_agents.engine")

#: How often the engine looks after itself (seconds): flag, outbox, anchor of the steady timeline.
HOUSEKEEPING_EVERY = 5.0
#: A question to people whose time is over is seen to be so then, or, if it is younger than this, so late (seconds).
EXPIRING_EVERY = 60.0
#: The same as for housekeeping until the first turn was taken.
FIRST_ROUNDS_EVERY = 0.5
#: How long the first message that waits for nothing waits for others of the same turn (seconds).
TOLD_TOGETHER_SECONDS = 0.01
#: Watched paths that the state names, for `why`; there may be thousands.
MOST_PATHS = 200
#: How long a stop waits for running actions (seconds).
DRAIN_SECONDS = 60.0
#: How long a stop waits for messages to be delivered (seconds); what is left is sent by the next engine.
LAST_WORDS_SECONDS = 5.0


class Engine:
    """Runs agents until it is asked to stop."""

    def __init__(
        self, *, parts: Parts, agents: list[RunningAgent], scheduler: Scheduler, recorder: Recorder, by_hand: ByHand,
        events: EventSource, flag: Flag, courier: Courier, upkeep: Upkeep, pulse: Pulse, host_name: str,
        warnings: Sequence[str] = (),
    ) -> None:  # fmt: skip
        self.parts, self.agents, self.by_hand, self.host_name = parts, agents, by_hand, host_name
        self.undo = Undo(parts, by_hand, lambda: self.agents)
        self.rollback = Rollback(parts, self.undo, lambda: self.agents)
        self.stages = Stages(parts, lambda: self.agents, self.forget_waits)
        self._scheduler, self._recorder, self._events = scheduler, recorder, events
        self._courier, self._upkeep, self._pulse = courier, upkeep, pulse
        self.standing_warnings: Sequence[str] = warnings
        self.misfires: Counter[str] = Counter()
        self.started_at = parts.clock.now()
        #: What the state says of which paths are watched; None: not said by this engine yet.
        self._watched_paths: list[str] | None = None
        self.approvals = Approvals(parts)
        self.emergency = EmergencyStop(parts, flag, self.approvals, lambda: self.forget_waits(Reason.EMERGENCY_STOP))
        self._stop_asked, self._hurried = asyncio.Event(), asyncio.Event()
        self._config_trouble_told = False
        #: When (steady) it is asked again which questions to people have had their time.
        self._expiring_at = float("-inf")
        self._tasks: list[asyncio.Task[None]] = []

    # -- life ---------------------------------------------------------------------------------------------------------
    async def start(self) -> None:
        """Recover, start the agents and everything periodic; the first turns are taken at once."""
        recover(self)
        self._events.open(self._woken)
        self.emergency.recall()
        self.emergency.notice()
        self.stages.recall()
        for agent in self.agents:
            await agent.start()
            self.schedule(agent)
        self._scheduler.put("retention", Schedule(cron="17 3 * * *"), self._prune)
        self._scheduler.start()
        self._tasks = [
            asyncio.create_task(self._keep_house(), name="housekeeping"),
            asyncio.create_task(self._send_what_is_ripe(), name="courier"),
        ]

    async def start_without_loops(self) -> None:
        """Recover and start the agents, whose turns somebody else takes (`settle`)."""
        recover(self)
        for agent in self.agents:
            await agent.start(take_turns=False)

    async def settle(self, pause_seconds: float) -> None:
        """Take turns of every agent until nothing runs, is verified or is decided by the next looks."""
        everything = True
        while True:
            for agent in self.agents:
                await agent.turn(everything=everything)
            everything = False
            long_looks = any(look for agent in self.agents for look in agent.tick.outlook.long_looks)
            waited_for = self.parts.executor.running or any(self.parts.planning.surveys) or long_looks
            if not (waited_for or any(self._is_under_way(incident) for incident in self.parts.book)):
                return
            await asyncio.sleep(pause_seconds)

    def _is_under_way(self, incident: Incident) -> bool:
        """Tell whether the next looks decide: it is verified, its turn has come, or it has only to be seen bad again."""
        if incident.state is IncidentState.OPEN:
            return any(agent.tick.is_due(incident.key) for agent in self.agents)
        if incident.state is not IncidentState.SUSPECTED:
            return incident.state is IncidentState.VERIFYING
        rules = (agent.tick.watchlist.rules.get(incident.key) for agent in self.agents)
        rule = next((rule for rule in rules if rule is not None), None)
        if rule is None or incident.last_status is not Status.PROBLEM:
            return False
        return not rule.hold.held_for_seconds and not any(rule.condition.histories.values())

    async def run(self) -> None:
        """Wait until somebody asks for a stop."""
        await self._stop_asked.wait()

    def request_stop(self) -> None:
        """Let running actions finish, then end."""
        self._stop_asked.set()

    def hurry(self) -> None:
        """End without waiting for running actions: they are killed, and the next engine verifies them."""
        self._hurried.set()

    async def stop(self, reason: str) -> None:
        """Stop cleanly: no new turns, running actions drained, everything committed."""
        for agent in self.agents:
            await agent.stop(reason)
        await self.parts.planning.surveys.close()
        self._scheduler.stop()
        await self._drain()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._events.close()
        self.parts.sampler.close()
        await self._courier.close(LAST_WORDS_SECONDS)
        try:
            self.parts.journal.engine(self.parts.clock.now(), "stopped", reason=reason)
            self._upkeep.save_time()
            self.parts.store.commit()
        except StoreError as error:
            log.error("the stop was not written: %s", error)

    async def _drain(self) -> None:
        """Wait until no action runs, but neither too long nor after somebody is in a hurry."""
        drained = asyncio.create_task(self.parts.executor.drain(DRAIN_SECONDS))
        hurried = asyncio.create_task(self._hurried.wait())
        await asyncio.wait((drained, hurried), return_when=asyncio.FIRST_COMPLETED)
        for task in (drained, hurried):
            task.cancel()
        await asyncio.gather(drained, hurried, return_exceptions=True)

    def schedule(self, agent: RunningAgent) -> None:
        """Give an agent its place in the schedule."""
        self._scheduler.put(f"agent:{agent.name}", agent.tick.agent.schedule, agent.scheduled)

    def unschedule(self, name: str) -> None:
        """Take an agent out of the schedule."""
        self._scheduler.drop(f"agent:{name}")

    # -- events and periodic work -------------------------------------------------------------------------------------
    def _woken(self, wake: Wake) -> None:
        for agent in self.agents:
            agent.wake(wake.subject)

    def rewatch(self) -> None:
        """Tell the event sources what the agents now want to be woken by."""
        watches = [watch for agent in self.agents for watch in agent.tick.watchlist.all_watches()]
        self._events.watch(watches)
        self._remember_paths(sorted({watch.name for watch in watches if watch.kind == "path"})[:MOST_PATHS])

    def _remember_paths(self, paths: list[str]) -> None:
        """Let the state say which paths are watched: `why` looks there for what changed."""
        if paths == self._watched_paths:
            return
        try:
            self.parts.store.put(WATCHED_PATHS, json.dumps(paths))
            self._watched_paths = paths
        except StoreError as error:
            self.parts.safe_mode.store_failed(str(error))

    async def _keep_house(self) -> None:
        while True:
            await self._guarded(self._courier.deliver_due)
            self.emergency.notice()
            self._notice_config()
            self._expire_approvals()
            self._read_causes()
            self._save()
            if self._has_looked and self.parts.store.writable():
                await self._guarded(self._upkeep.good_tick)
            self.parts.commit()
            # What waits for the first turn need not wait for a whole round after it.
            await self._pulse.sleep(HOUSEKEEPING_EVERY if self._has_looked else FIRST_ROUNDS_EVERY)

    async def _send_what_is_ripe(self) -> None:
        while True:
            await self._courier.ripe()
            # What one turn tells goes out together.
            await asyncio.sleep(TOLD_TOGETHER_SECONDS)
            await self._guarded(self._courier.deliver_due)

    def _read_causes(self) -> None:
        """Have what depends on what read beside the loop, once everything was looked at, and then rarely."""
        if not self._has_looked or not self.parts.causes.is_due():
            return
        reading = asyncio.create_task(self._guarded(self.read_causes), name="causes")
        self._tasks = [*(task for task in self._tasks if not task.done()), reading]

    async def read_causes(self) -> None:
        """Read what depends on what now."""
        await self.parts.causes.renew(*self._watched())

    async def shown_causes(self) -> dict[str, Any]:
        """Return what depends on what, as plain JSON."""
        if self.parts.causes.renewed_at is None:
            await self.read_causes()
        return await self.parts.causes.shown(*self._watched())

    def _watched(self) -> tuple[list[Check], list[Rule]]:
        lists = [agent.tick.watchlist for agent in self.agents]
        checks = [check for each in lists for check in each.checks.values()]
        return checks, [rule for each in lists for rule in each.rules.values()]

    def _expire_approvals(self) -> None:
        now = self.parts.clock.now()
        if now.steady < self._expiring_at:
            return
        try:
            self._expiring_at = min(self.approvals.expire(now), now.steady + EXPIRING_EVERY)
        except StoreError as error:
            self.parts.safe_mode.store_failed(str(error))

    def _save(self) -> None:
        try:
            self.parts.executor.write_again()
            self._upkeep.save_time()
            self.stages.look()
        except StoreError as error:
            # The next round tries again; messages have to go on going out (R15).
            self.parts.safe_mode.store_failed(str(error))

    async def _guarded(self, work: Callable[[], Awaitable[None]]) -> None:
        try:
            await work()
        except Exception:  # looking after itself must not end the engine
            log.exception("periodic work failed")

    async def _prune(self) -> None:
        try:
            self._upkeep.prune()
        except StoreError as error:
            self.parts.safe_mode.store_failed(str(error))

    def missed(self, job: str) -> None:
        """Count and tell a run that the scheduler missed."""
        self.misfires[job] += 1
        try:
            self.parts.journal.engine(self.parts.clock.now(), "misfire", job=job, times=self.misfires[job])
        except StoreError as error:
            log.warning("a misfire of %s was not written: %s", job, error)

    # -- brakes -------------------------------------------------------------------------------------------------------
    def stopped(self) -> bool:
        """Tell whether the emergency stop is set."""
        return self.emergency.text is not None

    def accept_state(self) -> None:
        """Take the state as this host's own; see `Upkeep.accept_state`."""
        self._upkeep.accept_state()
        self.parts.escalation.engine_resolved("observe_only", "a person has looked", self.parts.clock.now())

    def safe_mode_left(self, by: str) -> None:
        """Tell that safe mode is over, and look at everything anew."""
        self.parts.escalation.engine_resolved("safe_mode", f"left by {by}", self.parts.clock.now())
        self.forget_waits(Reason.SAFE_MODE)

    def forget_waits(self, lifted: Reason | None = None) -> None:
        """Have every agent decide anew about everything; see `AgentTick.forget_waits`."""
        for agent in self.agents:
            agent.tick.forget_waits(lifted)
            agent.wake()

    def look_soon(self, incident: Incident) -> None:
        """Have an incident decided anew at the next turn."""
        for agent in self.agents:
            if agent.name == incident.agent:
                agent.tick.look_soon(incident.key)
                agent.wake()

    # -- what status shows --------------------------------------------------------------------------------------------
    async def reload(self) -> Mapping[str, Any]:
        """Load the configuration anew; see `Upkeep.reload`."""
        return await self._upkeep.reload()

    def config_facts(self) -> Mapping[str, Any]:
        """Return what `Upkeep.config_facts` says."""
        return self._upkeep.config_facts()

    def config_trouble(self) -> Mapping[str, Any] | None:
        """Return what `Upkeep.config_trouble` says."""
        return self._upkeep.config_trouble()

    def _notice_config(self) -> None:
        """Tell once that a changed configuration has not been applied for ten minutes."""
        trouble = self._upkeep.config_trouble()
        if trouble is None:
            if self._config_trouble_told:
                now = self.parts.clock.now()
                self.parts.escalation.engine_resolved("config_not_applied", "the configuration is applied again", now)
            self._config_trouble_told = False
        elif not self._config_trouble_told and trouble["seconds_ago"] > 600:
            self._config_trouble_told = True
            self.parts.escalation.engine(
                "config_not_applied", str(trouble["error"]), self.parts.clock.now(), severity=Severity.ERROR
            )

    @property
    def is_ending(self) -> bool:
        """True once somebody asked for a stop."""
        return self._stop_asked.is_set()

    def abnormal(self) -> list[str]:
        """Return what holds the engine, worst first; the first is line 1 of `status`."""
        return held_by(self)

    def warnings(self) -> list[str]:
        """Return what a person should know although it holds nothing."""
        staged = [line] if (line := self.stages.line()) else []
        missed = [f"{times} runs of {job} were missed" for job, times in self.misfires.items()]
        blind = [f"{count} watched ({kind}) are seen only by polling: the kernel gives no event for them"
                 for kind, count in self._events.unwatched.items() if count]  # fmt: skip
        return [*self.standing_warnings, *staged, *missed, *blind]

    def undelivered(self) -> list[str]:
        """Return messages that could not be delivered, and why."""
        return list(self._courier.undelivered())

    @property
    def _has_looked(self) -> bool:
        """True once the first turn of an agent was taken."""
        return bool(self._recorder.last_tick)

    def last_tick_age(self, now: Instant) -> float | None:
        """Return how many seconds ago the last turn of any agent began; None before the first."""
        last = max((at.steady for at in self._recorder.last_tick.values()), default=None)
        return None if last is None else now.steady - last
