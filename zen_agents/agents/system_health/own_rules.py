"""Rules that a person wrote under `rules:`."""

from __future__ import annotations

from collections.abc import Iterable

from zen_agents.agents.system_health.observations import ObservationNames
from zen_agents.agents.system_health.remedies import AGENT
from zen_agents.agents.system_health.rule_maker import RuleMaker
from zen_agents.agents.system_health.settings import SystemHealthSettings
from zen_agents.errors import SettingsError
from zen_agents.model.observation import Status
from zen_agents.rules.expression import ExpressionCondition, ExpressionError, compile_expression
from zen_agents.rules.rule import Hold, Rule


def own_rules(settings: SystemHealthSettings, make: RuleMaker, names: ObservationNames) -> Iterable[Rule]:
    """Return the rules of `rules:`; SettingsError, with the key path, for one that cannot be understood."""
    for label, written in settings.rules.items():
        at = f"rules.{label}"
        if written.target not in names.targets:
            known = ", ".join(sorted(names.targets))
            raise SettingsError(f"agents.{AGENT}.{at}.target: nothing is observed of {written.target!r}; there are {known}")
        when = _compiled(written.when, written.target, f"{at}.when", make, names)
        clear = _compiled(written.clear, written.target, f"{at}.clear", make, names, Status.OK) if written.clear else None
        yield make.rule(
            label,
            written.target,
            when,
            at=at,
            summary=written.when,
            severity=written.severity,
            hold=Hold(held_for_seconds=written.held_for.total_seconds()),
            clear=clear,
            ladder=make.named_ladder(written.on_match, target=written.target, at=f"{at}.on_match"),
            runbook=written.runbook,
        )


def _compiled(
    text: str, target: str, at: str, make: RuleMaker, names: ObservationNames, when_true: Status = Status.PROBLEM
) -> ExpressionCondition:
    path = f"agents.{AGENT}.{at}"
    try:
        return compile_expression(
            text,
            resolve=names.resolver(target),
            known=names.names,
            sample_seconds=names.every_seconds,
            when_true=when_true,
            origin=make.context.origin(path),
        )
    except ExpressionError as error:
        hint = f"; did you mean {error.suggestion}?" if error.suggestion else ""
        raise SettingsError(f"{path}: {error.message} (at character {error.column + 1}){hint}") from error
