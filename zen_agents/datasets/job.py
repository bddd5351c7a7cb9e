"""A look at a data set, or a repair, as a worker is asked for it, and its answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from pydantic import ValidationError

from zen_agents.datasets.contract import Contract, Keeping
from zen_agents.datasets.difference import Difference
from zen_agents.datasets.finding import Outcome, Profile, Report
from zen_agents.datasets.plain import (
    MalformedDatasetError,
    contract_to_plain,
    difference_from_plain,
    profile_to_plain,
    report_from_plain,
)
from zen_agents.datasets.questions import Drift, Fresh, Partitions, References, RowCountChange
from zen_agents.datasets.source import SourceKind
from zen_agents.jobs.data_check import DataCheckReply, DataCheckRequest
from zen_agents.jobs.data_diff import DataDiffReply, DataDiffRequest
from zen_agents.jobs.data_infer import DataInferRequest
from zen_agents.jobs.data_repair import DataRepairRequest
from zen_agents.jobs.table_repair import TableRequest
from zen_agents.ports.host_datasets import DataQuestion, RepairLook, SnapshotQuestion
from zen_agents.ports.host_files import FileState

#: What a copy of an earlier time need not fulfil.
_OF_NOW: Final = (Fresh, RowCountChange, Drift, References, Partitions)


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


def copy_question(contract: Contract, path: str) -> DataQuestion:
    """Return what is asked of a copy of an earlier time: everything that need not be as it is now."""
    checks = tuple(each for each in contract.checks if not isinstance(each.asks, _OF_NOW))
    return data_question(replace(contract, source=replace(contract.source, path=path), checks=checks), {}, None, 0.0)


def snapshot_question(contract: Contract, look: DataQuestion, seen: FileState, now: float) -> SnapshotQuestion:
    """Return what is asked for of a copy, of a contract that has some kept: of the file that a look has found good."""
    keep = contract.keep or Keeping()
    return SnapshotQuestion(
        look, contract.source.kind is SourceKind.SQLITE, seen, contract.snapshots, keep.copies, keep.most_bytes,
        keep.age_seconds, keep.every_seconds, now,
    )  # fmt: skip


def why_no_good_copy(report: Report) -> str:
    """Return what keeps a copy from taking the place of its file, by its report; "" if nothing does."""
    if report.outcome in (Outcome.PASSED, Outcome.TOLERATED):
        return ""
    bad = next(iter(report.failed), None)
    return report.unknown or (f"{bad.check}: {bad.reason}" if bad is not None else "not all of it could be told")


def repair_question(contract: Contract, *, shown: int = 0) -> DataQuestion:
    """Return what is asked about a repair: of so many rows that change it is shown how.

    Whoever asks the worker says whether it is only to look.
    """
    request = DataRepairRequest(contract=contract_to_plain(contract), shown=shown)
    limits = contract.limits
    return DataQuestion(
        contract.name, request.model_dump_json(), limits.memory_bytes, limits.threads, limits.seconds, limits.spill_dir,
        limits.spill_bytes,
    )  # fmt: skip


def table_question(contract: Contract, *, shown: int = 0) -> DataQuestion:
    """Return what is asked about a table: of so many rows that change it is shown how; whoever asks says what to do."""
    request, limits = TableRequest(contract=contract_to_plain(contract), shown=shown), contract.limits
    return DataQuestion(
        contract.name, request.model_dump_json(), limits.memory_bytes, limits.threads, limits.seconds, limits.spill_dir,
        limits.spill_bytes,
    )  # fmt: skip


def repair_look(contract: Contract) -> RepairLook:
    """Return what is found out before a data set is repaired."""
    if contract.source.kind.is_file:
        return RepairLook(repair_question(contract), "files")
    return RepairLook(table_question(contract), "table")


def failing_look(contract: Contract) -> RepairLook:
    """Return what is found out before files of a data set are moved away."""
    return RepairLook(data_question(contract, {}, None, 0.0), "failing")


def return_look(contract: Contract, kept: str) -> RepairLook:
    """Return what is found out before rows of a table are put back that the quarantine has kept."""
    return RepairLook(table_question(contract), "rows_back", kept)


def diff_question(before: Contract, after: Contract, key: Sequence[str]) -> DataQuestion:
    """Return what is asked about two data sets, whose rows are matched by these columns, () for all that they hold."""
    request = DataDiffRequest(before=contract_to_plain(before), after=contract_to_plain(after), key=tuple(key))
    limits = before.limits
    return DataQuestion(
        before.name, request.model_dump_json(), limits.memory_bytes, limits.threads, limits.seconds, limits.spill_dir,
        limits.spill_bytes,
    )  # fmt: skip


def infer_question(contract: Contract, rows: int) -> DataQuestion:
    """Return what is asked for a proposal: so many rows from the beginning are looked at, 0 is all."""
    request, limits = DataInferRequest(contract=contract_to_plain(contract), rows=rows), contract.limits
    return DataQuestion(
        contract.name, request.model_dump_json(), limits.memory_bytes, limits.threads, limits.seconds, limits.spill_dir,
        limits.spill_bytes,
    )  # fmt: skip


def difference_in(reply: str) -> Difference | str:
    """Return what differs, or why nobody could tell; raises MalformedDatasetError."""
    try:
        told = DataDiffReply.model_validate_json(reply)
    except ValidationError as error:
        raise MalformedDatasetError(f"this is no answer: {error.error_count()} errors") from error
    return told.unable if told.difference is None else difference_from_plain(told.difference)


def report_in(reply: str) -> Report:
    """Return the report in a worker's answer; raises MalformedDatasetError."""
    try:
        return report_from_plain(DataCheckReply.model_validate_json(reply).report)
    except ValidationError as error:
        raise MalformedDatasetError(f"this is no answer: {error.error_count()} errors") from error
