"""Tells which files of a data set fail its checks: `python -m zen_agents.workers.data_failing`, request and reply as JSON.

Each file is held by itself against what can be said of one: a check of all files at once (how many rows, how old, drift)
says nothing of which of several is bad.
"""

from __future__ import annotations

from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from zen_agents.datasets import encodings
from zen_agents.datasets.asking import Surroundings
from zen_agents.datasets.contract import Contract
from zen_agents.datasets.finding import Report
from zen_agents.datasets.plain import contract_from_plain
from zen_agents.datasets.questions import Drift, Fresh, Partitions, References, RowCount, RowCountChange
from zen_agents.jobs.data_check import DataCheckRequest
from zen_agents.jobs.data_failing import DataFailingReply, FailingFile
from zen_agents.model.severity import Severity
from zen_agents.workers.answering import answered, leave
from zen_agents.workers.being_written import writer_of
from zen_agents.workers.data_check import NOT_INSTALLED, look
from zen_agents.workers.data_files import DataFileError, DataFiles, identity_of
from zen_agents.workers.lesser_account import AccountError, give_root_up
from zen_agents.workers.log_stream import load_unpackers
from zen_agents.workers.watched import Told, tell

#: What moving a file away cannot mend, and what is asked of several files at once.
_NEVER: Final = (Fresh, RowCountChange, Drift, References, Partitions)
_OF_ALL: Final = (*_NEVER, RowCount)
#: So many are named.
_MOST_NAMED: Final = 100


def answer(request: DataCheckRequest, told: Told) -> DataFailingReply:
    """Look at each file; MalformedDatasetError for what is no contract."""
    contract, spill = contract_from_plain(request.contract), Path(request.spill)
    if find_spec("duckdb") is None:
        return DataFailingReply(unable=NOT_INSTALLED)
    # What is not loaded by now might be out of reach once root is given up.
    import zen_agents.workers.duck  # noqa: F401, PLC0415 - whoever has not installed it has been told so

    try:
        files = DataFiles(contract.source)
        if writer := writer_of(files.states()):
            return DataFailingReply(unable=f"{contract.source.path}: {writer}")
        load_unpackers()
        encodings.load(contract.source.options.encoding)
        give_root_up(files.account(), spill)
        each = files.one_by_one()
        asked = _of_one(contract, is_only=len(each) == 1)
        around = Surroundings(request.now)
        found = [
            FailingFile(
                path=path, why=_why(look(asked, {}, one, {}, around, spill / str(number), told)),
                identity=identity_of(one.states()[0]),
            ) for number, (path, one) in enumerate(each.items())
        ]  # fmt: skip
    except (AccountError, DataFileError) as error:
        return DataFailingReply(unable=str(error))
    except OSError as error:
        return DataFailingReply(unable=f"{error.filename or request.spill}: {error.strerror}")
    bad = [each for each in found if each.why]
    return DataFailingReply(failing=tuple(bad[:_MOST_NAMED]), more=max(0, len(bad) - _MOST_NAMED), files=len(each))


def _of_one(contract: Contract, *, is_only: bool) -> Contract:
    """Return what is asked of one file: what is as bad as an error, and needs no others and no evidence."""
    left_out = _NEVER if is_only else _OF_ALL
    checks = (each for each in contract.checks if each.severity.rank >= Severity.ERROR.rank)
    limits = replace(contract.limits, evidence_rows=0)
    return replace(contract, checks=tuple(each for each in checks if not isinstance(each.asks, left_out)), limits=limits)


def _why(report: Report) -> str:
    failed = report.failed
    more = f" and {len(failed) - 1} more" if len(failed) > 1 else ""
    return f"{failed[0].check}: {failed[0].reason}{more}" if failed else ""


def main() -> int:
    """Answer one request; the exit status is 2 for what is none."""
    return answered(DataCheckRequest, lambda request: answer(request, tell))


if __name__ == "__main__":
    leave(main())
