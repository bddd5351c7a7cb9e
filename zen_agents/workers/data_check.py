"""Checks one data set: `python -m zen_agents.workers.data_check`, a request on stdin, a reply on stdout.

Files are opened first, then root is given up, and only then somebody else's bytes are read. Progress is told on stderr.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from zen_agents.datasets import encodings, partitions
from zen_agents.datasets.asking import Surroundings
from zen_agents.datasets.checking import check, unreadable
from zen_agents.datasets.contract import Contract
from zen_agents.datasets.file_sql import OpenedFiles, described, plain_of, relation
from zen_agents.datasets.finding import FailingRow, Report
from zen_agents.datasets.partial import no_rows, of_some_rows
from zen_agents.datasets.plain import (
    contract_from_plain,
    profile_from_plain,
    report_to_plain,
)
from zen_agents.datasets.scope import Scope
from zen_agents.datasets.source import SourceKind
from zen_agents.datasets.sql import name, sql
from zen_agents.datasets.table import BackendError, Table
from zen_agents.jobs.data_check import DataCheckProgress, DataCheckReply, DataCheckRequest
from zen_agents.workers.answering import answered, leave
from zen_agents.workers.being_written import writer_of
from zen_agents.workers.data_files import DataFileError, DataFiles
from zen_agents.workers.file_heads import as_written, why_unreadable
from zen_agents.workers.lesser_account import AccountError, give_root_up
from zen_agents.workers.log_stream import load_unpackers
from zen_agents.workers.plain_text import in_utf8, mended, unwanted
from zen_agents.workers.watched import Told, Watched, tell

if TYPE_CHECKING:
    from zen_agents.workers.duck import Duck

NOT_INSTALLED: Final = "the library duckdb is not installed: pip install 'zen-agents[data]'"
#: A reply is at most a megabyte; evidence beyond this is left out, the last first.
_MOST_EVIDENCE: Final = 600_000


def answer(request: DataCheckRequest, told: Told) -> DataCheckReply:
    """Look at the data set; MalformedDatasetError for what is no contract."""
    contract = contract_from_plain(request.contract)
    others = {name: contract_from_plain(plain) for name, plain in request.others.items()}
    before = profile_from_plain(request.before) if request.before is not None else None
    around = Surroundings(request.now, before)
    try:
        report = _of_database_or_files(contract, others, around, Path(request.spill), told)
    except DataFileError as error:
        report = unreadable(contract, str(error), around.now, is_damage=error.is_missing)
    except AccountError as error:
        report = unreadable(contract, str(error), around.now, is_damage=False)
    except OSError as error:
        why = f"{error.filename or request.spill}: {error.strerror}; name a `spill_dir` that this account can reach"
        report = unreadable(contract, why, around.now, is_damage=False)
    return DataCheckReply(report=report_to_plain(_bounded(report)))


def _of_database_or_files(
    contract: Contract, others: Mapping[str, Contract], around: Surroundings, spill: Path, told: Told
) -> Report:
    if not contract.source.kind.is_file:
        from zen_agents.workers.database_look import look_at_database  # noqa: PLC0415 - files need no such driver

        return look_at_database(
            contract, others, around, spill,
            lambda doing, done, of, takes: told(DataCheckProgress(doing=doing, done=done, of=of, takes=takes)),
        )  # fmt: skip
    if find_spec("duckdb") is None:
        return unreadable(contract, NOT_INSTALLED, around.now, is_damage=False)
    # What is not loaded by now might be out of reach once root is given up.
    import zen_agents.workers.duck  # noqa: F401, PLC0415 - whoever has not installed it has been told so

    files = DataFiles(contract.source)
    theirs = {name: _opened(other) for name, other in others.items()}
    writer = writer_of(files.states())
    load_unpackers()
    for each in (contract, *others.values()):
        encodings.load(each.source.options.encoding)
    partitions.load(contract.checks)
    give_root_up(files.account(), spill)
    report = look(contract, others, files, theirs, around, spill, told) if not writer else None
    if report is None or files.has_changed():
        why = f"{contract.source.path}: {writer or 'it was written while it was read'}; look again when it is whole"
        return unreadable(contract, why, around.now, is_damage=False)
    return report


def _opened(contract: Contract) -> DataFiles | str:
    try:
        return DataFiles(contract.source) if contract.source.kind.is_file else f"{contract.name} is no file"
    except DataFileError as error:
        return str(error)


def look(
    contract: Contract, others: Mapping[str, Contract], files: DataFiles, theirs: Mapping[str, DataFiles | str],
    around: Surroundings, spill: Path, told: Told,
) -> Report:  # fmt: skip
    """Check files that were opened, as whoever this is now."""
    from zen_agents.workers.duck import Duck  # noqa: PLC0415 - see above

    began = time.monotonic()
    every = {"self": files, **{name: each for name, each in theirs.items() if isinstance(each, DataFiles)}}
    opened = {key: each.linked(spill / str(number)) for number, (key, each) in enumerate(every.items())}
    readable = [place for each in every.values() for place in each.places]
    readable += [path for each in opened.values() for path in each.readable]
    read = 0 if contract.source.kind is SourceKind.PARQUET else sum(each.st_size for each in files.states())
    with closing(Duck(contract.limits, spill, readable)) as duck, Watched(duck, told, read) as watched:
        scopes = {name: _scope(others[name], each, opened.get(name), duck) for name, each in theirs.items()}

        def checked(table: Table) -> Report:
            return check(contract, table, duck, replace(around, others=scopes), watched.told)

        found = _checked(contract, opened["self"], duck, checked, around.now)
    return replace(_with_real_paths(found, opened["self"]), seconds=time.monotonic() - began)


def _checked(
    contract: Contract, files: OpenedFiles, duck: Duck, checked: Callable[[Table], Report], now: float
) -> Report:  # fmt: skip
    """Check the rows; of files in which characters, line ends and single lines are wrong as well, which fails `readable`."""
    try:
        found = checked(replace(table_of(contract, files, duck), damage=unwanted(contract, files)))
    except BackendError as error:
        found = unreadable(contract, str(error), now, is_damage=error.is_damage)
    if found.rows is not None or found.unknown or not (why := why_unreadable(contract, files)):
        return found
    if (readable := mended(contract, files)) is None:
        return unreadable(contract, why, now, is_damage=True)
    source, plain, left_out = readable
    more = f"; {no_rows(left_out)}, everything else is told of the others" if left_out else ""
    try:
        found = checked(replace(table_of(replace(contract, source=source), plain, duck), damage=why + more))
        return of_some_rows(found, contract, left_out) if left_out else found
    except BackendError:
        return unreadable(contract, why, now, is_damage=True)


def _scope(other: Contract, files: DataFiles | str, opened: OpenedFiles | None, duck: Duck) -> Scope | str:
    """Return the rows of another data set, or why they are not there."""
    if opened is None:
        return str(files)
    try:
        return Scope(other, table_of(other, opened, duck), duck.dialect)
    except BackendError as error:
        return str(error)


def table_of(contract: Contract, files: OpenedFiles, duck: Duck) -> Table:
    """Return the rows of files."""
    source, files = in_utf8(contract, files)
    contract = replace(contract, source=as_written(source, files))
    columns = {str(each[0]): duck.dialect.family(str(each[1])) for each in duck.rows(described(contract.source, files))}
    if files.is_empty and not source.options.partitions:
        columns = {}  # of nothing at all DuckDB makes a column of its own
    if contract.source.kind is SourceKind.JSONL:
        wanted = dict.fromkeys(each.name for each in contract.columns if not each.optional)
        columns = dict.fromkeys({**columns, **wanted}, duck.dialect.family("VARCHAR"))
    return _table(contract, files, columns)


def _table(contract: Contract, files: OpenedFiles, columns: dict[str, Any]) -> Table:
    is_parquet, several = contract.source.kind is SourceKind.PARQUET, len(files.paths) > 1
    return Table(
        relation(contract, files, [*columns]),
        columns,
        is_columnar=is_parquet,
        keeps_facts=not is_parquet,
        number=sql("file_row_number + 1") if is_parquet else sql("row_number() OVER ()"),
        file=name("filename") if several else None,
        of_file=(lambda path: _table(contract, files.only(path), columns)) if several else None,
        files=files.paths,
        modified_at=files.modified_at,
    )


def _with_real_paths(report: Report, files: OpenedFiles) -> Report:
    """Return the report with the files called as people know them."""
    names = {plain_of(path): known for path, known in files.paths.items()} | files.paths

    def named(text: str) -> str:
        for path, known in names.items():
            text = text.replace(path, known)
        return text

    def row(each: FailingRow) -> FailingRow:
        return replace(each, file=names.get(each.file, each.file))

    findings = (
        replace(each, evidence=tuple(map(row, each.evidence)), reason=named(each.reason)) for each in report.findings
    )
    return replace(report, findings=tuple(findings), unknown=named(report.unknown))


def _bounded(report: Report) -> Report:
    """Return the report with as many failing rows as a reply has room for."""
    room, findings = _MOST_EVIDENCE, []
    for finding in report.findings:
        kept = []
        for row in finding.evidence:
            room -= 100 + sum(len(cell.column) + 6 * len(cell.text or "") + 30 for cell in (*row.keys, *row.cells))
            if room < 0:
                break
            kept.append(row)
        findings.append(replace(finding, evidence=tuple(kept)))
    return replace(report, findings=tuple(findings))


def main() -> int:
    """Answer one request; the exit status is 2 for what is none."""
    return answered(DataCheckRequest, lambda request: answer(request, tell))


if __name__ == "__main__":
    leave(main())
