"""Compares two data sets: `python -m zen_agents.workers.data_diff`, a request on stdin, a reply on stdout.

As for a check, files are opened first, then root is given up, and only then somebody else's bytes are read.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from zen_agents.datasets import encodings
from zen_agents.datasets.comparing import compare
from zen_agents.datasets.contract import Contract
from zen_agents.datasets.difference import Difference
from zen_agents.datasets.file_sql import plain_of
from zen_agents.datasets.plain import contract_from_plain, difference_to_plain
from zen_agents.datasets.table import BackendError
from zen_agents.jobs.data_diff import DataDiffReply, DataDiffRequest
from zen_agents.workers.answering import answered
from zen_agents.workers.being_written import writer_of
from zen_agents.workers.data_check import table_of
from zen_agents.workers.data_files import DataFileError, DataFiles
from zen_agents.workers.duck import Duck
from zen_agents.workers.lesser_account import AccountError, give_root_up
from zen_agents.workers.log_stream import load_unpackers
from zen_agents.workers.watched import Told, Watched, tell


def answer(request: DataDiffRequest, told: Told) -> DataDiffReply:
    """Compare them; MalformedDatasetError for what is no contract."""
    both = contract_from_plain(request.before), contract_from_plain(request.after)
    spill = Path(request.spill)
    try:
        if databases := [each.source.place for each in both if not each.source.kind.is_file]:
            return DataDiffReply(unable=f"files are compared, and {databases[0]} is in a database")
        files = [DataFiles(each.source) for each in both]
        writer = next(filter(None, (writer_of(each.states()) for each in files)), "")
        load_unpackers()
        for each in both:
            encodings.load(each.source.options.encoding)
        give_root_up(files[0].account(), spill)
        found = None if writer else difference(both, files, request.key, spill, told)
        if found is None or any(each.has_changed() for each in files):
            return DataDiffReply(
                unable=writer or "one of them was written while it was read; compare them when both are whole"
            )
        return DataDiffReply(difference=difference_to_plain(found))
    except (DataFileError, AccountError, BackendError) as error:
        return DataDiffReply(unable=str(error))
    except OSError as error:
        return DataDiffReply(unable=f"{error.filename or request.spill}: {error.strerror}")


def difference(
    both: Sequence[Contract], files: Sequence[DataFiles], key: Sequence[str], spill: Path, told: Told
) -> Difference:
    """Compare files that were opened, as whoever this is now."""
    opened = [each.linked(spill / str(number)) for number, each in enumerate(files)]
    readable = [place for each in files for place in each.places] + [path for each in opened for path in each.readable]
    with closing(Duck(both[0].limits, spill, readable)) as duck, Watched(duck, told) as watched:
        try:
            before, after = (table_of(contract, each, duck) for contract, each in zip(both, opened, strict=True))
            found = compare(both[0], before, after, duck, key, watched.told)
        except BackendError as error:
            known = {at: name for each in opened for path, name in each.paths.items() for at in (plain_of(path), path)}
            raise BackendError(_named(str(error), known)) from error
    return replace(found, before=both[0].source.place, after=both[1].source.place)


def _named(text: str, known: dict[str, str]) -> str:
    for path, name in known.items():
        text = text.replace(path, name)
    return text


def main() -> int:
    """Answer one request; the exit status is 2 for what is none."""
    return answered(DataDiffRequest, lambda request: answer(request, tell))


if __name__ == "__main__":
    raise SystemExit(main())
