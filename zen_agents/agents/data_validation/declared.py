"""All that the data sets come to: checks and rules. Loaded only where one is listed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from zen_agents.agents.base import AgentContext
from zen_agents.agents.data_validation.dataset import Dataset, contracts_of, referred
from zen_agents.agents.data_validation.settings import DataValidationSettings
from zen_agents.checks.dataset import DatasetCheck, severities_of
from zen_agents.dataclass import dataclass
from zen_agents.datasets.contract import Contract
from zen_agents.model.duration import seconds_in
from zen_agents.model.severity import Severity
from zen_agents.rules.condition import STALE_AFTER_SAMPLES, StatusIs
from zen_agents.rules.rule import Rule

AGENT: Final = "data_validation"
#: Looks that come by the schedule alone, which is a turn of everything, are not due by themselves for so long (seconds).
_BY_SCHEDULE: Final = 366 * 86400.0


@dataclass(frozen=True, slots=True)
class Declared:
    """What comes of one data set."""

    check: DatasetCheck
    rules: tuple[Rule, ...]


def declared(settings: DataValidationSettings, context: AgentContext) -> Iterator[Declared]:
    """Yield what comes of each data set."""
    known = contracts_of(settings, context)
    for name, dataset in settings.datasets.items():
        every = _every_seconds(settings, dataset)
        check = DatasetCheck(known[name], referred(known[name], known), every_seconds=every)
        yield Declared(check, tuple(_rules(known[name], dataset, context, every)))


def _every_seconds(settings: DataValidationSettings, dataset: Dataset) -> float:
    if dataset.every is not None:
        return seconds_in(dataset.every)
    return _BY_SCHEDULE if settings.schedule is not None else seconds_in(settings.interval)


def _rules(contract: Contract, dataset: Dataset, context: AgentContext, every: float) -> Iterator[Rule]:
    target = f"dataset:{contract.name}"
    for severity in severities_of(contract):
        critical = severity is Severity.CRITICAL
        yield Rule(
            f"{AGENT}.{contract.name}.{severity}", AGENT, target,
            StatusIs(f"data.{contract.name}.{severity}", target, STALE_AFTER_SAMPLES * every),
            severity=severity,
            unknown_patience_seconds=context.patience_seconds,
            patience_seconds=context.patience_when_critical_seconds if critical else context.patience_seconds,
            origin=context.origin(f"agents.{AGENT}.datasets.{contract.name}"),
            runbook=dataset.runbook,
            summary=f"{contract.source.place} is not what is expected of it",
        )  # fmt: skip
