"""Checks of a table in a real PostgreSQL beside the query that somebody would write by hand, in one pass as well."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from scripts.benchmarks.processes import REPOSITORY, environment
from scripts.benchmarks.report import Figure, median, skipped
from tests.support.postgres_here import postgres_here
from zen_agents.datasets.contract import Check, Contract, Limits, name_of, named
from zen_agents.datasets.finding import Report
from zen_agents.datasets.job import data_question, report_in
from zen_agents.datasets.questions import Between, Compared, Length, Matches, NotNull, OneOf, Question, RowCount, Unique
from zen_agents.datasets.source import Source, SourceKind
from zen_agents.jobs.data_check import WORKER

_ROWS, _QUICK_ROWS, _TRIALS = 5_000_000, 500_000, 3
_MADE = """
CREATE TABLE orders AS SELECT i AS order_id, 'c' || i || '@example.org' AS email,
  (ARRAY['new', 'paid', 'shipped', 'returned', 'cancelled'])[1 + i %% 5] AS status,
  (i %% 100000)::numeric(12, 2) AS amount, 1 + i %% 100 AS quantity, 'DE'::text AS country,
  date '2026-01-01' + i %% 300 AS ordered, date '2026-01-02' + i %% 300 AS shipped
FROM generate_series(1, {rows}) AS i
"""
_ASKED: Sequence[Question] = (
    RowCount(1),
    Unique(("order_id",)),
    NotNull("order_id"),
    NotNull("email"),
    Matches("email", r"[^@]+@[^@]+\.[a-z]+"),
    OneOf("status", ("new", "paid", "shipped", "returned", "cancelled")),
    Between("amount", 0, 99990),
    Between("quantity", 1, 99),
    Length("country", 2, 2),
    Compared("shipped", ">=", "ordered"),
)
_BY_HAND = r"""
SELECT count(*), count(*) - count(DISTINCT order_id), count(*) FILTER (WHERE order_id IS NULL),
  count(*) FILTER (WHERE email IS NULL), count(*) FILTER (WHERE NOT email ~ '^[^@]+@[^@]+\.[a-z]+$'),
  count(*) FILTER (WHERE status NOT IN ('new', 'paid', 'shipped', 'returned', 'cancelled')),
  count(*) FILTER (WHERE amount < 0 OR amount > 99990), count(*) FILTER (WHERE quantity < 1 OR quantity > 99),
  count(*) FILTER (WHERE length(country) <> 2), count(*) FILTER (WHERE shipped < ordered)
FROM orders
"""
#: How often a table was read from its beginning, as the server counts it.
_SCANS = "SELECT seq_scan + coalesce(idx_scan, 0) FROM pg_stat_user_tables WHERE relname = 'orders'"


def figures(folder: Path, quick: bool) -> Sequence[Figure]:
    """Measure, or say why not."""
    try:
        import psycopg  # noqa: PLC0415 - an extra
    except ImportError:
        return [skipped("postgresql: times the query by hand", "psycopg is not installed")]
    rows = _QUICK_ROWS if quick else _ROWS
    try:
        with postgres_here() as server:
            address = f"host=127.0.0.1 port={server.port} user=postgres dbname=postgres"
            with psycopg.connect(address, autocommit=True) as connection:
                connection.execute(_MADE.format(rows=rows).replace("%%", "%"))
                connection.execute("VACUUM ANALYZE orders")
            return _measured(folder, address, rows)
    except AssertionError:
        return [skipped("postgresql: times the query by hand", "needs the package postgresql")]


def _measured(folder: Path, address: str, rows: int) -> Sequence[Figure]:
    file = folder / "address"
    file.write_text(address)
    held = _contract(file, [each for each in _ASKED if not isinstance(each, Between)])
    _ours(folder, held), _by_hand(address)  # both find the table in memory from here on
    before = _scans(address)
    whole = _ours(folder, held)[1]
    passes = _scans(address) - before
    ours, hand = [], []
    for _ in range(_TRIALS):  # one after the other, so that whatever else the machine does hits both
        ours.append(_ours(folder, held)[0])
        hand.append(_by_hand(address)[0])
    counts = _by_hand(address)[1]
    report = _ours(folder, _contract(file, _ASKED))[1]
    found = {each.check: each.count for each in report.findings}
    if (found["between.amount"], found["between.quantity"], report.rows) != (counts[6], counts[7], counts[0]):
        raise RuntimeError(f"the query by hand counts otherwise: {counts}, and we {found}")
    pairs = [mine / other for mine, other in zip(ours, hand, strict=True)]
    told = f"{median(ours):.2f} s as a whole process, by hand {median(hand):.2f} s, medians of {_TRIALS}; the same counts"
    return [
        Figure(f"postgresql: {rows:,} rows, times the query by hand", median(pairs), "x", 1.5, samples=pairs, note=told),
        Figure("postgresql: passes over a table whose checks hold", float(passes), "", 1.0, note=f"it says {whole.passes}"),
    ]


def _contract(address: Path, asked: Sequence[Question]) -> Contract:
    source = Source(SourceKind.POSTGRES, dsn_file=str(address), table="orders")
    return Contract(
        "orders", source, checks=named(Check(each, name_of(each)) for each in asked), limits=Limits(evidence_rows=0)
    )


def _ours(folder: Path, contract: Contract) -> tuple[float, Report]:
    asked: Mapping[str, object] = {
        **json.loads(data_question(contract, {}, None, time.time()).request_json),
        "spill": str(folder),
    }
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", WORKER], input=json.dumps(asked), capture_output=True, text=True, check=True,
        env=environment(), cwd=REPOSITORY,
    )  # fmt: skip
    return time.perf_counter() - began, report_in(done.stdout)


def _by_hand(address: str) -> tuple[float, Sequence[int]]:
    import psycopg  # noqa: PLC0415 - an extra

    with psycopg.connect(address) as connection:
        began = time.perf_counter()
        row = connection.execute(_BY_HAND).fetchone()
        return time.perf_counter() - began, [*(row or ())]


def _scans(address: str) -> int:
    import psycopg  # noqa: PLC0415 - an extra

    with psycopg.connect(address) as connection:
        time.sleep(1.5)  # the server publishes its counts once a second
        row = connection.execute(_SCANS).fetchone()
        return int(row[0]) if row else 0
