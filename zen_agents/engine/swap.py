"""Other agents in the place of those that run, as a reload brings them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING

from zen_agents.agents.base import BaseAgent
from zen_agents.engine.parts import Parts
from zen_agents.engine.running_agent import RunningAgent
from zen_agents.rules import transitions

if TYPE_CHECKING:
    from zen_agents.engine.engine import Engine


async def swap(engine: Engine, agents: Sequence[BaseAgent], running: Callable[[BaseAgent], RunningAgent]) -> None:
    """Give those that run their new declaration, end those that are gone, and start those that are new."""
    fresh = {agent.name: agent for agent in agents}
    for each in list(engine.agents):
        if each.name in fresh:
            await each.tick.swap(fresh.pop(each.name))
            engine.schedule(each)
            each.wake()
        else:
            engine.unschedule(each.name)
            await each.stop("no longer in the configuration")
            engine.agents.remove(each)
    for agent in fresh.values():
        started = running(agent)
        engine.agents.append(started)
        await started.start()
        engine.schedule(started)


def end_orphans(parts: Parts, enabled: Collection[str]) -> None:
    """End incidents of agents that the configuration no longer has: nobody would ever look at them again."""
    for incident in parts.book:
        if incident.agent not in enabled:
            over = transitions.resolved(incident, "configuration", parts.clock.now())
            parts.book.put(over)
            parts.journal.forget(incident.key)
            parts.escalation.resolved(over, None, parts.clock.now())
