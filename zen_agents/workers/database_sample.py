"""The first rows of a table or query of a database, written down as lines of JSON: to be looked at as a file is."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

from zen_agents.datasets.contract import Contract
from zen_agents.datasets.source import Source, SourceKind
from zen_agents.datasets.sql import listed, name, sql, value
from zen_agents.workers.data_files import DataFiles
from zen_agents.workers.database_look import SqliteFile
from zen_agents.workers.lesser_account import NOBODY, account_of, give_root_up
from zen_agents.workers.postgres_rows import PostgresRows, postgres_driver
from zen_agents.workers.secret_file import read_secret
from zen_agents.workers.sqlite_rows import SqliteRows


def sampled(contract: Contract, spill: Path, most: int) -> tuple[Contract, DataFiles]:
    """Give root up, write so many rows (0: all) to a file below a directory, and return a contract of that, and it.

    DataFileError, AccountError as for files; SecretError, BackendError if the database cannot be asked.
    """
    opened, path = _opener(contract, spill), spill / "sample.jsonl"
    with closing(opened()) as database, path.open("x", encoding="utf-8") as out:
        table = database.table(contract.source)
        columns = [*table.columns]
        limit = sql(" LIMIT {}", value(most)) if most else sql("")
        query = sql("SELECT {} FROM {}", listed([name(each) for each in columns]), table.relation) + limit
        for row in database.stream(query):
            out.write(json.dumps(dict(zip(columns, map(_as_json, row), strict=True))) + "\n")
    source = Source(SourceKind.JSONL, str(path))
    return replace(contract, source=source), DataFiles(source, {str(path): os.open(path, os.O_RDONLY | os.O_CLOEXEC)})


def _opener(contract: Contract, spill: Path) -> Callable[[], PostgresRows | SqliteRows]:
    source = contract.source
    if source.kind is SourceKind.POSTGRES:
        address, driver = read_secret(source.dsn_file), postgres_driver()
        give_root_up(account_of(source.user) if source.user else (NOBODY, NOBODY), spill)
        return lambda: PostgresRows(driver, address, contract.limits)
    file = SqliteFile(contract, spill)
    return lambda: file.opened(is_still=file.is_still)


def _as_json(held: Any) -> Any:
    if held is None or isinstance(held, (bool, int, str)):
        return held
    if isinstance(held, float):
        return held if math.isfinite(held) else str(held)
    return held.hex() if isinstance(held, bytes) else str(held)
