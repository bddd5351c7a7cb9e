"""Writes a report where people asked for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from chaos.counts import COUNTS, reached
from chaos.report.contents import contents
from chaos.report.markdown import markdown
from chaos.report.page import page
from chaos.result import Result
from chaos.scenario import Scenario


def write_report(folder: Path, results: Sequence[Result], scenarios: Mapping[str, Scenario]) -> Sequence[Path]:
    """Write `report.md` and `report.html` anew and return both paths."""
    report = contents(results, scenarios, reached(folder / COUNTS))
    written = (folder / "report.md", folder / "report.html")
    for path, text in zip(written, (markdown(report), page(report)), strict=True):
        path.write_text(text, encoding="utf-8")
    return written
