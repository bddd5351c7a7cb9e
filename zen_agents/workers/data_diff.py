"""Compares two data sets: `python -m zen_agents.workers.data_diff`, a request on stdin, a reply on stdout.

As for a check, files are opened first, then root is given up, and only then somebody else's bytes are read. Rows of a
database are copied to the spill directory: two places are compared in one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from zen_agents.datasets import encodings
from zen_agents.datasets.comparing import compare
from zen_agents.datasets.contract import Column, ColumnType, Contract
from zen_agents.datasets.difference import Difference
from zen_agents.datasets.file_sql import OpenedFiles, plain_of
from zen_agents.datasets.plain import contract_from_plain, difference_to_plain
from zen_agents.datasets.table import BackendError, Table
from zen_agents.jobs.data_diff import DataDiffReply, DataDiffRequest
from zen_agents.workers.answering import answered
from zen_agents.workers.being_written import writer_of
from zen_agents.workers.data_check import table_of
from zen_agents.workers.data_files import DataFileError, DataFiles
from zen_agents.workers.duck import Duck
from zen_agents.workers.lesser_account import AccountError, give_root_up
from zen_agents.workers.log_stream import load_unpackers
from zen_agents.workers.secret_file import SecretError
from zen_agents.workers.table_copy import TableCopy, table_in
from zen_agents.workers.watched import Told, Watched, tell

Place = DataFiles | TableCopy


def answer(request: DataDiffRequest, told: Told) -> DataDiffReply:
    """Compare them; MalformedDatasetError for what is no contract."""
    both = contract_from_plain(request.before), contract_from_plain(request.after)
    spill = Path(request.spill)
    try:
        places = [DataFiles(each.source) if each.source.kind.is_file else TableCopy(each) for each in both]
        files = [each for each in places if isinstance(each, DataFiles)]
        writer = next(filter(None, (writer_of(each.states()) for each in files)), "")
        load_unpackers()
        for each in both:
            encodings.load(each.source.options.encoding)
        # Files may be read by few; a database asks for a role.
        give_root_up(_account(places), spill)
        found = None if writer else difference(both, places, request.key, spill, told)
        if found is None or any(each.has_changed() for each in files):
            return DataDiffReply(
                unable=writer or "one of them was written while it was read; compare them when both are whole"
            )
        return DataDiffReply(difference=difference_to_plain(found))
    except (DataFileError, AccountError, BackendError, SecretError) as error:
        return DataDiffReply(unable=str(error))
    except OSError as error:
        return DataDiffReply(unable=f"{error.filename or request.spill}: {error.strerror}; is `limits.spill` too little?")


def _account(places: Sequence[Place]) -> tuple[int, int]:
    first = next((each for each in places if isinstance(each, DataFiles)), places[0])
    return first.account() if isinstance(first, DataFiles) else first.account


def difference(both: Sequence[Contract], places: Sequence[Place], key: Sequence[str], spill: Path, told: Told) -> Difference:
    """Compare what was opened, as whoever this is now."""
    sides = [_Side(contract, place, spill / str(at)) for at, (contract, place) in enumerate(zip(both, places, strict=True))]
    readable = [path for each in sides for path in each.readable]
    with closing(Duck(both[0].limits, spill, readable)) as duck, Watched(duck, told) as watched:
        for side in sides:
            watched.told(f"the rows of {side.place}", 0, 1)
            side.copy()
        try:
            before, after = (side.table(duck) for side in sides)
            typed = _typed(both[0], [side.held for side in sides])
            found = compare(typed, before, after, duck, key, watched.told)
        except BackendError as error:
            raise BackendError(_named(str(error), {path: name for each in sides for path, name in each.known()})) from error
    return replace(found, before=both[0].source.place, after=both[1].source.place)


class _Side:
    """One of the two, as it is read here."""

    def __init__(self, contract: Contract, place: Place, folder: Path) -> None:
        self._contract, self._opened, self.place = contract, place, contract.source.place
        self._files: OpenedFiles | None = None
        #: What the columns of a database hold.
        self.held: Mapping[str, ColumnType] = {}
        if isinstance(place, DataFiles):
            self._files = place.linked(folder)
            self.readable: Sequence[str] = [*place.places, *self._files.readable]
            return
        folder.mkdir()
        self._copy = folder / "rows.csv"
        self.readable = [str(self._copy)]

    def copy(self) -> None:
        """Have the rows of a database here."""
        if isinstance(self._opened, TableCopy):
            try:
                self.held = self._opened.written(self._copy)
            except BackendError as error:
                raise BackendError(f"{self.place}: {error}") from error

    def table(self, duck: Duck) -> Table:
        if self._files is not None:
            return table_of(self._contract, self._files, duck)
        return table_in(self._copy, [*self.held])

    def known(self) -> Iterator[tuple[str, str]]:
        """Yield what files are called here, and what people call them."""
        if self._files is None:
            yield str(self._copy), self.place
            return
        for path, name in self._files.paths.items():
            yield plain_of(path), name
            yield path, name


def _typed(contract: Contract, held: Sequence[Mapping[str, ColumnType]]) -> Contract:
    """Return the contract with the types that a database knows of columns of which it says nothing."""
    known = {column: kind for each in reversed(held) for column, kind in each.items() if kind is not ColumnType.TEXT}
    columns = {column.name: column for column in contract.columns}
    for name, kind in known.items():
        if columns.get(name, Column(name)).type is ColumnType.ANY:
            columns[name] = replace(columns.get(name, Column(name)), type=kind)
    return replace(contract, columns=tuple(columns.values()))


def _named(text: str, known: Mapping[str, str]) -> str:
    for path, name in known.items():
        text = text.replace(path, name)
    return text


def main() -> int:
    """Answer one request; the exit status is 2 for what is none."""
    return answered(DataDiffRequest, lambda request: answer(request, tell))


if __name__ == "__main__":
    raise SystemExit(main())
