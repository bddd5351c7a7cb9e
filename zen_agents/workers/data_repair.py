"""Repairs files of a data set: `python -m zen_agents.workers.data_repair`, a request on stdin, a reply on stdout.

It opens the files, gives root up, and writes what is repaired to its spill directory alone. To put that in the place of a
file is for whoever asked, once all rows are accounted for.
"""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from zen_agents.datasets import encodings
from zen_agents.datasets.contract import Contract
from zen_agents.datasets.plain import contract_from_plain
from zen_agents.datasets.repairs import UnrepairableError, repairs_rows
from zen_agents.datasets.table import BackendError
from zen_agents.jobs.data_repair import REPAIRED, DataRepairReply, DataRepairRequest, FileRepair
from zen_agents.workers.answering import answered
from zen_agents.workers.data_files import DataFileError, DataFiles, identity_of
from zen_agents.workers.duck import Duck
from zen_agents.workers.file_bytes import is_utf8
from zen_agents.workers.lesser_account import AccountError, give_root_up
from zen_agents.workers.log_stream import load_unpackers
from zen_agents.workers.plain_text import in_its_encoding
from zen_agents.workers.repair_delimited import FIRST
from zen_agents.workers.repair_run import RepairRun
from zen_agents.workers.watched import Told, Watched, tell

#: Rows of a preview beyond this many bytes are left out: a reply is at most a megabyte.
_MOST_SHOWN = 400_000
#: Files that DuckDB reads or writes, besides what it spills.
_WRITTEN = (REPAIRED, FIRST, "plain", "read-back")


def answer(request: DataRepairRequest, told: Told) -> DataRepairReply:
    """Look at the files, or write the one anew; MalformedDatasetError for what is no contract."""
    contract = contract_from_plain(request.contract)
    if not contract.source.kind.is_file:
        return DataRepairReply(unable=f"{contract.source.place} is no file; its rows are repaired where they are")
    if not repairs_rows(contract):
        return DataRepairReply(unable="the contract allows no repair of rows; list what may be done in `repair`")
    place = contract.source.place
    try:
        files = DataFiles(contract.source)
        # Loads what reads it, which an account may not be able to that gave root up.
        is_utf8(contract.source.options.encoding)
        load_unpackers()
        encodings.load(contract.source.options.encoding)
        give_root_up(files.owner(), Path(request.spill))
        found = tuple(_each(request, contract, files, told))
    except (DataFileError, AccountError, UnrepairableError, BackendError) as error:
        return DataRepairReply(unable=f"{place}: {error}")
    except OSError as error:
        return DataRepairReply(unable=f"{error.filename or request.spill}: {error.strerror}")
    return DataRepairReply(files=_bounded(found))


def _each(request: DataRepairRequest, contract: Contract, files: DataFiles, told: Told) -> list[FileRepair]:
    spill = Path(request.spill)
    opened = files.linked(spill / "in")
    if not request.only_look and len(opened.paths) != 1:
        raise UnrepairableError(f"{len(opened.paths)} files match; one is written at a time")
    readable = [*files.places, *opened.paths, *(str(spill / each) for each in _WRITTEN)]
    found = []
    for at, (place, path) in enumerate(opened.paths.items()):
        before = Path(place).stat()
        with closing(Duck(contract.limits, spill, readable)) as duck, Watched(duck, told) as watched:
            steps = 1 if request.only_look else 2
            watched.told(f"looking at {path}", at * steps, len(opened.paths) * steps)
            run = RepairRun(in_its_encoding(contract, place), path, place, duck, spill)

            # It is read once to be written, and what is written once to be counted.
            def begins(path: str = path, size: int = before.st_size, watched: Watched = watched) -> None:
                watched.told(f"repairing {path}", 1, 2, reads=2 * size)

            try:
                done = run.looked(request.shown) if request.only_look else run.written(request.shown, begins)
            except BackendError as error:
                raise UnrepairableError(f"{error}".replace(place, path)) from error
        if identity_of(before) != identity_of(Path(place).stat()):
            raise UnrepairableError(f"{path} is being written; nothing was changed")
        found.append(done.model_copy(update={"identity": identity_of(before)}))
    return found


def _bounded(found: tuple[FileRepair, ...]) -> tuple[FileRepair, ...]:
    room, kept = _MOST_SHOWN, []
    for each in found:
        room -= len(each.model_dump_json())
        kept.append(each if room > 0 else each.model_copy(update={"preview": (), "leaving": ()}))
    return tuple(kept)


def main() -> int:
    """Answer one request; the exit status is 2 for what is none."""
    return answered(DataRepairRequest, lambda request: answer(request, tell))


if __name__ == "__main__":
    raise SystemExit(main())
