"""Settings of `agents.system_health.pools`: which server, whose sessions, and when one of them counts as forgotten."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field, model_validator

from zen_agents.model.pool import PoolQuestion
from zen_agents.model.scalars import (
    AbsolutePath,
    ActionReference,
    Duration,
    HostPort,
    Line,
    Percent,
    PositiveDuration,
    refuse,
)
from zen_agents.model.section import Section
from zen_agents.model.severity import Severity

_Text = Annotated[Line, Field(min_length=1)]


class DatabaseLogin(Section):
    """How the engine comes in."""

    server: HostPort = Field(description="HOST:PORT")
    user: _Text = Field("zen_agents", description="role of the engine there")
    password_file: AbsolutePath | None = Field(None, description="file of its password, mode 0600; empty: it needs none")
    tls: Literal["disable", "prefer", "require", "verify-full"] = Field(
        "prefer", description="disable | prefer | require | verify-full (checks name and authority of the server)"
    )
    authority: AbsolutePath | None = Field(None, description="PEM file of the only trusted authorities, for verify-full")

    @model_validator(mode="after")
    def _verified(self) -> DatabaseLogin:
        if self.tls == "verify-full" and self.authority is None:
            raise refuse("one_of", "needs `authority`: whose certificates are trusted?", at="tls")
        return self


class PostgresLogin(DatabaseLogin):
    """How the engine comes in at a PostgreSQL."""

    database: _Text = Field("postgres", description="database it connects to")


class WatchedPool(Section):
    """One pool, and the user of databases whose sessions of it are meant. Exactly one of `postgres` and `pgbouncer`."""

    postgres: PostgresLogin | None = Field(None, description="a PostgreSQL: watched, and given back what was forgotten")
    pgbouncer: DatabaseLogin | None = Field(None, description="the admin console of a PgBouncer: watched")
    user: _Text = Field(description="role whose sessions are counted, and ended where that is allowed")
    application: Line = Field("", description="only sessions that call themselves so; empty: whatever they are called")
    database: Line = Field("", description="only sessions in this database; empty: in any; a PgBouncer's pool needs it")
    above: Percent = Field(80.0, description="how much may be taken, where it is scarcest: server, role, database or pool")
    held_for: Duration = Field(timedelta(seconds=30), alias="for", description="how long that must be so; peaks are none")
    in_transaction_for: PositiveDuration = Field(
        timedelta(minutes=5), description="a session that waits longer within a transaction was forgotten"
    )
    idle_for: PositiveDuration | None = Field(
        None, description="the same outside of one; empty: never, since pools keep connections on purpose"
    )
    at_most: Annotated[int, Field(ge=1, le=100)] = Field(10, description="so many sessions are ended at once; no unit")
    every: PositiveDuration = Field(timedelta(seconds=30), description="how often it is looked at, a process each time")
    timeout: Annotated[PositiveDuration, Field(le=timedelta(minutes=10))] = Field(
        timedelta(seconds=5), description="how long the server may take to answer"
    )
    on_breach: tuple[ActionReference, ...] | None = Field(
        None, description="not given: reset_pool, if the allow-list has it; empty list: only tell"
    )
    severity: Severity = Field(Severity.ERROR, description="info | warning | error | critical")
    runbook: Line = Field("", description="address of a page that tells people what to do")

    @model_validator(mode="after")
    def _one_server(self) -> WatchedPool:
        if (self.postgres is None) == (self.pgbouncer is None):
            raise refuse("one_of", "needs exactly one of `postgres` and `pgbouncer`")
        if self.pgbouncer is not None and not self.database:
            raise refuse("one_of", "needs `database`: a PgBouncer has a pool for each user and database")
        for key in ("application", "idle_for"):
            if self.pgbouncer is not None and getattr(self, key):
                raise refuse("one_of", "is for `postgres`; the console of a PgBouncer does not say that", at=key)
        if self.postgres is not None and self.user == self.postgres.user:
            raise refuse("one_of", "is the engine's own role at this server; give the engine one of its own", at="user")
        return self

    @property
    def asked(self) -> PoolQuestion:
        """What is looked at."""
        login = self.postgres or self.pgbouncer
        assert login is not None  # noqa: S101 - see _one_server
        return PoolQuestion(
            kind="postgres" if self.postgres is not None else "pgbouncer",
            server=login.server,
            login=login.user,
            login_database=self.postgres.database if self.postgres is not None else "pgbouncer",
            user=self.user,
            application=self.application,
            database=self.database,
            password_file=login.password_file or "",
            tls=login.tls,
            authority=login.authority or "",
            in_transaction_seconds=self.in_transaction_for.total_seconds(),
            idle_seconds=self.idle_for.total_seconds() if self.idle_for is not None else 0.0,
        )
