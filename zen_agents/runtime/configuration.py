"""The configuration in force: what the engine is told by it, and why a newer one is not applied."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from zen_agents import __version__
from zen_agents.agents.base import BaseAgent
from zen_agents.alerts.context import AlertContext
from zen_agents.alerts.policy import AlertPolicy
from zen_agents.clock import Instant
from zen_agents.guards.base import Policy
from zen_agents.settings.loader import Loaded
from zen_agents.settings.policy import to_alert_policy, to_policy
from zen_agents.wiring.options import Options

_PACKAGE = Path(__file__).resolve().parents[1]


class Configuration:
    """The one that was applied last; one that is wrong changes nothing but what is said of it."""

    def __init__(self, options: Options, loaded: Loaded) -> None:
        self._options = options
        self.loaded, self.settings = loaded, loaded.require()
        #: When it was; known as soon as there is a clock.
        self.applied_at: Instant
        #: What is wrong with a newer one, and since when (steady) that is known.
        self.not_applied: tuple[str, float] | None = None

    def apply(self, loaded: Loaded, now: Instant) -> None:
        """Take this one from now on."""
        self.loaded, self.settings, self.applied_at, self.not_applied = loaded, loaded.require(), now, None

    def refuse(self, error: Exception, now: Instant) -> None:
        """Remember why a newer one is not applied."""
        lines = str(error).strip().splitlines() or [type(error).__name__]
        # A mere warning may stand above it.
        place = next((line for line in lines if ": error[" in line), lines[0])
        self.not_applied = (f"reload failed at {now.wall.astimezone():%H:%M}: {place}", now.steady)

    def policy(self, loaded: Loaded, agents: Sequence[BaseAgent]) -> Policy:
        """Return what guards go by under a configuration, this one or one that is to be applied."""
        options = self._options
        own_paths = (str(options.state_dir.resolve()), str(_PACKAGE))
        return to_policy(
            loaded.require(), loaded, agents, dry_run=options.dry_run, own_paths=own_paths, only_plans=options.only_plans
        )

    def alert_policy(self, loaded: Loaded) -> AlertPolicy:
        """Return who is told; a dry run tells nobody, for nothing was done."""
        return AlertPolicy() if self._options.dry_run else to_alert_policy(loaded.require(), loaded, os.environ)

    def alert_context(self, host_name: str) -> AlertContext:
        """Return what every message says of where it comes from."""
        alerts, host = self.settings.alerts, self.settings.host
        return AlertContext(host_name, __version__, self.loaded.digest[:6], alerts.timezone, host.labels)

    def warnings(self) -> list[str]:
        """Return what a person should know of what is in force."""
        warnings = [diagnostic.message for diagnostic in self.loaded.diagnostics]
        if os.geteuid() == 0 and (_PACKAGE.parent / ".git").exists():
            warnings.insert(0, "started as root from a checkout: whoever may write there may become root")
        return warnings

    def for_ledger(self, policy: Policy) -> Mapping[str, Any]:
        """Return what the ledger has to say of the configuration, so that it can be judged without it."""
        return {"config": self.loaded.digest, "mode": policy.mode, "dry_run": policy.dry_run}

    def facts(self, now: Instant) -> Mapping[str, Any]:
        """Return which configuration is in force, and why a newer one is not, as plain JSON."""
        facts: dict[str, Any] = {
            "path": ", ".join(str(path) for path in self.loaded.files),
            "digest": self.loaded.digest,
            "loaded_at": self.applied_at.wall.isoformat(),
        }
        if (trouble := self.trouble(now)) is not None:
            facts["not_applied"] = trouble
        return facts

    def trouble(self, now: Instant) -> Mapping[str, Any] | None:
        """Return why a newer configuration is not in force, and for how long; None if there is no such."""
        if self.not_applied is None:
            return None
        error, at = self.not_applied
        return {"error": error, "seconds_ago": now.steady - at}

    def let_go(self, agents: Sequence[BaseAgent]) -> None:
        """Keep nothing in memory of which everything is built: with thousands of entries it is most of it."""
        self.loaded, self.settings = self.loaded.lean(), self.settings.model_copy(update={"agents": {}})
        for agent in agents:
            agent.context = replace(agent.context, origins={})
