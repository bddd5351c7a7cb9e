"""Checks of data sets beside hand-written DuckDB SQL, pandera over polars and Great Expectations: the same twelve questions.

All are run side by side on the same files, on two processors, and have to count the same; what is compared is the time of a
whole process, with its start and its reading of the file. Ours and the query by hand take seconds and are run in turn, three
times; what takes minutes (the others, a hundred million rows) is run once. pandera and Great Expectations are installed into
an environment of their own below `bench-results/`, once; without a package index they are skipped.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from scripts.benchmarks import data_repairs, data_tables
from scripts.benchmarks.one_run import Run, measured
from scripts.benchmarks.processes import REPOSITORY
from scripts.benchmarks.report import Figure, median, skipped
from zen_agents.datasets.contract import Check, Column, ColumnType, Contract, Limits, name_of, named
from zen_agents.datasets.job import data_question, report_in
from zen_agents.datasets.questions import (
    Between,
    Compared,
    Length,
    Matches,
    NotNull,
    OfType,
    OneOf,
    Question,
    RowCount,
    Unique,
)
from zen_agents.datasets.source import Source, SourceKind
from zen_agents.jobs.data_check import WORKER

_ROWS, _QUICK_ROWS, _MANY_ROWS = 10_000_000, 2_000_000, 100_000_000
_TRIALS = 3
_OTHERS = Path(__file__).with_name("data_contenders.py")
_PLACE = REPOSITORY / "bench-results" / "data-environment"
_PACKAGES = ("pandera[polars]", "great_expectations", "pyarrow")
_MIB = 1 << 20
_ASKED: Sequence[Question] = (
    RowCount(1),
    Unique(("order_id",)),
    NotNull("order_id"),
    NotNull("email"),
    Matches("email", r"[^@]+@[^@]+\.[a-z]+"),
    Matches("customer", r"C[0-9]{7}"),
    OneOf("status", ("new", "paid", "shipped", "returned", "cancelled")),
    Between("amount", 0, 100000),
    Between("quantity", 1, 100),
    Between("discount", 0, 1),
    Length("country", 2, 2),
    Compared("shipped", ">=", "ordered"),
)
_COLUMNS = (
    Column("order_id", ColumnType.INTEGER),
    Column("amount", ColumnType.NUMBER),
    Column("quantity", ColumnType.INTEGER),
    Column("ordered", ColumnType.DATE),
    Column("shipped", ColumnType.DATE),
    Column("discount", ColumnType.NUMBER),
)


def figures(folder: Path, quick: bool) -> Sequence[Figure]:
    """Measure everything of this part."""
    folder.chmod(0o755)
    found: list[Figure] = []
    python = _environment()
    for form in ("parquet", "csv"):
        file = folder / f"orders.{form}"
        _other(sys.executable, "make", file, _QUICK_ROWS if quick else _ROWS)
        ours = _beside(file, python, found)
        file.unlink()
        if form == "parquet" and not quick:
            found += _many(folder, ours)
    return [*found, *data_repairs.figures(folder, quick), *data_tables.figures(folder, quick)]


def _beside(file: Path, python: str | None, found: list[Figure]) -> Sequence[Run]:
    """Run everybody on one file, add what that came to, and return our runs."""
    form = file.suffix[1:]
    ours, by_hand = [], []
    for _ in range(_TRIALS):  # one after the other, so that whatever else the machine does hits both
        ours.append(_ours(file))
        by_hand.append(_other(sys.executable, "sql", file))
    rows = _agree(ours[0], by_hand[0], "hand-written SQL")
    pairs = [mine.seconds / other.seconds for mine, other in zip(ours, by_hand, strict=True)]
    note = f"{_told(ours)}; by hand {_told(by_hand)}{rows}"
    found.append(Figure(f"{form}: 12 checks, times hand-written SQL", median(pairs), "x", 1.3, samples=pairs, note=note))
    for who, goal in (("pandera", 1.3), ("great_expectations", 8.0)):
        if python is None:
            found.append(skipped(f"{form}: times faster than {who}", "it cannot be installed: is there a package index?"))
            continue
        other = _other(python, who, file)
        faster, note = other.seconds / _seconds(ours), _told([other]) + _agree(ours[0], other, who)
        found.append(Figure(f"{form}: times faster than {who}", faster, "x", goal, at_least=True, note=note))
        if who == "pandera":
            found.append(Figure(f"{form}: memory, share of pandera's", _peak(ours) / other.peak_mib, "", 1 / 3))
    return ours


def _many(folder: Path, ours: Sequence[Run]) -> list[Figure]:
    """Check ten times as many rows in 2 GB, and compare with ten times the time that ours took."""
    file = folder / "many.parquet"
    _other(sys.executable, "make", file, _MANY_ROWS)
    run = _ours(file, memory_bytes=1_600_000_000)
    file.unlink()
    times = _MANY_ROWS / _ROWS
    note = f"{_told([run])}; {_ROWS:,} rows {_told(ours)}; by CPU {run.cpu_seconds / (_cpu(ours) * times):.2f} x"
    rows = f"parquet: {_MANY_ROWS:,} rows"
    return [
        Figure(f"{rows}, times linear", run.seconds / (_seconds(ours) * times), "x", 1.5, note=note),
        Figure(f"{rows}, peak memory", run.peak_mib * _MIB / 1e9, "GB", 2.0, note="limits: {memory: 1.6GB}"),
    ]


def _ours(file: Path, *, memory_bytes: int = Limits().memory_bytes) -> Run:
    """Run the worker as the engine and the command do: with evidence, and with the types of six columns besides."""
    asked = (*_ASKED, *(OfType(column.name) for column in _COLUMNS))
    checks = named(Check(each, name_of(each)) for each in asked)
    limits = Limits(memory_bytes, 2)
    contract = Contract("orders", Source(SourceKind(file.suffix[1:]), str(file)), _COLUMNS, checks, limits=limits)
    with tempfile.TemporaryDirectory(dir=file.parent) as spill:
        request = {**json.loads(data_question(contract, {}, None, time.time()).request_json), "spill": spill}
        run, said = measured([sys.executable, "-m", WORKER], json.dumps(request))
    report = report_in(said)
    counts = {finding.check: finding.count for finding in report.findings}
    if any(counts.pop(f"type.{column.name}") for column in _COLUMNS):
        raise RuntimeError("values do not read as their types")
    return Run(*run, counts)


def _other(python: str, who: str, file: Path, *rows: int) -> Run:
    run, said = measured([python, str(_OTHERS), who, str(file), *map(str, rows)], "")
    return Run(*run, json.loads(said.splitlines()[-1])["counts"])


def _agree(ours: Run, theirs: Run, who: str) -> str:
    if ours.counts != theirs.counts:
        raise RuntimeError(f"{who} counts otherwise: {theirs.counts}, and we {ours.counts}")
    return "; the same counts"


def _told(runs: Sequence[Run]) -> str:
    often = "once" if len(runs) == 1 else f"median of {len(runs)}"
    return f"{_seconds(runs):.2f} s ({often}; {_cpu(runs):.1f} s of CPU), {_peak(runs):,.0f} MiB"


def _peak(runs: Sequence[Run]) -> float:
    return max(run.peak_mib for run in runs)


def _seconds(runs: Sequence[Run]) -> float:
    return median([run.seconds for run in runs])


def _cpu(runs: Sequence[Run]) -> float:
    return median([run.cpu_seconds for run in runs])


def _environment() -> str | None:
    """Return the interpreter of an environment that has the others, made once; None if they cannot be had."""
    python = _PLACE / "bin" / "python"
    if python.exists() and _does([str(python), "-c", "import pandera.polars, great_expectations, pyarrow"]):
        return str(python)
    install = [str(python), "-m", "pip", "install", "--quiet", *_PACKAGES]
    return str(python) if _does([sys.executable, "-m", "venv", str(_PLACE)]) and _does(install) else None


def _does(command: Sequence[str]) -> bool:
    return subprocess.run(command, check=False, capture_output=True).returncode == 0
