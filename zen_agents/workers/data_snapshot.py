"""Copies an SQLite database as one state of it: `python -m zen_agents.workers.data_snapshot`, request and reply as JSON.

SQLite's own backup reads it under its own locks, so that what a writer has not ended is not half in the copy. The copy is
left in the spill directory; to look whether it is good is for whoever asked.
"""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from zen_agents.datasets.plain import contract_from_plain
from zen_agents.datasets.table import BackendError
from zen_agents.jobs.data_snapshot import COPY, DataSnapshotReply, DataSnapshotRequest
from zen_agents.workers.answering import answered, leave
from zen_agents.workers.data_files import DataFileError
from zen_agents.workers.database_look import SqliteFile
from zen_agents.workers.lesser_account import AccountError


def answer(request: DataSnapshotRequest) -> DataSnapshotReply:
    """Copy it; MalformedDatasetError for what is no contract."""
    contract, spill = contract_from_plain(request.contract), Path(request.spill)
    try:
        file = SqliteFile(contract, spill)
        before = file.state()
        with closing(file.opened(is_still=file.is_still)) as database:
            database.copy_to(spill / COPY)
        if file.is_still and file.state() != before:
            return DataSnapshotReply(unable=f"{contract.source.path} was written while it was copied")
    except (AccountError, BackendError, DataFileError) as error:
        return DataSnapshotReply(unable=str(error))
    except OSError as error:
        return DataSnapshotReply(unable=f"{error.filename or request.spill}: {error.strerror}")
    return DataSnapshotReply()


def main() -> int:
    """Answer one request; the exit status is 2 for what is none."""
    return answered(DataSnapshotRequest, answer)


if __name__ == "__main__":
    leave(main())
