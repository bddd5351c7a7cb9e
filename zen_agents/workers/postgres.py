"""What a PostgreSQL says about its sessions, and ending those that were forgotten."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from zen_agents.jobs.pool_look import PoolReply, PoolRequest
from zen_agents.model.pool import MOST_SESSIONS, PoolLook, PoolQuestion, PoolSession

if TYPE_CHECKING:
    import psycopg

_ASK_AGAIN_SECONDS = 0.05
#: What the engine has to be able to see, and what it is called by the one who grants it.
_MAY_SEE = "SELECT pg_has_role(current_user, 'pg_read_all_stats', 'USAGE')"
_COUNTS = """
SELECT count(*), count(*) FILTER (WHERE usename = %(user)s), count(*) FILTER (WHERE datname = %(database)s),
       current_setting('max_connections')::int,
       (SELECT rolconnlimit FROM pg_roles WHERE rolname = %(user)s),
       (SELECT datconnlimit FROM pg_database WHERE datname = %(database)s),
       pg_postmaster_start_time()::text
FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()
"""
_MEANT = """
backend_type = 'client backend' AND pid <> pg_backend_pid() AND (%(user)s = '' OR usename = %(user)s)
AND (%(application)s = '' OR application_name = %(application)s) AND (%(database)s = '' OR datname = %(database)s)
"""
#: Nobody's but the application's: a superuser's session, like a dump that waits, is a person's to end.
_FORGOTTEN = f"""{_MEANT}
AND NOT (SELECT rolsuper FROM pg_roles WHERE rolname = usename)
AND clock_timestamp() - state_change > CASE
    WHEN state IN ('idle in transaction', 'idle in transaction (aborted)') THEN make_interval(secs => %(in_transaction)s)
    WHEN state = 'idle' AND %(idle)s > 0 THEN make_interval(secs => %(idle)s) END
"""  # noqa: S608  # nosec B608  no text from outside is in it
_COUNT_MEANT = f"SELECT count(*) FROM pg_stat_activity WHERE {_MEANT}"  # noqa: S608  # nosec B608  as above
_TOLD = f"""
SELECT pid, backend_start::text, state_change::text, state, application_name, coalesce(host(client_addr), 'a local socket')
FROM pg_stat_activity WHERE {_FORGOTTEN} ORDER BY state_change, pid LIMIT {MOST_SESSIONS}
"""  # noqa: S608  # nosec B608  as above
_SAME = "(pid, backend_start) IN (SELECT * FROM unnest(%(pids)s::int[], %(began)s::timestamptz[]))"
#: What was planned is compared with what is there where it is ended: a number may be somebody else's by now.
_END = f"""
WITH same AS MATERIALIZED (SELECT pid FROM pg_stat_activity WHERE {_SAME} AND {_FORGOTTEN})
SELECT pid FROM same WHERE pg_terminate_backend(pid)
"""  # noqa: S608  # nosec B608  as above
_LEFT = f"SELECT pid FROM pg_stat_activity WHERE {_SAME} AND pid = ANY(%(ended)s::int[])"  # noqa: S608  # nosec B608  as above


def look(connection: psycopg.Connection[Any], asked: PoolQuestion) -> PoolLook:
    """Return how many connections are taken where they are scarcest, and which were forgotten."""
    if not _row(connection, _MAY_SEE, {})[0]:
        return PoolLook(
            untold=f"{asked.login} may not see others' sessions; as a superuser: GRANT pg_monitor TO {asked.login}"
        )
    named = _named(asked)
    every, of_user, of_database, most, most_of_user, most_of_database, run = _row(connection, _COUNTS, named)
    if asked.user and most_of_user is None:
        return PoolLook(untold=f"{asked.server} has no role {asked.user}")
    limits = [(every, most, "the server")]
    limits += [(of_user, most_of_user, f"the role {asked.user}")] if asked.user else []
    limits += [(of_database, most_of_database, f"the database {asked.database}")] if most_of_database is not None else []
    used, limit, scarce = max((each for each in limits if each[1] > 0), key=lambda each: each[0] / each[1])
    with connection.cursor() as cursor:
        forgotten = tuple(PoolSession(*row) for row in cursor.execute(_TOLD, named).fetchall())
    return PoolLook(used, limit, scarce, _row(connection, _COUNT_MEANT, named)[0], forgotten, run)


def end(connection: psycopg.Connection[Any], request: PoolRequest) -> PoolReply:
    """End those of the request's sessions that still are what they were, and wait for them to be gone."""
    if not request.asked.user:
        return PoolReply(refused="it is not said whose sessions are meant")
    pids, began = [session.pid for session in request.end], [session.began for session in request.end]
    named = {**_named(request.asked), "pids": pids, "began": began}
    with connection.cursor() as cursor:
        ended = tuple(row[0] for row in cursor.execute(_END, named).fetchall())
        until = time.monotonic() + request.within_seconds
        while left := tuple(row[0] for row in cursor.execute(_LEFT, {**named, "ended": list(ended)}).fetchall()):
            if time.monotonic() >= until:
                break
            time.sleep(_ASK_AGAIN_SECONDS)
    return PoolReply(ended=tuple(pid for pid in ended if pid not in left), left=left)


def _named(asked: PoolQuestion) -> Mapping[str, Any]:
    return {
        "user": asked.user, "application": asked.application, "database": asked.database,
        "in_transaction": asked.in_transaction_seconds, "idle": asked.idle_seconds,
    }  # fmt: skip


def _row(connection: psycopg.Connection[Any], query: str, named: Mapping[str, Any]) -> tuple[Any, ...]:
    (row,) = connection.execute(query, named).fetchall()
    return tuple(row)
