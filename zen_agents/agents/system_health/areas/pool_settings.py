"""Settings of `agents.system_health.pools`: who tells of it, whose sessions are meant, and when one was forgotten."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from zen_agents.agents.system_health.areas.argv import Argv, PluginArgv, refuse_unnamed_root
from zen_agents.model.pool import PoolQuestion
from zen_agents.model.refusals import refuse
from zen_agents.model.scalars import (
    AbsolutePath,
    Account,
    ActionReference,
    Duration,
    HostPort,
    HttpUrl,
    Line,
    Percent,
    PositiveDuration,
)
from zen_agents.model.section import Section
from zen_agents.model.severity import Severity


def _names_somebody(name: str) -> str:
    if not name:
        raise refuse("name", "is the name of a role or database, got ``")
    return name


def _leads_somewhere(path: str) -> str:
    if not all(path.split(".")):
        raise refuse("name", f"is names with dots between, like pool.active, got `{path}`")
    return path


_Role = Annotated[Line, AfterValidator(_names_somebody)]
_Key = Annotated[Line, AfterValidator(_leads_somewhere)]


class DatabaseLogin(Section):
    """How the engine comes in."""

    server: HostPort = Field(description="HOST:PORT")
    user: _Role = Field("zen_agents", description="role of the engine there")
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

    database: _Role = Field("postgres", description="database it connects to")


class PoolPage(Section):
    """A page on which an application tells of its own pool, in JSON."""

    url: HttpUrl = Field(description="address of the page; redirections are not followed")
    used: _Key = Field("used", description="where in it is how many are taken: names with dots between, like pool.active")
    limit: _Key = Field("limit", description="where in it is how many there are")
    token_file: AbsolutePath | None = Field(None, description="file of the bearer token that it wants, mode 0600")
    authority: AbsolutePath | None = Field(None, description="PEM file of the only trusted authorities, for https")

    @property
    def server(self) -> str:
        """HOST:PORT of whoever tells it."""
        parts = urlsplit(self.url)
        host = parts.hostname or ""
        port = parts.port or (443 if parts.scheme == "https" else 80)
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


class PoolPlugin(Section):
    """A monitoring plugin that has `used` and `limit` in its performance data."""

    command: PluginArgv = Field(
        description="program and arguments, each an item of the list; no shell reads them; only root may write the program"
    )
    user: Account = Field("nobody", description="account it runs as, without groups and capabilities")


class PoolReset(Section):
    """What makes the application renew its own pool."""

    run: Argv = Field(description="argument list that does it, like [/usr/bin/curl, -fsS, -X, POST, URL]")
    user: Account | None = Field(
        None, description="account it runs as; required when the engine runs as root (say root if you mean it)"
    )
    timeout: PositiveDuration = Field(timedelta(seconds=30), description="how long it may take")

    @model_validator(mode="after")
    def _root_says_who(self) -> PoolReset:
        refuse_unnamed_root(self.user)
        return self


class WatchedPool(Section):
    """One pool. Exactly one of `postgres`, `pgbouncer`, `http` and `plugin`."""

    postgres: PostgresLogin | None = Field(None, description="a PostgreSQL: watched, and given back what was forgotten")
    pgbouncer: DatabaseLogin | None = Field(None, description="the admin console of a PgBouncer: watched")
    http: PoolPage | None = Field(None, description="a page on which the application tells of it")
    plugin: PoolPlugin | None = Field(None, description="a monitoring plugin that tells of it")
    user: _Role | None = Field(
        None,
        description="of a server: role whose sessions are counted, and ended where that is allowed; a PostgreSQL's can be "
        "left out: everybody's are counted then, and nobody's ended",
    )
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
    timeout: PositiveDuration = Field(timedelta(seconds=5), description="how long whoever is asked may take to answer")
    reset: PoolReset | None = Field(None, description="what makes the application renew its pool; not for `postgres`")
    on_breach: tuple[ActionReference, ...] | None = Field(
        None, description="not given: reset_pool or recycle_pool, if the allow-list has it; empty list: only tell"
    )
    severity: Severity = Field(Severity.ERROR, description="info | warning | error | critical")
    runbook: Line = Field("", description="address of a page that tells people what to do")

    @model_validator(mode="after")
    def _one_kind(self) -> WatchedPool:
        if sum(kind is not None for kind in (self.postgres, self.pgbouncer, self.http, self.plugin)) != 1:
            raise refuse("one_of", "needs exactly one of `postgres`, `pgbouncer`, `http` and `plugin`")
        is_server = self.postgres is not None or self.pgbouncer is not None
        if self.pgbouncer is not None and self.user is None:
            raise refuse("one_of", "needs `user`: whose sessions are meant?")
        for key in ("user", "database"):
            if not is_server and getattr(self, key):
                raise refuse("one_of", "is for `postgres` and `pgbouncer`", at=key)
        for key in ("application", "idle_for"):
            if self.postgres is None and getattr(self, key):
                raise refuse("one_of", "is for `postgres`; nobody else tells that", at=key)
        return self

    @model_validator(mode="after")
    def _meant(self) -> WatchedPool:
        if self.pgbouncer is not None and not self.database:
            raise refuse("one_of", "needs `database`: a PgBouncer has a pool for each user and database")
        if self.postgres is not None and self.user == self.postgres.user:
            raise refuse("one_of", "is the engine's own role at this server; give the engine one of its own", at="user")
        if self.postgres is not None and self.reset is not None:
            raise refuse("one_of", "stands beside `postgres`, whose forgotten sessions `reset_pool` ends", at="reset")
        return self

    @property
    def asked(self) -> PoolQuestion:
        """What is looked at; of a plugin that is its own affair."""
        if self.http is not None:
            page = self.http
            return PoolQuestion(
                "http", page.server, url=page.url, used_at=page.used, limit_at=page.limit,
                password_file=page.token_file or "", authority=page.authority or "",
            )  # fmt: skip
        login = self.postgres or self.pgbouncer
        if login is None:
            return PoolQuestion("plugin")
        return PoolQuestion(
            kind="pgbouncer" if self.pgbouncer is not None else "postgres",
            server=login.server,
            login=login.user,
            login_database=login.database if isinstance(login, PostgresLogin) else "pgbouncer",
            user=self.user or "",
            application=self.application,
            database=self.database,
            password_file=login.password_file or "",
            tls=login.tls,
            authority=login.authority or "",
            in_transaction_seconds=self.in_transaction_for.total_seconds(),
            idle_seconds=self.idle_for.total_seconds() if self.idle_for is not None else 0.0,
        )
