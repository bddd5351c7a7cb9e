"""All that the settings of dependency_manager come to: checks, rules and remedies. Loaded only where something is listed."""

from __future__ import annotations

from collections.abc import Iterator

from zen_agents.agents.base import AgentContext
from zen_agents.agents.dependency_manager.looking import check_of, looked_at
from zen_agents.agents.dependency_manager.places import RestartSettings
from zen_agents.agents.dependency_manager.remedies import upgrade_of
from zen_agents.agents.dependency_manager.rules import AGENT, RuleMaker
from zen_agents.agents.dependency_manager.settings import DependencyManagerSettings
from zen_agents.checks.base import Check
from zen_agents.checks.outdated_unit import OutdatedUnitCheck
from zen_agents.dataclass import dataclass
from zen_agents.model.action import ActionRequest
from zen_agents.model.duration import seconds_in
from zen_agents.rules.rule import Rule


@dataclass(frozen=True, slots=True)
class Declared:
    """What comes of one place, or of the restarts."""

    checks: tuple[Check, ...]
    rules: tuple[Rule, ...]
    remedies: tuple[ActionRequest, ...] = ()


def declared(settings: DependencyManagerSettings, context: AgentContext) -> Iterator[Declared]:
    """Yield what comes of each place that is listed, and of the restarts."""
    make = RuleMaker(settings, context)
    for place in looked_at(settings, context.state_dir):
        upgrade = upgrade_of(place)
        allowed = upgrade if upgrade is not None and context.allows(upgrade.action) else None
        remedies = () if upgrade is None else (upgrade,)
        yield Declared((check_of(place, settings),), tuple(make.of_place(place, allowed)), remedies)
    if settings.restarts is not None:
        yield _restarts(settings.restarts, make)


def _restarts(restarts: RestartSettings, make: RuleMaker) -> Declared:
    requests = {unit: _restart(unit) for unit in restarts.units}
    checks = tuple(OutdatedUnitCheck(unit, every_seconds=seconds_in(restarts.every)) for unit in requests)
    return Declared(checks, tuple(make.of_restarts(restarts, requests)), tuple(requests.values()))


def _restart(unit: str) -> ActionRequest:
    return ActionRequest("restart_service", f"service:{unit}", {"service": unit, "unit": unit}, agent=AGENT)
