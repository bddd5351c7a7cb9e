"""Slow statements are known by their form, from where the server itself tells of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zen_agents.logs.latency.slow_queries import LONGEST_FORM, MySqlSlowLog, SlowQuery, postgres_query

PREFIX = "2026-01-02 03:04:05.678 UTC [4242] app@shop "


@pytest.mark.parametrize(
    ("statement", "form"),
    [
        ("statement: SELECT * FROM t WHERE id = 17", "SELECT * FROM t WHERE id = ?"),
        ("execute s1: UPDATE t SET a = $1 WHERE b = $2;", "UPDATE t SET a = ? WHERE b = ?"),
        ("statement: SELECT\n  'it''s', \"Col 1\" -- why\nFROM t1", 'SELECT ?, "Col 1" FROM t1'),
        ("statement: /* a */ INSERT INTO t VALUES (1, 'x', -2.5e3)", "INSERT INTO t VALUES (?, ?, -?)"),
        ("statement: SELECT 1 WHERE a IN (1, 2,3) OR b = 0xff", "SELECT ? WHERE a IN (?) OR b = ?"),
    ],
)
@pytest.mark.parametrize("before", [f"{PREFIX}LOG:  ", "LOG:  ", ""])
def test_a_statement_of_postgresql(before: str, statement: str, form: str) -> None:
    assert postgres_query(f"{before}duration: 1234.567 ms  {statement}") == SlowQuery(pytest.approx(1.234567), form)


@pytest.mark.parametrize(
    "entry",
    [
        f'{PREFIX}ERROR:  relation "LOG:  duration: 9999.9 ms  statement: DROP" does not exist',
        f"{PREFIX}STATEMENT:  SELECT 'LOG:  duration: 9999.9 ms  statement: x'",
        f"{PREFIX}LOG:  connection received: host=192.0.2.7 duration: 9.9 ms  statement: x",
        "LOG:  duration: 9.9 ms", "LOG:  duration: 9.9 ms  statement: ", "",
    ],
)  # fmt: skip
def test_what_only_quotes_a_duration_is_no_statement(entry: str) -> None:
    assert postgres_query(entry) is None


MYSQL = """\
/usr/sbin/mysqld, Version: 8.0.36. started with:
Tcp port: 3306  Unix socket: /run/mysqld/mysqld.sock
# Time: 2026-01-02T03:04:05.678901Z
# User@Host: root[root] @ localhost []  Id:     8
# Query_time: 2.000185  Lock_time: 0.000002 Rows_sent: 1  Rows_examined: 0
use shop;
SET timestamp=1767323045;
SELECT SLEEP(2), "a \\" b"
# Query_time: 99.0  Lock_time: 0 in a statement
FROM `t 1` WHERE x = 'y';
# Time: 2026-01-02T03:05:05.678901Z
# User@Host: app[app] @  [192.0.2.7]
# Query_time: 1.5  Lock_time: 0.0 Rows_sent: 0  Rows_examined: 9
SET timestamp=1767323105;
DELETE FROM t WHERE id IN (1, 2);
""".splitlines()


def test_statements_of_mysql_over_their_lines() -> None:
    log = MySqlSlowLog()
    found = [query for line in MYSQL if (query := log.line(line)) is not None]
    last = log.finish()
    assert [query.seconds for query in found] == [2.000185] and last == SlowQuery(1.5, "DELETE FROM t WHERE id IN (?)")
    assert found[0].form.startswith("SELECT SLEEP(?), ?") and found[0].form.endswith("FROM `t 1` WHERE x = ?")
    assert log.finish() is None


def test_a_statement_without_end_is_kept_to_its_limit() -> None:
    log = MySqlSlowLog()
    log.line("# Query_time: 3.0  Lock_time: 0")
    for _ in range(10_000):
        assert log.line("SELECT a, " * 10) is None
    log.line(";")
    found = log.line("# Time: 2026-01-02T03:05:05Z")
    assert found is not None and found.seconds == 3.0 and len(found.form) <= LONGEST_FORM


@pytest.mark.parametrize(
    "evil",
    ["'", '"', "/*", "((?,", "''", "\\'", "1.", "$", "-", "#", "`"],
    ids=["'", '"', "/*", "list", "''", "\\'", "1.", "$", "-", "#", "`"],
)
def test_a_hostile_statement_is_a_statement_of_bounded_form(evil: str) -> None:
    log = MySqlSlowLog()
    log.line("# Query_time: 3.0  Lock_time: 0")
    log.line(f"x {evil * 100_000}")
    for found in (postgres_query(f"LOG:  duration: 1.0 ms  statement: x {evil * 100_000}"), log.finish()):
        assert found is not None and found.form.startswith("x") and len(found.form) <= LONGEST_FORM


@given(st.text("'\"a0;-/*\\ \n$`(),", max_size=60), st.sampled_from(["17", "'secret17'"]))
def test_no_value_is_left_in_a_form(around: str, value: str) -> None:
    found = postgres_query(f"LOG:  duration: 1.0 ms  statement: SELECT {value}, {around}")
    assert found is not None and "17" not in found.form
