"""Another configuration for an engine that runs: all of it is built first, then swapped in; a bad file changes nothing."""

from __future__ import annotations

import asyncio
import gc
import logging
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from zen_agents.agents.base import BaseAgent
from zen_agents.alerts.policy import AlertPolicy
from zen_agents.dataclass import dataclass
from zen_agents.engine.breakers import Breakers
from zen_agents.engine.swap import swap
from zen_agents.errors import SettingsError, StoreError, ZenError
from zen_agents.guards.base import Policy
from zen_agents.settings.loader import Loaded
from zen_agents.settings.policy import flap_limit, safe_mode_triggers
from zen_agents.wiring.agents import actionable_targets, build_agents
from zen_agents.wiring.options import load_settings

if TYPE_CHECKING:
    from zen_agents.runtime.runtime import Runtime

log = logging.getLogger("zen_agents.runtime")


@dataclass(frozen=True, slots=True)
class _Built:
    """All that a configuration asks for, before any of it is in force."""

    loaded: Loaded
    agents: Sequence[BaseAgent]
    policy: Policy
    alerts: AlertPolicy


class Reloading:
    """Reloads one engine's configuration; never twice at once."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._lock = asyncio.Lock()

    async def on_signal(self) -> None:
        """Reload because a signal asked for it: what is wrong is only logged."""
        try:
            await self.reload()
        except ZenError as error:
            log.error("the configuration was not applied: %s", error)

    async def reload(self) -> Mapping[str, Any]:
        """Load the configuration anew and return what is in force; SettingsError, and nothing changed, if it is wrong."""
        async with self._lock:
            now = self._runtime.clock.now()
            try:
                built = self._build()
            except Exception as error:
                self._runtime.configuration.refuse(error, now)
                self._write("reload_failed", error=str(error)[:2000])
                if isinstance(error, SettingsError):
                    raise
                raise SettingsError(f"the configuration cannot be applied: {error}") from error
            self._runtime.configuration.apply(built.loaded, now)
            await self._put_in_force(built)
            gc.collect()
            return {"config": built.loaded.digest, "agents": [agent.name for agent in built.agents]}

    def _build(self) -> _Built:
        runtime, configuration = self._runtime, self._runtime.configuration
        loaded = load_settings(runtime.options)
        agents = build_agents(loaded.require(), runtime.agent_context(loaded), runtime.options.agents)
        for agent in agents:
            # Asked here for the first time, so that one that cannot tell stops the reload and not the swap.
            agent.checks(), agent.rules(), agent.scope()
        return _Built(loaded, agents, configuration.policy(loaded, agents), configuration.alert_policy(loaded))

    async def _put_in_force(self, built: _Built) -> None:
        runtime, configuration = self._runtime, self._runtime.configuration
        runtime.parts.journal.redaction.use(configuration.settings.redact)
        runtime.outbox.reconfigure(built.alerts, configuration.alert_context(runtime.host_name))
        runtime.upkeep.keep_files()
        runtime.parts.policy = built.policy
        # Before anybody decides by it.
        self._write("reloaded", **configuration.for_ledger(built.policy))
        await self._swap(built.agents, built.policy)
        await runtime.exposition.open()
        configuration.let_go(built.agents)

    async def _swap(self, agents: Sequence[BaseAgent], policy: Policy) -> None:
        runtime, engine, parts = self._runtime, self._runtime.engine, self._runtime.parts
        settings = runtime.configuration.settings
        parts.flapping = flap_limit(settings)
        parts.safe_mode.triggers = safe_mode_triggers(settings)
        parts.breakers = Breakers(runtime.store, policy.failures, runtime.clock.now)
        engine.standing_warnings = runtime.warnings()
        await swap(engine, agents, runtime.running_agent)
        runtime.end_orphans()
        parts.actionable = actionable_targets(engine.agents)
        parts.causes.forget()
        engine.rewatch()

    def _write(self, what: str, **body: Any) -> None:
        """Write what the engine did about itself; a state that cannot be written does not keep it from being done."""
        parts = self._runtime.parts
        try:
            parts.journal.engine(self._runtime.clock.now(), what, **body)
            parts.store.commit()
        except StoreError as error:
            parts.safe_mode.store_failed(str(error))
