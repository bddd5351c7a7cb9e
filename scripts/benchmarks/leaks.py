"""What a look at a thousand services for leaks costs: real processes, read from /proc as the engine does."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from scripts.benchmarks.report import Figure, median, spread
from zen_agents.adapters.linux_host import LinuxHost
from zen_agents.checks.leak import LeakCheck
from zen_agents.clock import SystemClock
from zen_agents.ports.host import HostView
from zen_agents.ports.host_processes import Process

_SERVICES, _ROUNDS, _GOAL_SECONDS = 1000, 15, 0.020


class _Known:
    """A main process whose number is known, as after the look at its unit."""

    def __init__(self, pid: int) -> None:
        self._pid = pid

    def __call__(self, host: HostView) -> Process | None:
        return host.process(self._pid)


def figures(folder: Path) -> Sequence[Figure]:
    """Measure what all of them take, and the process table, which is read once for all that ask of processes."""
    children = [subprocess.Popen(["sleep", "600"]) for _ in range(_SERVICES)]
    try:
        host, clock = LinuxHost(folder / "leaks"), SystemClock()
        checks = [
            LeakCheck(
                str(child.pid), _Known(child.pid), every_seconds=30, memory_bytes=None, over_seconds=1800, ahead_seconds=600
            )
            for child in children
        ]  # fmt: skip
        tables, looks = [], []
        for _ in range(_ROUNDS):
            view, began = host.look(), time.perf_counter()
            view.processes()
            read, now = time.perf_counter(), clock.now()
            for check in checks:
                check.observe(view, now)
            tables.append(read - began)
            looks.append(time.perf_counter() - read)
    finally:
        for child in children:
            child.kill()
        for child in children:
            child.wait()
    note = f"the process table, shared with all other checks, took {median(tables) * 1000:.0f} ms; {spread(looks)}"
    name = f"a look of {_SERVICES:,} leak checks"
    return [Figure(name, median(looks), "s", _GOAL_SECONDS, note=note, samples=looks)]
