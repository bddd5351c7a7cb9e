"""What comes of what was found: an upgrade that policy allows for, or people who are told."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from zen_agents.agents.base import AgentContext
from zen_agents.agents.dependency_manager.looking import Looked, every_seconds
from zen_agents.agents.dependency_manager.places import RestartSettings
from zen_agents.agents.dependency_manager.settings import DependencyManagerSettings
from zen_agents.checks.outdated_unit import outdated_name
from zen_agents.model.action import ActionRequest
from zen_agents.model.duration import seconds_in
from zen_agents.model.severity import Severity
from zen_agents.rules.condition import STALE_AFTER_SAMPLES, StatusIs
from zen_agents.rules.rule import Hold, Rule, Rung

AGENT = "dependency_manager"
#: One may have ended with its engine before it had begun, or met an index that was away: one more, and no third.
_UPGRADES = 2
_RESTARTS = 2

#: Observation -> how bad it is (None: as the place says), and what it means.
_TOLD: Mapping[str, tuple[Severity | None, str]] = {
    "vulnerable": (None, "packages have known weaknesses that nothing is done about"),
    "severe": (Severity.ERROR, "packages have severe weaknesses that nothing is done about"),
    "exploited": (Severity.CRITICAL, "packages have weaknesses that attackers use and nothing is done about"),
    "yanked": (None, "releases are installed that their authors have withdrawn"),
    "outdated": (Severity.INFO, "packages are old"),
}


class RuleMaker:
    """Makes the rules of the settings."""

    def __init__(self, settings: DependencyManagerSettings, context: AgentContext) -> None:
        self._settings, self._context = settings, context
        self._stale_after = STALE_AFTER_SAMPLES * every_seconds(settings)

    def of_place(self, place: Looked, upgrade: ActionRequest | None) -> Iterator[Rule]:
        """Yield the rules about one place: what is due, and what is only told."""
        ladder = () if upgrade is None else (self._upgrading(upgrade),)
        due = self._rule(place, "due", Severity.ERROR, "packages have to be upgraded", ladder)
        yield due
        # The same upgrade takes what is due first, so that what a person thinks about keeps nothing waiting.
        asked = self._rule(place, "asked", Severity.WARNING, "packages wait for a person to have them upgraded", ladder)
        yield replace(asked, depends_on=frozenset({due.key}))
        for name, (severity, summary) in _TOLD.items():
            if name == "yanked" and place.asked.ecosystem != "pypi":
                continue  # elsewhere nobody withdraws what was published
            yield self._rule(place, name, severity or place.settings.severity, summary)

    def of_restarts(self, restarts: RestartSettings, requests: Mapping[str, ActionRequest]) -> Iterator[Rule]:
        """Yield a rule for each unit that is restarted."""
        stale_after = seconds_in(restarts.every, STALE_AFTER_SAMPLES)
        for unit, request in requests.items():
            rung = Rung(
                (request,), attempts=_RESTARTS, verify_within_seconds=self._context.verify_within_seconds(request.action)
            )
            yield Rule(
                f"{AGENT}.{unit}.outdated", AGENT, request.target,
                StatusIs(outdated_name(unit), request.target, stale_after),
                hold=Hold(held_for_seconds=seconds_in(restarts.held_for)), severity=restarts.severity,
                ladder=(rung,) if self._context.allows(request.action) else (),
                unknown_patience_seconds=self._context.patience_seconds, patience_seconds=self._context.patience_seconds,
                origin=self._context.origin(f"agents.{AGENT}.restarts"),
                summary="it runs with what an upgrade has replaced",
            )  # fmt: skip

    def _upgrading(self, upgrade: ActionRequest) -> Rung:
        within = self._context.verify_within_seconds(upgrade.action)
        return Rung((upgrade,), attempts=_UPGRADES, verify_within_seconds=within)

    def _rule(self, place: Looked, name: str, severity: Severity, summary: str, ladder: tuple[Rung, ...] = ()) -> Rule:
        context = self._context
        return Rule(
            f"{AGENT}.{place.label}.{name}", AGENT, place.target,
            StatusIs(f"{place.name}.{name}", place.target, self._stale_after),
            severity=severity, ladder=ladder,
            unknown_patience_seconds=context.patience_seconds, patience_seconds=context.patience_seconds,
            origin=context.origin(f"agents.{AGENT}.{place.at}"),
            runbook=place.settings.runbook, summary=summary,
        )  # fmt: skip
