"""What a tick costs as the number of checks grows, and Monit's cycle with the same checks beside it."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from scripts.benchmarks import monit
from scripts.benchmarks.processes import EngineProcess, cpu_seconds, memory_kib, sleepers
from scripts.benchmarks.report import Figure, median, skipped, spread

#: Live processes; more checks than that share them.
PROCESSES = 1000
SIZES = (10, 100, 1000, 5000)
#: Everything is looked at this often (seconds), by the engine and by Monit.
CYCLE = 1


class Extent(NamedTuple):
    """How much is measured."""

    #: Numbers of checks.
    sizes: Sequence[int]
    #: Of each start so many cycles are measured.
    cycles: int
    #: The engine and Monit are started so many times, in turns: what is drawn at a start is no one's merit.
    starts: int


def figures(folder: Path, quick: bool) -> Sequence[Figure]:
    """Measure everything of this part."""
    extent = Extent(sizes=(100, 1000), cycles=3, starts=1) if quick else Extent(SIZES, cycles=10, starts=3)
    with sleepers(PROCESSES) as pids:
        subjects = _process_subjects(folder, pids)
        processes = _grow(folder, "process", subjects, extent)
        table = _table_reads(folder, pids)
        beside_processes = _beside(folder, "process", subjects[:1000], extent, 0.5)
    subjects = _file_subjects(folder)
    files = _grow(folder, "file", subjects, extent)
    return [*processes, table, beside_processes, *files, _beside(folder, "file", subjects[:1000], extent, 2.0)]


def _process_subjects(folder: Path, pids: Sequence[int]) -> Sequence[Path]:
    """Return a pidfile for each check, every one a file of its own."""
    place = folder / "pids"
    if not place.exists():
        place.mkdir(mode=0o755)
        for number in range(max(SIZES)):
            (place / f"{number}.pid").write_text(f"{pids[number % len(pids)]}\n", encoding="ascii")
    return [place / f"{number}.pid" for number in range(max(SIZES))]


def _file_subjects(folder: Path) -> Sequence[Path]:
    place = folder / "files"
    if not place.exists():
        place.mkdir(mode=0o755)
        for number in range(max(SIZES)):
            path = place / str(number)
            path.write_text("x", encoding="ascii")
            path.chmod(0o644)
    return [place / str(number) for number in range(max(SIZES))]


def _config(folder: Path, kind: str, subjects: Sequence[Path]) -> Path:
    path = folder / f"{kind}-{len(subjects)}.yaml"
    every = f"every: {CYCLE}s"
    if kind == "process":
        section = ["    services:", *(f"      s{n}: {{pidfile: {one}, {every}}}" for n, one in enumerate(subjects))]
    else:
        owner = f'mode: "0644", owner: {os.geteuid()}, group: {os.getegid()}'
        section = ["    paths:", *(f"      f{n}: {{path: {one}, {owner}, {every}}}" for n, one in enumerate(subjects))]
    lines = ["version: 1", "agents:", "  system_health:", "    interval: 3600", *section]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def _grow(folder: Path, kind: str, subjects: Sequence[Path], extent: Extent) -> Sequence[Figure]:
    """Return what tells of the CPU seconds per cycle by the number of checks."""
    cost, rows = {}, []
    for size in extent.sizes:
        cost[size], note = _cost(folder, kind, subjects[:size], extent.cycles)
        rows.append(Figure(f"{kind} checks: CPU per cycle, {size:,}", 1000 * cost[size], "ms", note=note))
    each = {size: 1e6 * seconds / size for size, seconds in cost.items()}
    rows.append(
        Figure(f"{kind} checks: CPU per check and tick at 1,000", each[1000], "us", 1.2 * each[100],
               note=f"goal: 1.2 x that at 100 ({each[100]:.1f} us)")
    )  # fmt: skip
    if 5000 in each:
        rows.append(Figure(f"{kind} checks: the same at 5,000", each[5000], "us", 1.2 * each[1000],
                           note="linear: 1.2 x that at 1,000"))  # fmt: skip
    return rows


def _cost(folder: Path, kind: str, subjects: Sequence[Path], cycles: int) -> tuple[float, str]:
    """Return the median CPU seconds of a cycle of a real engine."""
    with EngineProcess(_config(folder, kind, subjects), folder / f"{kind}-{len(subjects)}-state") as engine:
        start = engine.first_turn(seconds=120)
        # Descriptors are opened and the second look is taken, in which everything is known.
        time.sleep(1.5 * CYCLE)
        samples = per_cycle(engine.pid, cycles, CYCLE)
        rss = memory_kib(engine.pid)["VmRSS"] / 1024
    return median(samples), f"first turn after {start:.1f} s, {rss:.0f} MiB"


def per_cycle(pid: int, cycles: int, seconds: float) -> list[float]:
    """Return the CPU seconds of each of so many cycles."""
    samples = []
    due, last = time.monotonic(), cpu_seconds(pid)
    for _ in range(cycles):
        due += seconds
        time.sleep(max(0.0, due - time.monotonic()))
        now = cpu_seconds(pid)
        samples.append(now - last)
        last = now
    return samples


def _anchor(folder: Path, kind: str, subjects: Sequence[Path], cycles: int) -> float:
    """Return the median CPU seconds of a cycle of Monit with these checks."""
    if kind == "process":
        checks = "".join(f"check process s{n} with pidfile {one}\n" for n, one in enumerate(subjects))
    else:
        tests = " if failed permission 0644 then alert\n"
        tests += f" if failed uid {os.geteuid()} then alert\n if failed gid {os.getegid()} then alert\n"
        checks = "".join(f"check file f{n} with path {one}\n{tests}" for n, one in enumerate(subjects))
    with monit.running(folder / "monit", checks, cycle_seconds=CYCLE) as pid:
        time.sleep(1.5 * CYCLE)
        return median(per_cycle(pid, cycles, CYCLE))


def _beside(folder: Path, kind: str, subjects: Sequence[Path], extent: Extent, share: float) -> Figure:
    """Start the engine and Monit in turns, and compare the medians of what a cycle took after each start."""
    name = f"{kind} checks: {len(subjects):,} beside Monit's {len(subjects):,}, CPU per cycle"
    if not monit.is_installed():
        return skipped(name, monit.WHY_NOT)
    ours, theirs = [], []
    for start in range(extent.starts):
        place = folder / f"{kind}-beside-{start}"
        place.mkdir()
        ours.append(1000 * _cost(place, kind, subjects, extent.cycles)[0])
        theirs.append(1000 * _anchor(place, kind, subjects, extent.cycles))
    note = f"goal: {share:g} x Monit's median; ours {spread(ours)} ms, Monit {spread(theirs)}, in turns"
    return Figure(name, median(ours), "ms", share * median(theirs), note=note, samples=ours)


def _table_reads(folder: Path, pids: Sequence[int]) -> Figure:
    """Count how often a tick with 1,000 process checks lists /proc, by the interpreter's own audit events."""
    from zen_agents.adapters.linux_host import LinuxHost  # noqa: PLC0415
    from zen_agents.checks.process import ByPidfile, ProcessCheck  # noqa: PLC0415
    from zen_agents.clock import SystemClock  # noqa: PLC0415

    listed = 0

    def count(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal listed
        if event in ("os.listdir", "os.scandir") and str(arguments[0]).rstrip("/") == "/proc":
            listed += 1

    subjects = _process_subjects(folder, pids)[:1000]
    checks = [ProcessCheck(f"s{n}", ByPidfile(str(one)), every_seconds=5) for n, one in enumerate(subjects)]
    host, clock = LinuxHost(folder / "counting"), SystemClock()
    sys.addaudithook(count)
    for _ in range(3):
        view, now = host.look(), clock.now()
        found = [observation for check in checks for observation in check.observe(view, now)]
    if any(observation.status != "ok" for observation in found):
        raise SystemExit(f"scripts/bench: a sleeping process was not found: {found[0]}")
    return Figure("process checks: reads of the process table in a tick of 1,000", listed / 3, "", 1,
                  note="each check reads the one /proc/PID/stat that it needs")  # fmt: skip
