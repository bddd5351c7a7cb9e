"""Conditions and patterns of contracts: what reaches a database reads rows and nothing else, or a named error."""

from __future__ import annotations

import contextlib
import sqlite3
from functools import cache

from chaos.fuzz.given import joined, sections
from chaos.fuzz.promise import promise
from zen_agents.datasets.contract import Contract
from zen_agents.datasets.dialects.base import UnsaidError
from zen_agents.datasets.dialects.postgres_patterns import postgres_pattern
from zen_agents.datasets.dialects.sqlite import FUNCTIONS, SqliteDialect
from zen_agents.datasets.expression import ExpressionError, condition
from zen_agents.datasets.scope import MissingColumnError, Scope
from zen_agents.datasets.source import Source, SourceKind
from zen_agents.datasets.sql import Sql, name, sql
from zen_agents.datasets.table import Table
from zen_agents.model.pattern import PatternError, compiled

SEEDS = (
    joined(b"a > 0 and \"b\" like 'x%'", b"[a-z]+"),
    joined(b"case when a is null then false else abs(a) between 1 and 2 end", b"\\d{3}-[^a]"),
    joined(b"lower(trim(b)) in ('x', 'it''s')", b"(?i)a|b"),
    joined(b"a = 1; drop table t --", b"(a+)+$"),
    joined(b"(select 1)", b"[[:alpha:]]"),
    joined(b"b like '%.x' and a < 99999999999999999999", b"[[:a]"),
    joined(b'"a""b" = 1', b"\\Q'\\E"),
    joined(b"(" * 60 + b"a" + b")" * 60, b"(" * 200),
    joined(b"substr(b, 1, 2) || 'x' <> b", b"a{1,}?\\p{L}"),
)
WORDS = (b" and ", b" or ", b"not ", b" is null", b"coalesce(", b"'", b'"', b"--", b"/*", b";", b"(?", b"[^", b"{1,2}")
_READS = frozenset({sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION})


def fuzz(data: bytes) -> None:
    """Read one condition and have SQLite answer it, and say one pattern for PostgreSQL."""
    text, pattern = (part.decode("utf-8", "replace") for part in sections(data, 2))
    # What RE2 does not take is in no contract.
    with contextlib.suppress(PatternError, UnsaidError):
        compiled(pattern)
        promise(bool(postgres_pattern(pattern)), "no pattern")
    try:
        read = condition(text)
        asked = read.render(Scope(_contract(), _table(), SqliteDialect()))
    except ExpressionError as error:
        promise(0 <= error.offset <= len(text), f"wrong at {error.offset}, which is not in it")
    except MissingColumnError:
        return
    else:
        _answered(sql("SELECT count(*) FROM t WHERE {}", asked))


def _answered(query: Sql) -> None:
    with contextlib.suppress(sqlite3.Error):
        list(_database().execute(query.text(), query.values))
    promise(not _BEYOND, f"it would do {_BEYOND} by {query.text()[:200]}")


#: What a statement would do besides reading.
_BEYOND: list[int] = []


@cache
def _database() -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    for called, (arguments, function) in FUNCTIONS.items():
        connection.create_function(called, arguments, function, deterministic=True)
    connection.execute("CREATE TABLE t (a INTEGER, b TEXT)")
    connection.execute("INSERT INTO t VALUES (1, 'x')")

    def is_allowed(action: int, *_: object) -> int:
        if action not in _READS:
            _BEYOND.append(action)
        return sqlite3.SQLITE_OK if action in _READS else sqlite3.SQLITE_DENY

    connection.set_authorizer(is_allowed)
    return connection


@cache
def _contract() -> Contract:
    return Contract("t", Source(SourceKind.SQLITE, "/srv/db"))


@cache
def _table() -> Table:
    return Table(name("t"), {"a": SqliteDialect().family("INTEGER"), "b": SqliteDialect().family("TEXT")})
