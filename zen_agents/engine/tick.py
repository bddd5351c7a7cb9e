"""One turn of one agent: observe, fold, decide, act. Level-triggered: whoever woke it, it looks at the present state."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from time import perf_counter, process_time

from zen_agents.agents.base import BaseAgent
from zen_agents.checks.base import Check
from zen_agents.clock import Instant
from zen_agents.engine.causes import Mute
from zen_agents.engine.deciding import Deciding
from zen_agents.engine.folding import Folding
from zen_agents.engine.long_looks import LongLook
from zen_agents.engine.outlook import Outlook
from zen_agents.engine.parts import A_BATCH, Parts
from zen_agents.engine.readiness import get_ready
from zen_agents.engine.recorder import Recorder
from zen_agents.engine.remembering import Remembering
from zen_agents.engine.repairs import Repairs
from zen_agents.engine.watchlist import Watchlist
from zen_agents.errors import StoreError
from zen_agents.model.incident import Incident
from zen_agents.model.observation import Observation
from zen_agents.model.reason import Reason
from zen_agents.ports.host import HostView
from zen_agents.rules import transitions
from zen_agents.rules.rule import Rule
from zen_agents.rules.window import RecentObservations

#: So many observations are kept at once before the loop is given a turn.
A_PORTION = 1000
#: Plans rest on the look of the checks if that is no older than this (seconds).
SAME_LOOK = 0.25
#: While an action works on something it is asked so often (seconds) whether a look at it that takes long may begin.
LOOK_AFTER_AN_ACTION = 1.0
#: What a turn wrote in which an action began is made durable so much later (seconds), or with what the action did: the deed,
#: whose intent is durable, does not wait for the disk twice.
DURABLE_AFTER_A_START = 0.05


class AgentTick:
    """The turns of one agent; never two at once."""

    def __init__(self, agent: BaseAgent, parts: Parts, recorder: Recorder) -> None:
        self._parts, self._recorder = parts, recorder
        self._lock = asyncio.Lock()
        self.outlook = Outlook(agent, parts, recorder)
        self.deciding = Deciding(parts, self.outlook)
        self._folding = Folding(parts, self.outlook)
        self._remembering = Remembering(agent.name, parts.store, parts.sampler)
        self.rebuild(agent)

    async def swap(self, agent: BaseAgent) -> None:
        """Take over an agent's new declaration between two turns, never within one."""
        async with self._lock:
            self.rebuild(agent)

    def rebuild(self, agent: BaseAgent) -> None:
        """Take over an agent's declaration, new after a reload; incidents go on, everything is looked at anew."""
        self.outlook.take_over(agent)
        self._remembering.take_over(self.watchlist.checks.values())

    @property
    def agent(self) -> BaseAgent:
        """The agent whose turns these are, as it declares itself now."""
        return self.outlook.agent

    @property
    def watchlist(self) -> Watchlist:
        """What the agent watches."""
        return self.outlook.watchlist

    @property
    def latest(self) -> RecentObservations:
        """What was last seen, for status and explanations."""
        return self.outlook.window

    @property
    def repairs(self) -> Repairs:
        """The agent's actions, from what was asked for to what came of it."""
        return self.deciding.repairs

    def mute(self, rule: Rule, incident: Incident) -> Mute | None:
        """Return by what an incident is muted, for status."""
        return self.deciding.mute(rule, incident)

    def wake(self, subject: str) -> bool:
        """Have what is watched under this subject looked at now, "" means everything; True if anything is.

        What an own action changes while it still runs is no event (R8): all of that is looked at when it has ended.
        """
        return self.watchlist.wake(subject, self._parts.clock.now().steady, but=self.outlook.is_under_repair)

    def next_at(self) -> float:
        """Return the steady time at which a turn is worth taking: a check, a deadline or a retry is due."""
        return self.outlook.next_at()

    async def run(self, *, everything: bool = False, act: bool = True) -> None:
        """Take one turn: look at what is due (or at everything), fold, decide, and start what is allowed."""
        async with self._lock:
            began, cpu, now = perf_counter(), process_time(), self._parts.clock.now()
            outlook = self.outlook
            within, beside = outlook.long_looks.split(self.watchlist.take_due(now.steady, everything=everything))
            over = await self._ask_beside(beside, now) if outlook.long_looks.names else ()
            checks = [*within, *(look.check for look in over)] if over else within
            outlook.looked, outlook.asked = now, frozenset(check.name for check in checks)
            self._remembering.catch_up(checks)
            if everything:
                self.deciding.schedule_is_due(now)
            look = self._parts.host.look()
            seen = await self._parts.sampler.sample(within, now, look) if within else []
            seen += [observation for each in over for observation in self._found_by(each)]
            observations = self._parts.journal.redaction.observations(seen)
            await self._folding.fold(observations, everything=everything)
            for each in over:
                outlook.decide_soon(each.check)
            self._remember(checks)
            if act:
                await self._decide(look, now)
            else:
                # Nobody decides: what is asked for meanwhile would be due for ever. A resume asks about everything.
                outlook.again.clear()
            await self._write_the_rest()
            self._let_go(observations)
            await self._record(observations)
            # Glances at logs are made between the turns, in a thread of the events.
            spent = process_time() - cpu + self.watchlist.glanced_seconds(outlook.asked)
            self._recorder.took(self.agent.name, now, perf_counter() - began, spent, len(checks))
            self._make_durable(soon=act and self.deciding.began_one)
            outlook.asked = frozenset()
            if self.watchlist.watches(checks):
                self._recorder.watches_changed()
            self.watchlist.let_rest(checks, now.steady, is_told=self._parts.is_told_of, book=self._parts.book)

    async def _ask_beside(self, due: Sequence[Check], now: Instant) -> Sequence[LongLook]:
        """Begin looks that take long, but at what an action works on only when it has ended; return what is over by now."""
        undisturbed = []
        for check in due:
            if self._parts.executor.worked_on(check.target, since=now.steady):
                self.watchlist.ask_by(check.name, now.steady + LOOK_AFTER_AN_ACTION)
            else:
                undisturbed.append(check)
        return await self.outlook.long_looks.ask(undisturbed, now)

    def _found_by(self, look: LongLook) -> Sequence[Observation]:
        """Return what a look found beside the turns; UNKNOWN where an action worked on the same meanwhile."""
        check, now = look.check, self.outlook.looked
        is_spoilt = self._parts.executor.worked_on(check.target, since=look.began_at.steady)
        if is_spoilt or look.is_wanted_again:
            self.watchlist.ask_by(check.name, now.steady)
        if is_spoilt:
            return check.unknown(now, "an action worked on it while it was looked at; it is looked at again")
        return look.task.result()

    async def get_ready(self) -> None:
        """Use once, for nothing, what the first repair would have to load."""
        await get_ready(self._parts, self.watchlist.rules.values())

    def _remember(self, checks: Sequence[Check]) -> None:
        """Write what checks must not forget in one batch with what came of it, before an action makes that durable."""
        memories = self._remembering.changed(checks)
        if not memories:
            return
        for key in self._parts.book.unwritten():
            self._parts.book.write(key)
        try:
            self._remembering.keep(memories)
        except StoreError as error:
            self._parts.safe_mode.store_failed(str(error))

    async def _decide(self, look: HostView, looked: Instant) -> None:
        # What was seen just now need not be asked again to plan by it; before anything is done it is looked at anew.
        seconds_ago = self._parts.clock.now().steady - looked.steady
        await self.deciding.decide_all(look if seconds_ago < SAME_LOOK else self._parts.host.look())

    async def _write_the_rest(self) -> None:
        """Write what the fold found about those of whom nothing was decided."""
        for count, key in enumerate(self._parts.book.unwritten(), start=1):
            self._parts.book.write(key)
            if count % A_BATCH == 0:
                # Until it is durable all of it is kept to be written again.
                self._parts.commit()
                await asyncio.sleep(0)

    def _let_go(self, observations: Sequence[Observation]) -> None:
        """Keep nothing of targets that no configuration names once they are seen no more."""
        for key in self.outlook.live.let_go(observations, self.outlook.asked, self._parts.book):
            self.outlook.again.pop(key, None)
            self._parts.book.forget_openings(key)

    async def _record(self, observations: Sequence[Observation]) -> None:
        for start in range(0, len(observations), A_PORTION):
            if start:
                await asyncio.sleep(0)
            self._recorder.observed(observations[start : start + A_PORTION])

    def _make_durable(self, *, soon: bool) -> None:
        """Make what this turn wrote durable: at once, or soon where it has begun an action."""
        if soon:
            asyncio.get_running_loop().call_later(DURABLE_AFTER_A_START, self._parts.commit)
        else:
            self._parts.commit()

    def is_due(self, key: str) -> bool:
        """Tell whether an incident is to be decided about at once, because what held it back is over."""
        return self.outlook.again.get(key, float("inf")) <= self._parts.clock.now().steady

    def look_soon(self, key: str) -> None:
        """Decide about a key at the next turn whatever was said about waiting: something about it changed."""
        self.outlook.again[key] = self._parts.clock.now().steady

    def forget_waits(self, lifted: Reason | None = None) -> None:
        """Decide about everything anew at the next turn: a brake was set or lifted (R13).

        What a person `lifted` is no reason any more to leave an incident to people.
        """
        now = self._parts.clock.now()
        for incident in self._parts.book.of_agent(self.agent.name):
            self.outlook.again[incident.key] = now.steady
            again = transitions.readmitted(incident, lifted, now) if lifted is not None else incident
            if again is not incident:
                self._parts.book.put(again)
