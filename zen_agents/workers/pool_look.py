"""Asks a connection pool, or ends what was forgotten in it: `python -m zen_agents.workers.pool_look`.

Reads `PoolRequest`s as JSON, one a line, and writes a `PoolReply` for each. The driver is psycopg, which is libpq:
it knows every way in which a PostgreSQL lets somebody in. It is an optional extra, and imported here alone.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from zen_agents.jobs.pool_look import PoolReply, PoolRequest
from zen_agents.model.pool import PoolLook, PoolQuestion
from zen_agents.workers import pgbouncer, postgres
from zen_agents.workers.secret_file import SecretError, read_secret

if TYPE_CHECKING:
    import psycopg

#: SQLSTATE of a server, a database or a role that has no connection left, and of missing rights.
_TOO_MANY_CONNECTIONS = "53300"


def answer(request: PoolRequest) -> PoolReply:
    """Look, or end the sessions that the request names."""
    try:
        return _by_http(request) if request.asked.kind == "http" else _by_driver(request)
    except SecretError as error:
        return _untold(request, f"the secret cannot be read: {error}")


def _by_http(request: PoolRequest) -> PoolReply:
    from zen_agents.workers import http_pool  # noqa: PLC0415 - whoever asks a database loads no HTTP

    return PoolReply(http_pool.look(request))


def _by_driver(request: PoolRequest) -> PoolReply:
    try:
        import psycopg  # noqa: PLC0415 - whoever has not installed it is told so
    except ImportError:
        return _untold(request, "the driver psycopg is not installed: pip install 'zen-agents[pools]'")
    try:
        with _connected(request) as connection:
            if request.end:
                return postgres.end(connection, request)
            ask = pgbouncer.look if request.asked.kind == "pgbouncer" else postgres.look
            return PoolReply(ask(connection, request.asked))
    except psycopg.Error as error:
        said = _said(error)
        if not request.end and _is_full(error, request.asked):
            return PoolReply(PoolLook(full=said))
        return _untold(request, f"{request.asked.server} cannot be asked: {said}")


def _connected(request: PoolRequest) -> psycopg.Connection[Any]:
    import psycopg  # noqa: PLC0415 - see above

    asked = request.asked
    host, _, port = asked.server.rpartition(":")
    within = max(1, round(request.within_seconds))
    wanted: dict[str, Any] = {
        "host": host.strip("[]"), "port": int(port), "user": asked.login, "dbname": asked.login_database,
        "sslmode": asked.tls, "connect_timeout": within, "application_name": "zen-agents",
    }  # fmt: skip
    if asked.password_file:
        wanted["password"] = read_secret(asked.password_file)
    if asked.authority:
        wanted["sslrootcert"] = asked.authority
    if asked.kind == "postgres":
        wanted["options"] = f"-c TimeZone=UTC -c DateStyle=ISO -c statement_timeout={within * 1000}"
    # No file and no variable of an account's says otherwise; nothing is prepared, which a pooler would not understand.
    return psycopg.connect(**wanted, passfile="/nonexistent/.pgpass", autocommit=True, prepare_threshold=None)


def _is_full(error: psycopg.Error, asked: PoolQuestion) -> bool:
    """Tell whether the server is full; the limit of the engine's own role or database, which is named, is another thing."""
    said = str(error)
    # libpq tells the code of a refused connection to nobody, so where it is missing its words have to do.
    full = error.sqlstate == _TOO_MANY_CONNECTIONS or "too many clients" in said or "connection slots are reserved" in said
    return full and f'"{asked.login}"' not in said and f'"{asked.login_database}"' not in said


def _said(error: psycopg.Error) -> str:
    lines = str(error).strip().splitlines()
    return "".join(each if each.isprintable() else " " for each in lines[0]) if lines else type(error).__name__


def _untold(request: PoolRequest, why: str) -> PoolReply:
    return PoolReply(refused=why) if request.end else PoolReply(PoolLook(untold=why))


def main() -> int:
    """Answer each request, a line each, until there are no more."""
    for line in sys.stdin:
        sys.stdout.write(answer(PoolRequest.from_json(line)).to_json() + "\n")
        sys.stdout.flush()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
