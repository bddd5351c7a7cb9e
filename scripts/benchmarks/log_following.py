"""How logs are followed: CPU beside that of matching alone, how soon a line is found, and what following costs idle.

A process of its own follows one file as the engine does, by its events and its check; this one writes to it in steps.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import UTC
from pathlib import Path

from scripts.benchmarks.log_corpus import write_corpus
from scripts.benchmarks.log_patterns import PATTERNS
from scripts.benchmarks.processes import REPOSITORY, EngineProcess, environment, used_cpu
from scripts.benchmarks.report import Figure, percentile
from zen_agents.adapters.event_sources import EventSources
from zen_agents.adapters.linux_view import LinuxHost
from zen_agents.checks.log_source import LogSourceCheck
from zen_agents.clock import SystemClock
from zen_agents.logs.detection.counting import CountRule
from zen_agents.logs.formats.plain import Plain
from zen_agents.logs.matching.choose import choose
from zen_agents.logs.matching.syntax import line_patterns
from zen_agents.logs.watching.rule import PatternRule, Step
from zen_agents.ports.host_logs import LogRequest

_LINES_A_SECOND, _STEP_SECONDS = 100_000, 0.01
_FILES = 100
#: In the first second the engine makes its automata and what reads the fields; CPU is compared from then on.
_WARM_SECONDS = 1


def figures(folder: Path, quick: bool) -> Sequence[Figure]:
    """Measure everything of this part."""
    return [*_following(folder, 3 if quick else 10), *_idle(folder, 20 if quick else 60)]


def _following(folder: Path, seconds: int) -> Sequence[Figure]:
    corpus, log = folder / "corpus.log", folder / "followed.log"
    write_corpus(corpus, 25_000_000, 0.01)
    lines = corpus.read_bytes().splitlines(keepends=True)
    each = int(_LINES_A_SECOND * _STEP_SECONDS)
    steps = [lines[at : at + each] for at in range(0, len(lines) - each, each)]
    steps = (steps * (1 + seconds * 100 // len(steps)))[: int(seconds / _STEP_SECONDS)]
    log.touch()
    total = sum(len(line) for step in steps for line in step)
    command = [sys.executable, "-m", "scripts.benchmarks.log_following", str(log), str(total)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment(), cwd=REPOSITORY, text=True) as follower:
        assert follower.stdout is not None
        follower.stdout.readline()
        written, late = _write(log, steps)
        found = json.loads(follower.stdout.read())
    corpus.unlink()
    log.unlink()
    waits = _waits(written, found["seen"])
    ratio = found["following"] / found["matching"]
    about = f"{_LINES_A_SECOND:,} lines/s, 200 patterns, re2, for {seconds} s; {len(found['seen']):,} looks"
    shares = [f"{name} {found[name] / (seconds - _WARM_SECONDS):.1%} of a core" for name in ("following", "matching")]
    return [
        Figure("line to finding, p99", percentile(waits, 0.99) * 1000, "ms", 10,
               note=f"{about}; median {percentile(waits, 0.5) * 1000:.1f} ms; writer late by {late * 1000:.0f} ms at most"),
        Figure("CPU of following / that of matching alone", ratio, "x", 2, note=", ".join(shares)),
    ]  # fmt: skip


def _write(log: Path, steps: Sequence[Sequence[bytes]]) -> tuple[list[tuple[float, int]], float]:
    """Write a step every hundredth of a second; return when each was through and where it ended, and the longest delay."""
    written, offset, late, due = [], 0, 0.0, time.monotonic()
    with log.open("ab", buffering=0) as stream:
        for step in steps:
            time.sleep(max(0.0, due - time.monotonic()))
            late, due = max(late, time.monotonic() - due), due + _STEP_SECONDS
            stamp = time.strftime("%b %e %H:%M:%S").encode()
            offset += stream.write(b"".join([stamp + line[len(stamp) :] for line in step]))
            written.append((time.monotonic(), offset))
    return written, late


def _waits(written: Sequence[tuple[float, int]], seen: Sequence[tuple[float, int]]) -> list[float]:
    """Return how long after it was written each step was searched to its end."""
    waits, looks = [], iter(seen)
    at, through = next(looks)
    for when, offset in written:
        while through < offset:
            at, through = next(looks)
        waits.append(max(0.0, at - when))
    return waits


def _idle(folder: Path, seconds: int) -> Sequence[Figure]:
    """Follow files to which nobody writes, as one source and as a source each, beside an engine that follows one file."""
    logs = folder / "idle"
    logs.mkdir()
    for number in range(_FILES):
        (logs / f"app{number:03}.log").write_text("line\n" * 100, encoding="ascii")
    sources = {
        "one": [f"      one: {{file: {logs}/app000.log}}"],
        "by one pattern": [f"      all: {{file: {logs}/*.log}}"],
        "a source each": [f"      s{number:03}: {{file: {logs}/app{number:03}.log}}" for number in range(_FILES)],
    }
    with ExitStack() as running:
        engines = {}
        for number, (name, listed) in enumerate(sources.items()):
            config = folder / f"idle-{number}.yaml"
            config.write_text(_config(listed), encoding="utf-8")
            engines[name] = running.enter_context(EngineProcess(config, folder / f"idle-state-{number}"))
        for engine in engines.values():
            engine.first_turn()
        time.sleep(10)
        used = dict(zip(engines, used_cpu([engine.pid for engine in engines.values()], seconds), strict=True))
    one = used.pop("one")
    return [
        Figure(f"idle following of {_FILES} files, {name}", 100 * (cpu - one) / seconds, "%", 0.05,
               note=f"of a core, every 5 s, over {seconds} s, besides {100 * one / seconds:.3f} % of an engine with one")
        for name, cpu in used.items()
    ]  # fmt: skip


def _config(sources: Sequence[str]) -> str:
    return "version: 1\nmode: observe\nagents:\n  log_analysis:\n    sources:\n" + "\n".join(sources) + "\n"


async def _follow(path: str, total: int) -> dict[str, object]:
    """Follow a file until so many bytes of it were searched."""
    rules = [
        # As people write them: each key of its first group counts alone.
        PatternRule(f"p{number}", (Step(pattern.text),), CountRule(1000, 60.0, pattern.groups[:1]))
        for number, pattern in enumerate(line_patterns(PATTERNS))
    ]
    request = LogRequest(path, from_start=True)
    check = LogSourceCheck("app", request=request, form=Plain(), zone=UTC, rules=rules, every_seconds=5.0)
    host, clock, woken, events = LinuxHost(Path(path).parent), SystemClock(), asyncio.Event(), EventSources()
    events.open(lambda _: woken.set())
    check.observe(host.look(), clock.now())
    events.watch(check.watches())
    print("ready", flush=True)
    seen: list[tuple[float, int]] = []
    warm: tuple[float, int] | None = None
    while not seen or seen[-1][1] < total:
        await woken.wait()
        woken.clear()
        written = os.stat(path).st_size  # noqa: PTH116 - as short as what is measured beside it
        source, *_ = check.observe(host.look(), clock.now())
        if not source.value:  # nothing is left to read of what was there before the look
            seen.append((time.monotonic(), written))
        if warm is None and seen and seen[-1][0] - seen[0][0] >= _WARM_SECONDS:
            warm = time.process_time(), len(seen)
    began, first = warm or (0.0, 0)
    following = time.process_time() - began
    events.close()
    return {"following": following, "matching": _matching(Path(path), seen, first), "seen": seen}


def _matching(log: Path, seen: Sequence[tuple[float, int]], first: int) -> float:
    """Return what matching the same lines takes, in the same pieces from that one on (CPU seconds)."""
    matcher, used, at = choose(PATTERNS).matcher, 0.0, 0
    for hit in matcher.hits(log.read_bytes()[:1_000_000]):
        del hit
    with log.open("rb") as stream:
        stream.seek(at := seen[first - 1][1] if first else 0)
        for _, through in seen[first:]:
            chunk = stream.read(through - at)
            began = time.process_time()
            for _ in matcher.hits(chunk):
                pass
            used, at = used + time.process_time() - began, through
    return used


if __name__ == "__main__":
    print(json.dumps(asyncio.run(_follow(sys.argv[1], int(sys.argv[2])))))
