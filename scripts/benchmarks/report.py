"""What a benchmark found: figures with their goals, as a table and as JSON."""

from __future__ import annotations

import json
import os
import platform
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured figure. Without a goal it is there for comparison."""

    name: str
    value: float | None
    unit: str
    #: The figure must be at most (or, with `at_least`, at least) this.
    goal: float | None = None
    at_least: bool = False
    #: How the goal came about, what was measured beside it, or why there is no figure.
    note: str = ""
    samples: Sequence[float] = field(default=())

    @property
    def met(self) -> bool | None:
        """Whether the goal is reached; None without a goal or a figure."""
        if self.goal is None or self.value is None:
            return None
        return self.value >= self.goal if self.at_least else self.value <= self.goal


def skipped(name: str, why: str) -> Figure:
    """Return the row of something that cannot be measured here."""
    return Figure(name, None, "", note=f"skipped: {why}")


def median(samples: Sequence[float]) -> float:
    """Return the median."""
    return statistics.median(samples)


def spread(samples: Sequence[float], unit: str = "") -> str:
    """Return lowest, median and highest, as text."""
    low, middle, high = min(samples), median(samples), max(samples)
    return f"{number(low)} / {number(middle)} / {number(high)} {unit}".rstrip()


def percentile(samples: Sequence[float], share: float) -> float:
    """Return the value that `share` (0 to 1) of the samples do not exceed, without interpolation."""
    ordered = sorted(samples)
    return ordered[min(len(ordered) - 1, max(0, -(-int(share * 1000) * len(ordered) // 1000) - 1))]


def number(value: float) -> str:
    """Return a number with as many digits as say something."""
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.3g}"


def print_table(part: str, figures: Sequence[Figure]) -> None:
    """Print the figures of one part."""
    print(f"\n{part}")
    print(f"  {'figure':58} {'measured':>16} {'goal':>16}  {'':6}  beside it")
    for figure in figures:
        value = "-" if figure.value is None else f"{number(figure.value)} {figure.unit}".rstrip()
        sign = ">=" if figure.at_least else "<="
        goal = "" if figure.goal is None else f"{sign} {number(figure.goal)}"
        verdict = {True: "met", False: "MISSED", None: ""}[figure.met]
        print(f"  {figure.name:58} {value:>16} {goal:>16}  {verdict:6}  {figure.note}", flush=True)


def machine() -> dict[str, object]:
    """Return what the figures were measured on."""
    models = [line.partition(":")[2].strip() for line in Path("/proc/cpuinfo").read_text("utf-8").splitlines()
              if line.startswith("model name")]  # fmt: skip
    return {
        "cpus": os.cpu_count(), "model": models[0] if models else platform.machine(), "kernel": platform.release(),
        "python": platform.python_version(), "load_before": os.getloadavg(),
    }  # fmt: skip


def write_json(path: Path, parts: dict[str, Sequence[Figure]], about: dict[str, object]) -> None:
    """Write everything, with every sample."""
    body = {
        "machine": about,
        "parts": {part: [{**asdict(figure), "met": figure.met} for figure in found] for part, found in parts.items()},
    }
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(body, indent=1) + "\n", encoding="utf-8")
