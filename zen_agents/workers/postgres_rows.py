"""A PostgreSQL asked where it is: one transaction that only reads, and waits for no lock long."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from types import ModuleType
from typing import TYPE_CHECKING, Any, ClassVar, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from zen_agents.datasets.contract import ColumnType, Limits
from zen_agents.datasets.dialects.postgres import PostgresDialect
from zen_agents.datasets.identifiers import qualified
from zen_agents.datasets.source import Source
from zen_agents.datasets.sql import Sql, listed, name, sql
from zen_agents.datasets.table import BackendError, Table
from zen_agents.workers.giving_way import GivingWay

if TYPE_CHECKING:
    import psycopg

_CONNECT_SECONDS: Final = 10
#: A server, or the way to it, that went away without a word is given up within a minute, however long an answer may take.
_ALIVE: Final = {"keepalives_idle": 20, "keepalives_interval": 10, "keepalives_count": 3, "tcp_user_timeout": 50_000}
#: As soon the server, from version 14, misses us: it ends what nobody waits for any more, and lets go of its locks.
_MISSED: Final = (
    ("tcp_keepalives_idle", "20"), ("tcp_keepalives_interval", "10"), ("tcp_keepalives_count", "3"),
    ("tcp_user_timeout", "50000"), ("client_connection_check_interval", "2s"),
)  # fmt: skip
#: Longer than this it does not queue for a table that somebody changes: whoever comes behind it would wait as well (ms).
_LOCK_MILLISECONDS: Final = 2000
#: SQLSTATE of what is wrong with the data itself: a table that is not there, damaged pages and indexes.
_DAMAGE: Final = frozenset({"42P01", "3F000", "XX001", "XX002", "58030"})
_CANCELLED: Final = "57014"
_WORDS: Final = {
    _CANCELLED: "it takes longer than `limits.timeout`",
    "55P03": "somebody holds a lock on a table for longer than two seconds",
    "42501": "the role may not read it: GRANT SELECT",
}
#: Types of which PostgreSQL cannot compare every value; they are read as text, as those are that only this database has.
_AS_TEXT: Final = (ColumnType.ANY, ColumnType.JSON)
_MOST_SAID: Final = 300


def postgres_driver() -> ModuleType:
    """Return psycopg, loaded with all that it needs while that can still be reached; BackendError if it is not there."""
    try:
        import psycopg  # noqa: PLC0415 - whoever has not installed it is told so
    except ImportError:
        raise BackendError("the driver psycopg is not installed: pip install 'zen-agents[pools]'") from None
    ZoneInfo("UTC"), UUID(int=0)  # it loads these modules when it first meets such a value
    return psycopg


class PostgresRows:
    """A session. `address` is a connection string, which is told to nobody: it may hold a password."""

    #: Whether nothing can be changed, whatever stands in a query.
    read_only: ClassVar = True

    #: What is said of a SQLSTATE besides what the server says.
    _words: ClassVar[Mapping[str, str]] = _WORDS

    def __init__(self, psycopg: Any, address: str, limits: Limits) -> None:
        """Connect by that driver; BackendError if that cannot be done."""
        self.dialect = PostgresDialect()
        self._driver = psycopg
        try:
            wanted = psycopg.conninfo.conninfo_to_dict(address)
        except psycopg.Error:  # its words would quote what it could not read
            raise BackendError("the file that `postgres` names holds no connection string: host=... dbname=...") from None
        # No password file of an account's is looked for, but the one that the string itself names.
        plain: dict[str, Any] = {
            "passfile": "/nonexistent/.pgpass", "connect_timeout": _CONNECT_SECONDS, "application_name": "zen-agents",
            **_ALIVE, **wanted,
        }  # fmt: skip
        try:
            self._connection = psycopg.connect(**plain, prepare_threshold=None)
            self._connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            self._connection.read_only = self.read_only
            self._begin(round(limits.seconds * 1000))
            ((process,),) = self._connection.execute("SELECT pg_backend_pid()").fetchall()
        except psycopg.Error as error:
            raise BackendError(f"the database cannot be asked: {_said(error)}") from error
        self._way = GivingWay(psycopg, plain, self._connection, process)

    def _begin(self, milliseconds: int) -> None:
        self._set(("lock_timeout", str(_LOCK_MILLISECONDS)), ("TimeZone", "UTC"), ("DateStyle", "ISO"))
        self._end_after(milliseconds)
        # Not every server can.
        with contextlib.suppress(self._driver.Error), self._connection.transaction():
            self._set(*_MISSED)

    def _end_after(self, milliseconds: int) -> None:
        """Have the server end a statement, and the whole transaction while nobody says anything, after so long."""
        self._set(*((each, str(milliseconds)) for each in ("statement_timeout", "idle_in_transaction_session_timeout")))

    def _set(self, *settings: tuple[str, str]) -> None:
        # For this transaction, and not as options of the connection, which a pooler would refuse.
        for setting, value in settings:
            self._connection.execute("SELECT set_config(%s, %s, true)", (setting, value))

    def table(self, source: Source) -> Table:
        """Return the rows of a table or query; BackendError if it is not there."""
        relation = Sql((f"({source.query}) AS asked_",)) if source.query else Sql((qualified(source.table),))
        columns = self._columns(relation)
        shown = [
            sql("CAST({} AS text) AS {}", name(each), name(each)) if held in _AS_TEXT else name(each)
            for each, held in columns.items()
        ]
        if any(held in _AS_TEXT for held in columns.values()):
            relation = sql("(SELECT {} FROM {}) AS texts_", listed(shown), relation)
        return Table(
            relation, {each: ColumnType.TEXT if held in _AS_TEXT else held for each, held in columns.items()}
        )  # fmt: skip

    def _columns(self, relation: Sql) -> dict[str, ColumnType]:
        cursor = self._execute(sql("SELECT * FROM {} LIMIT 0", relation))
        named = [(each.name, each.type_code) for each in cursor.description or ()]
        with self._in_words():
            known = {
                oid: str(said)
                for oid, said in self._connection.execute(
                    "SELECT oid, format_type(oid, NULL) FROM pg_catalog.pg_type WHERE oid = ANY(%s)",
                    ([oid for _, oid in named],),
                )
            }
        return {column: self.dialect.family(known.get(oid, "")) for column, oid in named}

    def rows(self, query: Sql) -> Sequence[Sequence[Any]]:
        """Return the rows of one query; BackendError if it cannot be answered."""
        found: Sequence[Sequence[Any]] = self._execute(query).fetchall()
        return found

    def stream(self, query: Sql) -> Iterator[Sequence[Any]]:
        """Yield the rows of one query without holding all; BackendError as above."""
        text, values = query.text(self.dialect.placeholder).encode(), query.values
        with self._in_words(), self._connection.cursor() as cursor:
            yield from cursor.stream(text, values, binary=True)

    def _execute(self, query: Sql) -> psycopg.Cursor[Any]:
        # What fails is rolled back by itself, so that the next query is answered.
        with self._in_words(), self._connection.transaction():
            # Binary answers have the driver send one statement, whatever stands in it.
            text, values = query.text(self.dialect.placeholder).encode(), query.values
            cursor: psycopg.Cursor[Any] = self._connection.execute(text, values, binary=True)
            return cursor

    @contextlib.contextmanager
    def _in_words(self) -> Iterator[None]:
        """Tell what the driver raises in words for people, as BackendError."""
        try:
            yield
        except self._driver.Error as error:
            raise self._failure(error) from error

    def _failure(self, error: Exception) -> BackendError:
        state = getattr(error, "sqlstate", "") or ""
        if state == _CANCELLED and self._way.has_given_way:
            return BackendError("somebody waits for a lock on the table, and was given way")
        if self._connection.closed and state not in self._words:
            return BackendError(f"the database went away: {_said(error)}")
        said = ": ".join(filter(None, (self._words.get(state), _said(error))))
        return BackendError(said, is_damage=state in _DAMAGE)

    def close(self) -> None:
        """End the session."""
        self._way.end()
        self._connection.close()


def _said(error: Exception) -> str:
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return "".join(each if each.isprintable() else " " for each in lines[0])[:_MOST_SAID]
