"""A repair of a CSV file beside DuckDB rewriting it: as fast as a hand can, without a repair, a proof or anything kept."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from scripts.benchmarks.one_run import Run, measured
from scripts.benchmarks.report import Figure, median
from zen_agents.datasets.contract import Check, Column, ColumnType, Contract, Limits, Repair, RepairKind, name_of, named
from zen_agents.datasets.job import repair_question
from zen_agents.datasets.questions import Between, Compared, Matches, NotNull, OneOf, Question
from zen_agents.datasets.source import Source, SourceKind
from zen_agents.jobs.data_repair import REPAIRED, WORKER, DataRepairReply, FileRepair

_ROWS, _QUICK_ROWS, _TRIALS = 10_000_000, 2_000_000, 3
_OTHERS = Path(__file__).with_name("data_contenders.py")
_ASKED: Sequence[Question] = (
    NotNull("order_id"),
    OneOf("status", ("new", "paid", "shipped", "returned", "cancelled")),
    Between("amount", 0, 100000),
    Matches("customer", r"C[0-9]{7}"),
    Compared("shipped", ">=", "ordered"),
)
_COLUMNS = (
    Column("order_id", ColumnType.INTEGER),
    Column("amount", ColumnType.NUMBER),
    Column("ordered", ColumnType.DATE),
    Column("shipped", ColumnType.DATE),
)
_REPAIRS = (RepairKind.TRIM, RepairKind.COERCE, RepairKind.DROP_DUPLICATES, RepairKind.QUARANTINE_ROWS)


def figures(folder: Path, quick: bool) -> Sequence[Figure]:
    """Measure both on the same file, one after the other, so that whatever else the machine does hits both."""
    file, rows = folder / "dirty.csv", _QUICK_ROWS if quick else _ROWS
    measured([sys.executable, str(_OTHERS), "dirty", str(file), str(rows)], "")
    ours, theirs, found = [], [], None
    for _ in range(_TRIALS):
        run, found = _repaired(file)
        ours.append(run)
        theirs.append(Run(*measured([sys.executable, str(_OTHERS), "rewrite", str(file)], "")[0], {}))
    file.unlink()
    if found is None or found.rows != rows or found.kept + found.taken + found.dropped != rows:
        raise RuntimeError(f"rows are missing: {found}")
    pairs = [mine.seconds / other.seconds for mine, other in zip(ours, theirs, strict=True)]
    note = (
        f"{_told(ours)}; DuckDB {_told(theirs)}; of {found.rows:,} rows {found.changed:,} change, {found.taken:,} are taken "
        f"out, {found.dropped:,} dropped"
    )
    return [Figure("csv: a repair, times DuckDB rewriting the file", median(pairs), "x", 3.0, samples=pairs, note=note)]


def _repaired(file: Path) -> tuple[Run, FileRepair]:
    """Have the worker write the file, count it again and take its bad rows out, as the engine and the command do."""
    checks, repairs = named(Check(each, name_of(each)) for each in _ASKED), tuple(map(Repair, _REPAIRS))
    contract = Contract(
        "orders", Source(SourceKind.CSV, str(file)), _COLUMNS, checks, repairs=repairs, limits=Limits(threads=2)
    )
    with tempfile.TemporaryDirectory(dir=file.parent) as spill:
        request = {**json.loads(repair_question(contract).request_json), "spill": spill, "only_look": False}
        run, said = measured([sys.executable, "-m", WORKER], json.dumps(request))
        reply = DataRepairReply.model_validate_json(said)
        if reply.unable or not (Path(spill) / REPAIRED).stat().st_size:
            raise RuntimeError(f"nothing was repaired: {reply.unable}")
    return Run(*run, {}), reply.files[0]


def _told(runs: Sequence[Run]) -> str:
    seconds, cpu = (median([each.seconds for each in runs]), median([each.cpu_seconds for each in runs]))
    return f"{seconds:.2f} s (median of {len(runs)}; {cpu:.1f} s of CPU), {max(each.peak_mib for each in runs):.0f} MiB"
