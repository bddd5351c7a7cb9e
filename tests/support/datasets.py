"""Data sets in temporary directories, and what a check says of them."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from zen_agents.datasets.asking import Surroundings
from zen_agents.datasets.contract import Check, Column, Contract, Limits, Tolerance, name_of, named
from zen_agents.datasets.finding import Finding, Profile, Report
from zen_agents.datasets.questions import Question
from zen_agents.datasets.source import Source, SourceKind, SourceOptions
from zen_agents.workers.data_check import look
from zen_agents.workers.data_files import DataFiles

NOW = 1_800_000_000.0


def contract(
    path: Path | str, *asked: Question, columns: Sequence[Column] = (), kind: SourceKind = SourceKind.CSV,
    name: str = "orders", tolerance: Tolerance | None = None, limits: Limits | None = None, **options: object,
) -> Contract:  # fmt: skip
    """Return a contract that asks these questions of the files at a path."""
    checks = named(Check(each, name_of(each), tolerance or Tolerance()) for each in asked)
    source = Source(kind, str(path), options=SourceOptions(**options))  # type: ignore[arg-type]
    return Contract(name, source, tuple(columns), checks, limits=limits or Limits(256 << 20, 1))


def write_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> Path:
    """Write a file as Python does, None as nothing."""
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(header)
        writer.writerows(rows)
    return path


def looked(
    asked: Contract, folder: Path, *, others: Sequence[Contract] = (), before: Profile | None = None, now: float = NOW
) -> Report:
    """Return what the worker says, in this process and as this account."""
    spill = folder / "spill"
    number = 0
    while (spill / str(number)).exists():
        number += 1
    place = spill / str(number)
    place.mkdir(parents=True)
    theirs = {each.name: DataFiles(each.source) for each in others}
    named_others = {each.name: each for each in others}
    return look(asked, named_others, DataFiles(asked.source), theirs, Surroundings(now, before), place, lambda _: None)


def open_to_others(folder: Path) -> None:
    """Let every account enter a temporary directory."""
    for place in (folder, *folder.parents):
        if place in (Path("/tmp"), Path("/")) or place.stat().st_uid != os.geteuid():
            return
        place.chmod(place.stat().st_mode | 0o055)


def by_name(report: Report) -> Mapping[str, Finding]:
    """Return the findings by the names of their checks."""
    return {finding.check: finding for finding in report.findings}
