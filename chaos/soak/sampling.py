"""What is measured of the engine while it runs, and the straight line through it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import StatisticsError, linear_regression

from scripts.benchmarks.processes import cpu_seconds, memory_kib


@dataclass(frozen=True, slots=True)
class Sample:
    """One look at the engine's process and its store."""

    #: Seconds since the run began.
    at: float
    rss_kib: int
    descriptors: int
    threads: int
    #: Living children: the service, and workers that deliver messages.
    children: int
    store_bytes: int
    cpu_seconds: float


def sample(pid: int, state: Path, began: float) -> Sample:
    """Look at the engine now; OSError if it is gone. `began` is the run's beginning in monotonic seconds."""
    return Sample(
        at=time.monotonic() - began,
        rss_kib=memory_kib(pid)["VmRSS"],
        descriptors=len(os.listdir(f"/proc/{pid}/fd")),  # noqa: PTH208 - a Path for each descriptor is not needed
        threads=len(os.listdir(f"/proc/{pid}/task")),  # noqa: PTH208
        children=_children(pid),
        store_bytes=sum(file.stat().st_size for file in state.glob("state.db*")),
        cpu_seconds=cpu_seconds(pid),
    )


def slope(samples: Sequence[Sample], value: Callable[[Sample], float]) -> float:
    """Return the slope of the least-squares line through the samples, per second of the run; 0.0 for fewer than two."""
    try:
        return linear_regression([each.at for each in samples], [value(each) for each in samples]).slope
    except StatisticsError:
        return 0.0


def _children(pid: int) -> int:
    """Return how many children of the process live, by what the kernel lists for each of its threads."""
    return sum(len(listed.read_text("ascii").split()) for listed in Path(f"/proc/{pid}/task").glob("*/children"))
