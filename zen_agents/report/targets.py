"""From `slo:` of a configuration to the targets that the report judges by."""

from __future__ import annotations

from collections.abc import Sequence

from zen_agents.report.objectives import Measured, Target
from zen_agents.settings.models_slo import RuleSloSettings, SloSettings


def targets_of(slo: SloSettings) -> Sequence[Target]:
    """Return the targets of all rules together, then those of single rules: only what is named for them."""
    within = slo.within.total_seconds()
    shares = {measured: getattr(slo, measured.value) for measured in Measured}
    targets = [Target(measured, share / 100, within) for measured, share in shares.items()]
    for rule, own in slo.rules.items():
        targets += _of_rule(rule, own, slo)
    return targets


def _of_rule(rule: str, own: RuleSloSettings, slo: SloSettings) -> list[Target]:
    within = (own.within or slo.within).total_seconds()
    shares = {measured: getattr(own, measured.value) for measured in Measured}
    if own.within is not None and own.in_time is None:
        shares[Measured.IN_TIME] = slo.in_time
    return [Target(measured, share / 100, within, rule) for measured, share in shares.items() if share is not None]
