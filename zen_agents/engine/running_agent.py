"""The life of one agent in this process: its state, its turns, and the loop that takes them when they are due."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from zen_agents.clock import Clock
from zen_agents.engine.bell import Bell
from zen_agents.engine.journal import Journal
from zen_agents.engine.pulse import Pulse
from zen_agents.engine.tick import AgentTick
from zen_agents.errors import StoreError, ZenError
from zen_agents.model.agent import AgentState
from zen_agents.ports.store import Store

log = logging.getLogger("zen_agents.agent")

#: The longest sleep between two looks at the clock (seconds): a suspended host wakes up late, not never.
LONGEST_SLEEP = 30.0
#: A turn that an event begins, or that leaves something to do, is followed by another at once so many times; then there is
#: one in so long (seconds).
BURST, SHORTEST_TURN = 8, 0.05
#: A turn that raised is tried again after this (seconds).
AFTER_A_FAULT = 5.0
#: How long a stop waits for a turn to end (seconds).
STOP_WITHIN = 10.0
#: So many turns in a row that raised make the agent `failed`.
FAULTS_IN_A_ROW = 5


class RunningAgent:
    """Takes an agent through its life; the state is kept over restarts."""

    def __init__(
        self, tick: AgentTick, *, store: Store, journal: Journal, clock: Clock, pulse: Pulse,
        failed: Callable[[str, str], None],
    ) -> None:  # fmt: skip
        self.tick = tick
        self._store, self._journal, self._clock, self._pulse = store, journal, clock, pulse
        #: Told when the agent gives up: its name and why.
        self._failed = failed
        self._woken = Bell()
        tick.outlook.woken = self._woken.ring
        self._loop_task: asyncio.Task[None] | None = None
        self._everything = False
        self._faults = 0
        #: When (the loop's time) a whole burst of turns may follow each other again.
        self._rested_at = 0.0
        #: True once a turn was taken: everything has been looked at.
        self._looked = False
        self.state = AgentState.CREATED

    @property
    def name(self) -> str:
        """The agent's name."""
        return self.tick.agent.name

    async def start(self, *, take_turns: bool = True) -> None:
        """Go through deploying to running, or to paused or revoked where it was left so; failed if it cannot start."""
        before = self._store.agent_state(self.name)
        if before is AgentState.REVOKED:
            self.state = before
            return
        self._become(AgentState.DEPLOYING, "start")
        try:
            await self.tick.agent.start()
        except Exception as error:  # a plug-in's fault is its own
            self._give_up(f"it could not start: {error}")
            return
        self._become(AgentState.RUNNING, "started")
        if before is AgentState.PAUSED:
            await self.pause("paused before the restart")
        if take_turns:
            self._loop_task = asyncio.create_task(self._take_turns(), name=f"agent-{self.name}")

    async def pause(self, reason: str) -> None:
        """Stop deciding; checks go on."""
        if self.state is AgentState.RUNNING:
            await self.tick.agent.pause()
            self._become(AgentState.PAUSED, reason)

    async def resume(self, reason: str) -> None:
        """Decide again, from what is seen now, never from what piled up (R13)."""
        if self.state is AgentState.PAUSED:
            await self.tick.agent.resume()
            self._become(AgentState.RUNNING, reason)
            self.tick.forget_waits()
            self.wake()

    async def stop(self, reason: str) -> None:
        """End its turns."""
        if self._loop_task is not None:
            self._loop_task.cancel()
            _, late = await asyncio.wait((self._loop_task,), timeout=STOP_WITHIN)
            if late:
                log.error("%s does not end its turn; the engine stops without it", self.name)
            self._loop_task = None
        await self.tick.outlook.long_looks.close()
        if self.state.may_become(AgentState.STOPPED):
            was_paused = self.state is AgentState.PAUSED
            await self.tick.agent.stop()
            # A pause outlives a restart: the durable state stays paused.
            self._become(AgentState.STOPPED, reason, keep=AgentState.PAUSED if was_paused else None)

    def wake(self, subject: str | None = None) -> None:
        """Take a turn now: for what is watched under `subject`, or just because something changed."""
        if subject is None or self.tick.wake(subject):
            self._woken.ring()

    async def scheduled(self) -> None:
        """Take a full turn: the agent's own schedule is due."""
        self._everything = True
        self._woken.ring()

    async def turn(self, *, everything: bool = False) -> None:
        """Take one turn now and contain whatever goes wrong in it."""
        try:
            await self.tick.run(everything=everything, act=self.state is AgentState.RUNNING)
            self._faults = 0
            if not self._looked:
                self._looked = True
                log.info("first turn of %s taken", self.name, extra={"zen": {"checks": len(self.tick.watchlist.checks)}})
                await self.tick.get_ready()
        except Exception as error:  # one agent's fault is not the others'
            log.exception("a turn of %s failed", self.name)
            self._faults += 1
            if self._faults >= FAULTS_IN_A_ROW:
                self._give_up(f"{self._faults} turns in a row failed, the last with: {error}")
                raise
            await asyncio.sleep(AFTER_A_FAULT)

    async def _take_turns(self) -> None:
        while self.state in (AgentState.RUNNING, AgentState.PAUSED):
            delay = min(self.tick.next_at() - self._clock.now().steady, LONGEST_SLEEP)
            if delay > 0:
                await self._pulse.wait(self._woken, delay)
            woken = self._woken.is_rung
            if not woken and self.tick.next_at() > self._clock.now().steady:
                continue
            self._woken.clear()
            began = asyncio.get_running_loop().time()
            everything, self._everything = self._everything, False
            try:
                await self.turn(everything=everything)
            except Exception:
                log.error("%s has failed and takes no more turns", self.name)
                return
            self._pulse.turn_taken()
            # Whatever comes meanwhile is seen at once; only what goes on and on leaves others the host.
            if woken or self.tick.next_at() <= self._clock.now().steady:
                self._rested_at = max(self._rested_at, began) + SHORTEST_TURN
                earliest = self._rested_at - BURST * SHORTEST_TURN
                await asyncio.sleep(max(0.0, earliest - asyncio.get_running_loop().time()))

    def _give_up(self, why: str) -> None:
        self._become(AgentState.FAILED, why)
        self._failed(self.name, why)

    def _become(self, state: AgentState, reason: str, *, keep: AgentState | None = None) -> None:
        if not self.state.may_become(state):
            raise ZenError(f"agent {self.name} cannot go from {self.state} to {state}")
        self.state = state
        now = self._clock.now()
        try:
            self._store.save_agent_state(self.name, keep or state, reason, now)
            self._journal.engine(now, "agent_state", agent=self.name, state=state.value, reason=reason)
            self._store.commit()
        except StoreError as error:
            log.error("the state of %s was not kept: %s", self.name, error)
