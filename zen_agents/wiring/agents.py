"""The agents of a configuration, and what they may know when they declare themselves."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from zen_agents import catalog
from zen_agents.agents.base import AgentContext, BaseAgent
from zen_agents.engine.running_agent import RunningAgent
from zen_agents.errors import HostError
from zen_agents.ports.host import Host
from zen_agents.ports.vitals import Vitals
from zen_agents.settings.loader import Loaded
from zen_agents.settings.models import Settings

log = logging.getLogger("zen_agents.runtime")


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
