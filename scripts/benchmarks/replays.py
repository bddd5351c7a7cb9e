"""`replay` of a week of one host at the default sampling: how long it takes, and what it holds in memory.

The engine's own recorder records the week, on a clock that is moved by hand: calm, but for a busy quarter of an hour a day.
"""

from __future__ import annotations

import random
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from scripts.benchmarks.processes import REPOSITORY, environment
from scripts.benchmarks.report import Figure, median, spread
from zen_agents.adapters.sqlite_store import SqliteStore
from zen_agents.agents.base import AgentContext, BaseAgent
from zen_agents.clock import Instant, SystemClock
from zen_agents.engine.recorder import Recorder
from zen_agents.model.observation import Observation, Status
from zen_agents.ports.host_resources import Mount
from zen_agents.settings.loader import load
from zen_agents.wiring.agents import build_agents

DEFAULT = REPOSITORY / "config" / "default.yaml"
DAY = 86400.0
_SAMPLE = 15.0
#: What is busy, and from when to when (seconds of each day).
_BUSY = range(36_000, 36_900)


def figures(folder: Path, quick: bool) -> Sequence[Figure]:
    """Measure everything of this part."""
    days = 1 if quick else 7
    began = time.monotonic()
    observed = record(folder / "week", days)
    made = f"{days} days, {observed:,} observations, recorded in {time.monotonic() - began:.0f} s"
    runs = [_replayed(folder / "week", days) for _ in range(1 if quick else 3)]
    seconds, peaks = [run[0] for run in runs], [run[1] for run in runs]
    size = (folder / "week" / "state.db").stat().st_size / 1e6
    return [
        Figure(f"replay of {days} days, config/default.yaml", median(seconds), "s", 10, note=f"{spread(seconds)}; {made}"),
        Figure("its largest resident memory", max(peaks) / 1e6, "MB", 200, note=f"the state is {size:.0f} MB"),
    ]


def _replayed(state: Path, days: int) -> tuple[float, float]:
    """Return seconds and the largest resident memory (bytes) of one replay."""
    command = [sys.executable, "-m", "zen_agents", "--state-dir", str(state), "-c", str(DEFAULT),
               "replay", "--since", f"{days}d", "-q"]  # fmt: skip
    began = time.perf_counter()
    child = subprocess.Popen(command, cwd=REPOSITORY, env=environment(), stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    peak = 0
    # Not what wait4 tells: that begins with the memory of the benchmark itself, from which the child was forked.
    while child.poll() is None:
        peak = max(peak, _high_water(child.pid))
        time.sleep(0.01)
    took, said = time.perf_counter() - began, child.stdout.read()
    # 10: nothing was decided then, so that what is decided now differs.
    if child.returncode not in (0, 10) or f"{days} incident" not in said:
        raise SystemExit(f"{' '.join(command)} said {said!r}")
    return took, peak * 1024.0


def _high_water(pid: int) -> int:
    """Return the most memory that a process has had (KiB), 0 if it has just ended."""
    lines = Path(f"/proc/{pid}/status").read_text("ascii").splitlines()
    return next((int(line.split()[1]) for line in lines if line.startswith("VmHWM")), 0)


def record(folder: Path, days: int) -> int:
    """Record so many days of what the default configuration observes; return how many observations there were."""
    store = SqliteStore(folder / "state.db")
    clock = SystemClock(replace(SystemClock().anchor(), steady=30 * DAY))
    store.save_anchor(clock.anchor())
    recorder = Recorder(store, lambda: 0, lambda: None)
    chance, now, count = random.Random(7), clock.now(), 0
    pairs = _pairs(
        build_agents(load([DEFAULT], {}).require(), AgentContext("bench", mounts=(Mount("/", "bench", "ext4", False, 0),)))
    )
    first = now.after(-days * DAY - 3600)
    for step in range(int((days * DAY + 3600) / _SAMPLE)):
        at = first.after(step * _SAMPLE)
        observations = list(_look(pairs, at, step, chance))
        recorder.observed(observations)
        recorder.took("system_health", at, 0.002, 0.002, len(observations))
        count += len(observations)
        if step % 1000 == 0:
            store.commit()
    store.commit()
    store.close()
    return count


def _pairs(agents: Sequence[BaseAgent]) -> list[tuple[str, str, int]]:
    """Return (name, target, steps between two looks) of all that is observed."""
    checks = [check for agent in agents for check in agent.checks()]
    return [
        (name, check.target, max(1, round(check.every_seconds / _SAMPLE))) for check in checks for name in check.observes
    ]


def _look(pairs: Sequence[tuple[str, str, int]], at: Instant, step: int, chance: random.Random) -> Iterator[Observation]:
    busy = int(at.steady % DAY) in _BUSY
    for name, target, every in pairs:
        if step % every == 0:
            value = 95.0 + chance.random() if busy and name == "cpu.percent" else 1.0 + chance.random()
            yield Observation(name, target, Status.OK, at, value)
