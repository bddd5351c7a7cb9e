"""The agent that keeps packages up to date."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from zen_agents.agents.base import AgentContext, BaseAgent, Schedule
from zen_agents.agents.dependency_manager.settings import DependencyManagerSettings
from zen_agents.checks.base import Check
from zen_agents.model.action import ActionRequest
from zen_agents.rules.rule import Rule

if TYPE_CHECKING:
    from zen_agents.agents.dependency_manager.declared import Declared


class DependencyManagerAgent(BaseAgent):
    """Looks at the packages of listed places, asks who knows of weaknesses, and upgrades what policy says.

    With nothing listed it looks at nothing. What it does is the least upgrade that ends a weakness, tried in a copy first; a
    major upgrade is never made unasked, and what is held is never touched.
    """

    name = "dependency_manager"
    purpose = (
        "Finds packages that are weak or old in Python environments, on this Debian host and in projects of npm, and "
        "upgrades what policy says: tried in a copy first, checked afterwards, taken back where that fails."
    )
    permissions = (
        "Reading an environment or a lock file needs the right to read it; Debian's packages everybody may list.",
        "Upgrading an environment needs the right to write beside it; upgrading Debian packages needs root.",
        "Restarting a unit needs root.",
        "Sources of advisories and indexes are reached over the network, unless directories are named.",
    )
    side_effects = (
        "Names and versions of packages, and nothing else of this host, are sent to the servers that are asked.",
        "Services whose packages are upgraded are restarted, each once.",
        "What advisories say is kept in the state directory for up to 90 days.",
    )
    recovery = (
        "Stop everything it may do at once: zen-agents stop --emergency; nothing is changed until: zen-agents resume.",
        "See what it knows of a package, and what was done and refused: zen-agents packages why PACKAGE.",
        "Give back what was there before an upgrade: zen-agents undo ACTION.",
        "Let it only tell: auto_mitigate: false, then zen-agents reload.",
        "Keep it off a package: hold: [PACKAGE].",
    )
    planned = frozenset({"upgrade_python_packages", "upgrade_debian_packages"})
    actions = planned | {"restart_service"}
    Settings = DependencyManagerSettings

    def __init__(self, settings: Any, context: AgentContext) -> None:
        super().__init__(settings, context)
        self._settings: DependencyManagerSettings = settings
        self._declared = tuple(self._declare())

    @property
    def schedule(self) -> Schedule:
        """Return the interval, or cron expression, at which packages are looked at and decided about."""
        return Schedule.said_by(self._settings)

    def checks(self) -> Sequence[Check]:
        """Return one check for each place, and one for each unit that is restarted."""
        return [check for each in self._declared for check in each.checks]

    def rules(self) -> Sequence[Rule]:
        """Return the rules of each."""
        return [rule for each in self._declared for rule in each.rules]

    def remedies(self) -> Sequence[ActionRequest]:
        """Return the upgrade of each place that can be upgraded, and the restart of each unit."""
        return [request for each in self._declared for request in each.remedies]

    def _declare(self) -> Iterator[Declared]:
        listed = self._settings
        if listed.environments or listed.debian is not None or listed.npm is not None or listed.restarts is not None:
            from zen_agents.agents.dependency_manager.declared import declared  # noqa: PLC0415 - only where something is listed

            yield from declared(listed, self.context)
