"""All that the data sets come to: checks and rules. Loaded only where one is listed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from zen_agents.agents.base import AgentContext
from zen_agents.agents.data_validation.dataset import Dataset, contracts_of, referred
from zen_agents.agents.data_validation.settings import DataValidationSettings
from zen_agents.checks.dataset import DatasetCheck, severities_of
from zen_agents.dataclass import dataclass
from zen_agents.datasets.contract import Contract, RepairKind
from zen_agents.datasets.plain import contract_to_plain
from zen_agents.datasets.repairs import repairs_rows
from zen_agents.model.action import ActionRequest
from zen_agents.model.duration import seconds_in
from zen_agents.model.severity import Severity
from zen_agents.rules.condition import STALE_AFTER_SAMPLES, StatusIs
from zen_agents.rules.rule import Rule, Rung

AGENT: Final = "data_validation"
#: A repair that did not help once is tried once more; then people are told.
_ATTEMPTS: Final = 2
#: Looks that come by the schedule alone, which is a turn of everything, are not due by themselves for so long (seconds).
_BY_SCHEDULE: Final = 366 * 86400.0


@dataclass(frozen=True, slots=True)
class Declared:
    """What comes of one data set."""

    check: DatasetCheck
    rules: tuple[Rule, ...]
    #: What its contract allows to be done about it, the milder one first.
    remedies: tuple[ActionRequest, ...]


def declared(settings: DataValidationSettings, context: AgentContext) -> Iterator[Declared]:
    """Yield what comes of each data set."""
    known = contracts_of(settings, context)
    for name, dataset in settings.datasets.items():
        every = _every_seconds(settings, dataset)
        check = DatasetCheck(known[name], referred(known[name], known), every_seconds=every)
        allowed = remedies_of(known[name])
        yield Declared(check, tuple(_rules(known[name], dataset, context, every, allowed)), allowed)


def _every_seconds(settings: DataValidationSettings, dataset: Dataset) -> float:
    if dataset.every is not None:
        return seconds_in(dataset.every)
    return _BY_SCHEDULE if settings.schedule is not None else seconds_in(settings.interval)


def remedies_of(contract: Contract) -> tuple[ActionRequest, ...]:
    """Return what may be done; a repair of rows before what takes a file away, or loses the rows of a whole time."""
    return tuple(_remedies(contract))


def _remedies(contract: Contract) -> Iterator[ActionRequest]:
    target, params = f"dataset:{contract.name}", {"contract": contract_to_plain(contract)}
    if not contract.source.query and repairs_rows(contract):
        yield ActionRequest("repair_data", target, params, agent=AGENT)
    if (contract.snapshots or contract.keep) and any(each.kind is RepairKind.RESTORE_SNAPSHOT for each in contract.repairs):
        yield ActionRequest("restore_data", target, params, agent=AGENT)
    if contract.takes_files:
        yield ActionRequest("quarantine_file", target, params, agent=AGENT)


def _ladder(remedies: Sequence[ActionRequest], severity: Severity, context: AgentContext) -> tuple[Rung, ...]:
    is_bad = severity.rank >= Severity.ERROR.rank
    allowed = [each for each in remedies if context.allows(each.action) and (is_bad or each.action != "quarantine_file")]
    return tuple(
        Rung((each,), attempts=_ATTEMPTS, verify_within_seconds=context.verify_within_seconds(each.action))
        for each in allowed
    )


def _stale_after_seconds(contract: Contract, every: float) -> float:
    """Return how old what was seen may be: a look tells of its beginning, and the next begins when it has ended."""
    return STALE_AFTER_SAMPLES * every + 2 * contract.limits.seconds


def _rules(
    contract: Contract, dataset: Dataset, context: AgentContext, every: float, remedies: Sequence[ActionRequest]
) -> Iterator[Rule]:
    target = f"dataset:{contract.name}"
    for severity in severities_of(contract):
        critical = severity is Severity.CRITICAL
        yield Rule(
            f"{AGENT}.{contract.name}.{severity}", AGENT, target,
            StatusIs(f"data.{contract.name}.{severity}", target, _stale_after_seconds(contract, every)),
            severity=severity,
            ladder=_ladder(remedies, severity, context),
            unknown_patience_seconds=context.patience_seconds,
            patience_seconds=context.patience_when_critical_seconds if critical else context.patience_seconds,
            origin=context.origin(f"agents.{AGENT}.datasets.{contract.name}"),
            runbook=dataset.runbook,
            summary=f"{contract.source.place} is not what is expected of it",
        )  # fmt: skip
