"""A look at a data set as a worker is asked for it, and its answer."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import ValidationError

from zen_agents.datasets.contract import Contract
from zen_agents.datasets.finding import Profile, Report
from zen_agents.datasets.plain import MalformedDatasetError, contract_to_plain, profile_to_plain, report_from_plain
from zen_agents.jobs.data_check import DataCheckReply, DataCheckRequest
from zen_agents.ports.host_datasets import DataQuestion


def data_question(contract: Contract, others: Mapping[str, Contract], before: Profile | None, now: float) -> DataQuestion:
    """Return what is asked: the contract, those of the data sets that it refers to, the last good run, and the time."""
    request = DataCheckRequest(
        contract=contract_to_plain(contract),
        others={name: contract_to_plain(each) for name, each in others.items()},
        before=profile_to_plain(before) if before is not None else None,
        now=now,
    )
    limits = contract.limits
    return DataQuestion(
        contract.name, request.model_dump_json(), limits.memory_bytes, limits.threads, limits.seconds, limits.spill_dir,
        limits.spill_bytes,
    )  # fmt: skip


def report_in(reply: str) -> Report:
    """Return the report in a worker's answer; raises MalformedDatasetError."""
    try:
        return report_from_plain(DataCheckReply.model_validate_json(reply).report)
    except ValidationError as error:
        raise MalformedDatasetError(f"this is no answer: {error.error_count()} errors") from error
