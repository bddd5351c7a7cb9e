"""Proposes a contract for a file or table: `python -m zen_agents.workers.data_infer`, a request on stdin, a reply on stdout.

The file is opened first, then root is given up, and only then its bytes are read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from zen_agents.datasets import encodings
from zen_agents.datasets.contract import ColumnType, Contract
from zen_agents.datasets.contract_text import contract_text
from zen_agents.datasets.inference import NO_VALUES, Column, Suggestion, counts, reading
from zen_agents.datasets.plain import contract_from_plain
from zen_agents.datasets.sql import listed, name, sql, value
from zen_agents.datasets.table import BackendError, Table
from zen_agents.jobs.data_infer import DataInferReply, DataInferRequest
from zen_agents.workers.answering import answered
from zen_agents.workers.data_check import table_of
from zen_agents.workers.data_files import DataFileError, DataFiles
from zen_agents.workers.duck import Duck
from zen_agents.workers.file_heads import why_unreadable
from zen_agents.workers.lesser_account import AccountError, give_root_up
from zen_agents.workers.log_stream import load_unpackers

_SAMPLE: Final = name("sample_")
#: So many columns are looked at together: each takes memory, however few rows there are.
_AT_ONCE: Final = 500
#: So many are asked about in one query.
_MANY: Final = 50
#: So many values that are not like the others are shown, and so much of each (characters).
_EXAMPLES, _LONGEST_EXAMPLE = 3, 30


def answer(request: DataInferRequest) -> DataInferReply:
    """Look, and propose; MalformedDatasetError for what is no contract."""
    contract, spill = contract_from_plain(request.contract), Path(request.spill)
    try:
        if not contract.source.kind.is_file:
            return _of_database(contract, spill, request.rows)
        files = DataFiles(contract.source)
        load_unpackers()
        encodings.load(contract.source.options.encoding)
        give_root_up(files.account(), spill)
        return proposed(contract, files, spill, request.rows)
    except (AccountError, BackendError, DataFileError) as error:
        return DataInferReply(unable=str(error))
    except OSError as error:
        return DataInferReply(unable=f"{error.filename or request.spill}: {error.strerror}")


def _of_database(contract: Contract, spill: Path, most: int) -> DataInferReply:
    from zen_agents.workers.database_sample import sampled  # noqa: PLC0415 - files need no such driver
    from zen_agents.workers.secret_file import SecretError  # noqa: PLC0415 - as above

    place = contract.source.place
    try:
        sample, rows = sampled(contract, spill, most)
    except (BackendError, SecretError) as error:
        return DataInferReply(unable=f"{place}: {error}")
    return proposed(sample, rows, spill, most, place=place)


def proposed(contract: Contract, files: DataFiles, spill: Path, most: int, *, place: str = "") -> DataInferReply:
    """Look at the first so many rows of files that were opened, 0 is all, as whoever this is now; BackendError.

    `place` is what the proposal calls it, instead of the file.
    """
    opened = files.linked(spill / "0")
    if opened.is_empty:
        return DataInferReply(unable=f"{place or contract.source.path} is empty: there is nothing to propose from")
    with closing(Duck(contract.limits, spill, [*files.places, *opened.readable])) as duck:
        try:
            table = table_of(contract, opened, duck)
            suggestions, rows = _of_all(duck, table, most)
        except BackendError as error:
            raise BackendError(why_unreadable(contract, opened) or str(error)) from error
    is_all = not most or rows < most
    seen = "which are all" if is_all else "its first; nothing is known of the others"
    about = (
        f"Proposed from {rows:,} rows of {place or Path(contract.source.path).name}, {seen}.",
        "It says what was seen, not what has to be: read it before it is relied on.",
    )
    return DataInferReply(
        text=contract_text(suggestions, about=about), columns=len(suggestions), rows=rows, is_all=is_all
    )  # fmt: skip


def _of_all(duck: Duck, table: Table, most: int) -> tuple[Sequence[Suggestion], int]:
    """Return what is suggested for every column, some at a time, and of how many rows."""
    found: list[Suggestion] = []
    rows, limit = 0, sql(" LIMIT {}", value(most)) if most else sql("")
    every = [*table.columns.items()]
    for at in range(0, len(every), _AT_ONCE):
        columns = every[at : at + _AT_ONCE]
        wanted = listed([name(called) for called, _ in columns])
        duck.rows(sql("CREATE OR REPLACE TEMP TABLE {} AS SELECT {} FROM {}", _SAMPLE, wanted, table.relation) + limit)
        ((rows,),) = duck.rows(sql("SELECT count(*) FROM {}", _SAMPLE))
        answers = _answers(duck, dict(columns))
        found += [_suggested(duck, Column(called, held, answers[called], int(rows)), held) for called, held in columns]
    return found, int(rows)


def _answers(duck: Duck, columns: Mapping[str, ColumnType]) -> Mapping[str, Sequence[Any]]:
    """Return what is first asked of each column: of many texts by one query, which is much less work than one for each."""
    if len(columns) < _MANY or {*columns.values()} != {ColumnType.TEXT}:
        asked = {each: sql("SELECT {} FROM {}", counts(each, held, duck.dialect), _SAMPLE) for each, held in columns.items()}
        return {each: duck.rows(query)[0] for each, query in asked.items()}
    told = duck.rows(
        sql(
            "SELECT name_, {} FROM (UNPIVOT {} ON COLUMNS(*) INTO NAME name_ VALUE value_) GROUP BY name_",
            counts("value_", ColumnType.TEXT, duck.dialect), _SAMPLE,
        )
    )  # fmt: skip
    # A column without any value has no rows there.
    return dict.fromkeys(columns, NO_VALUES) | {str(each): answer for each, *answer in told}


def _suggested(duck: Duck, column: Column, stored: ColumnType) -> Suggestion:
    called = column.name
    values: list[str] = []
    ends = None
    if column.wants_values:
        told = sql("SELECT DISTINCT {} FROM {} WHERE {} IS NOT NULL ORDER BY 1", name(called), _SAMPLE, name(called))
        values = [str(each) for (each,) in duck.rows(told)]
    if column.wants_ends:
        read = reading(called, stored, duck.dialect, *column.held)
        ((least, most),) = duck.rows(sql("SELECT min({}), max({}) FROM {}", read, read, _SAMPLE))
        ends = least, most
    return replace(column.suggestion(values, ends, _strays(duck, column, stored)), **_repeats(duck, column, stored))


def _strays(duck: Duck, column: Column, stored: ColumnType) -> Sequence[str]:
    """Return the first of the values that are not what most of the column are."""
    if column.strays is None:
        return ()
    text, is_stray = duck.dialect.text(name(column.name), stored), column.is_stray(duck.dialect, column.strays.asks)
    told = sql(
        "SELECT substr({}, 1, {}), min(rowid) FROM {} WHERE {} AND {} IS NOT NULL GROUP BY 1 ORDER BY 2 LIMIT {}",
        text, value(_LONGEST_EXAMPLE), _SAMPLE, is_stray, text, value(_EXAMPLES),
    )  # fmt: skip
    return [str(each) for each, _ in duck.rows(told)]


def _repeats(duck: Duck, column: Column, stored: ColumnType) -> Mapping[str, Any]:
    """Return what of a suggestion says which values of a column stand there more than once, of one that else is a key."""
    if not column.is_almost_a_key:
        return {}
    text = duck.dialect.text(name(column.name), stored)
    told = sql(
        "SELECT substr(text_, 1, {}), sum(times_) OVER () FROM (SELECT {} AS text_, count(*) AS times_, min(rowid) AS first_"
        " FROM {} WHERE {} IS NOT NULL GROUP BY 1 HAVING count(*) > 1) ORDER BY first_ LIMIT {}",
        value(_LONGEST_EXAMPLE), text, _SAMPLE, text, value(_EXAMPLES),
    )  # fmt: skip
    found = duck.rows(told)
    return {"repeats": column.repeats(int(found[0][1])), "repeated": tuple(str(each) for each, _ in found)}


def main() -> int:
    """Answer one request; the exit status is 2 for what is none."""
    return answered(DataInferRequest, answer)


if __name__ == "__main__":
    raise SystemExit(main())
