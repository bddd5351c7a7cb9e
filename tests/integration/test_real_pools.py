"""Pools of a real PostgreSQL and a real PgBouncer: what is seen of them, and whose sessions end."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.support.changing import changing
from tests.support.engine_process import wait_for
from tests.support.postgres_here import (
    MOST_CONNECTIONS,
    Server,
    needs_pgbouncer,
    needs_postgres,
    pgbouncer_here,
    postgres_here,
)
from zen_agents.actions.reset_pool import ResetPool
from zen_agents.adapters.linux_pools import end_sessions
from zen_agents.errors import ActionFailedError
from zen_agents.jobs.pool_look import PoolReply, PoolRequest
from zen_agents.model.pool import PoolLook, PoolQuestion, PoolSession
from zen_agents.workers.pool_look import answer

psycopg = pytest.importorskip("psycopg", reason="needs the driver psycopg")
pytestmark = [needs_postgres, pytest.mark.xdist_group("postgres")]
#: Whatever waits was forgotten.
AT_ONCE = 0.001
_ROLES = (
    "CREATE ROLE app LOGIN", "CREATE ROLE reports LOGIN", "CREATE ROLE zen LOGIN", "CREATE ROLE blind LOGIN",
    "CREATE ROLE guarded LOGIN PASSWORD 'open sesame'", "GRANT pg_monitor, pg_signal_backend TO zen, guarded",
    "CREATE ROLE onlooker LOGIN", "GRANT pg_monitor TO onlooker", "CREATE ROLE boss LOGIN SUPERUSER",
)  # fmt: skip

Connect = Callable[..., Any]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with postgres_here() as running:
        with psycopg.connect(
            host="127.0.0.1", port=running.port, user="postgres", dbname="postgres", autocommit=True
        ) as root:
            for role in _ROLES:
                root.execute(role)
        yield running


@pytest.fixture
def connect(server: Server) -> Iterator[Connect]:
    """Return what opens a session; all of them end with the test."""
    with contextlib.ExitStack() as open_ones:

        def connect(user: str, *, begun: bool = True, **options: Any) -> Any:
            options = {"host": "127.0.0.1", "port": server.port, "dbname": "postgres", **options}
            session = psycopg.connect(user=user, autocommit=True, prepare_threshold=None, **options)
            open_ones.callback(session.close)
            if begun:
                session.execute("BEGIN")
            return session

        yield connect
    with psycopg.connect(host="127.0.0.1", port=server.port, user="postgres", dbname="postgres", autocommit=True) as root:
        others = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND usename <> 'postgres'"
        wait_for(lambda: root.execute(others).fetchone()[0] == 0, seconds=60)


def asked(server: Server, /, **changes: Any) -> PoolQuestion:
    question = PoolQuestion("postgres", server.address, "zen", "postgres", "app", in_transaction_seconds=AT_ONCE)
    return replace(question, **changes)


def look(question: PoolQuestion) -> PoolLook:
    return answer(PoolRequest(question, 5.0)).look


def end(question: PoolQuestion, found: PoolLook) -> PoolReply:
    return answer(PoolRequest(question, 5.0, found.forgotten))


def lives(session: Any) -> bool:
    with contextlib.suppress(psycopg.Error):
        return bool(session.execute("SELECT 1").fetchone() == (1,))
    return False


def test_only_what_the_named_user_forgot_is_told_and_ended(server: Server, connect: Connect) -> None:
    forgotten, idle, other, boss = connect("app"), connect("app", begun=False), connect("reports"), connect("boss")
    found = look(asked(server))
    assert (found.used, found.limit, found.scarce, found.meant) == (4, MOST_CONNECTIONS, "the server", 2)
    assert [each.pid for each in found.forgotten] == [forgotten.info.backend_pid]
    assert found.forgotten[0].state == "idle in transaction"
    assert found.forgotten[0].client == "127.0.0.1"
    assert end(asked(server), found).ended == (forgotten.info.backend_pid,)
    assert [lives(each) for each in (forgotten, idle, other, boss)] == [False, True, True, True]
    assert look(asked(server, user="boss")).forgotten == ()


def test_where_nobody_is_named_everybody_is_counted_and_nobody_ended(server: Server, connect: Connect) -> None:
    sessions = [connect("app"), connect("reports"), connect("boss")]
    question = asked(server, user="")
    found = look(question)
    assert (found.used, found.limit, found.scarce, found.meant) == (3, MOST_CONNECTIONS, "the server", 3)
    assert {each.pid for each in found.forgotten} == {each.info.backend_pid for each in sessions[:2]}
    assert end(question, found) == PoolReply(refused="it is not said whose sessions are meant")
    assert all(lives(each) for each in sessions)


def test_idle_ones_an_application_and_a_database_are_told_apart(server: Server, connect: Connect) -> None:
    idle = connect("app", begun=False)
    web, elsewhere = connect("app", application_name="web"), connect("app", dbname="template1")
    pids = {name: each.info.backend_pid for name, each in {"idle": idle, "web": web, "elsewhere": elsewhere}.items()}

    def told(**changes: Any) -> set[int]:
        return {each.pid for each in look(asked(server, **changes)).forgotten}

    assert told(idle_seconds=AT_ONCE) == set(pids.values())
    assert told(application="web") == {pids["web"]}
    assert told(database="template1") == {pids["elsewhere"]}
    assert told(in_transaction_seconds=3600.0) == set()


def test_one_that_began_anew_or_is_used_again_is_spared_in_the_very_statement(server: Server, connect: Connect) -> None:
    reused, used = connect("app"), connect("app")
    found = look(asked(server))
    older = tuple(
        each._replace(began="2020-01-01 00:00:00+00") for each in found.forgotten if each.pid != used.info.backend_pid
    )
    used.execute("COMMIT")
    planned = found._replace(forgotten=(*older, *(each for each in found.forgotten if each.pid == used.info.backend_pid)))
    assert len(planned.forgotten) == 2
    assert end(asked(server), planned) == PoolReply()
    assert lives(reused)
    assert lives(used)


def test_the_limits_of_a_role_and_of_a_database_count_as_well(server: Server, connect: Connect) -> None:
    root = connect("postgres", begun=False)
    connect("app")
    root.execute("ALTER ROLE app CONNECTION LIMIT 2")
    try:
        found = look(asked(server))
        assert (found.used, found.limit, found.scarce, found.percent) == (1, 2, "the role app", 50.0)
    finally:
        root.execute("ALTER ROLE app CONNECTION LIMIT -1")


def test_a_server_without_a_connection_for_the_look_is_full(server: Server, connect: Connect) -> None:
    for _ in range(MOST_CONNECTIONS - 3):
        connect("app")
    assert "connection slots are reserved" in look(asked(server)).full
    found = look(asked(server, login="boss"))
    assert (found.used, found.full) == (MOST_CONNECTIONS - 3, "")


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"login": "blind"}, "GRANT pg_monitor TO blind"),
        ({"user": "nobody"}, "has no role nobody"),
        ({"login": "stranger"}, 'role "stranger" does not exist'),
        ({"login": "guarded"}, "no password supplied"),
        ({"password_file": "/nowhere/password"}, "/nowhere/password"),
        ({"server": "127.0.0.1:1"}, "cannot be asked"),
        ({"tls": "require"}, "SSL"),
    ],
)
def test_what_keeps_it_from_looking_is_said_in_words(server: Server, changes: dict[str, Any], says: str) -> None:
    found = look(asked(server, **changes))
    assert says in found.untold
    assert (found.used, found.full) == (0, "")


def test_a_password_is_read_from_its_file_and_said_nowhere(server: Server, tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("open sesame\n")
    file.chmod(0o600)
    assert look(asked(server, login="guarded", password_file=str(file))).untold == ""
    file.write_text("shut sesame\n")
    untold = look(asked(server, login="guarded", password_file=str(file))).untold
    assert "password authentication failed" in untold
    assert "sesame" not in untold


async def test_a_role_that_may_only_look_ends_nothing(server: Server, connect: Connect) -> None:
    session = connect("app")
    question = asked(server, login="onlooker")
    with pytest.raises(ActionFailedError, match=r"no session was ended: .*(terminate|permission)"):
        await end_sessions(question, look(question).forgotten, timeout_seconds=5.0)
    assert lives(session)


async def test_the_action_ends_them_on_the_real_thing_and_then_leaves_it_alone(
    server: Server, connect: Connect, tmp_path: Path
) -> None:
    here = changing(tmp_path)
    sessions, other = [connect("app") for _ in range(5)], connect("reports")
    params = {
        "server": server.address, "login": "zen", "user": "app", "in_transaction_seconds": AT_ONCE, "at_most": 3,
        "above_percent": 30.0,
    }  # fmt: skip
    action = ResetPool()
    plan = await asyncio.to_thread(here.plan, action, "pool:orders", params)
    effect = await action.execute(plan, here.control())
    assert effect.detail == "ended 3 forgotten sessions of app"
    assert (effect.before, effect.after) == ("6 of 10 were taken", "3 of 10 are taken")
    assert [lives(each) for each in (*sessions, other)] == [False, False, False, True, True, True]
    assert lives(other)


@needs_pgbouncer
def test_a_pgbouncer_tells_who_waits_for_its_connections(server: Server, connect: Connect) -> None:
    with pgbouncer_here(server) as pooler:
        question = asked(server, kind="pgbouncer", server=pooler.address, login_database="pgbouncer", database="orders")
        assert (look(question).percent, look(question).limit) == (0.0, 2)
        for _ in range(2):
            connect("app", port=pooler.port, dbname="orders")
        found = look(question)
        assert (found.used, found.limit, found.scarce, found.meant) == (2, 2, "the pool", 2)
        assert look(replace(question, user="reports")).used == 0
        assert "has no database other" in look(replace(question, database="other")).untold
        assert "cannot be asked" in look(replace(question, login="app")).untold


def test_the_driver_that_is_missing_is_named(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    assert look(asked(server)).untold == "the driver psycopg is not installed: pip install 'zen-agents[pools]'"
    assert answer(PoolRequest(asked(server), 5.0, (PoolSession(1, "", "", "idle", "", ""),))).refused.startswith(
        "the driver psycopg"
    )
