"""Asks one check the way the sampler does, without its thread."""

from __future__ import annotations

import asyncio

from chaos.simulation.host import SimulatedHost
from zen_agents.checks.base import Check, Probe
from zen_agents.engine.sampler import sound
from zen_agents.model.observation import Observation


def ask(check: Check, host: SimulatedHost) -> dict[str, Observation]:
    """Return the observations by name; whatever is raised is UNKNOWN, as in the engine."""
    view, now = host.look(), host.clock.now()
    try:
        found = asyncio.run(check.probe(view, now)) if isinstance(check, Probe) else check.observe(view, now)
        found = sound(check, found, now)
    except Exception as error:
        found = check.unknown(now, str(error))
    return {observation.name: observation for observation in found}
