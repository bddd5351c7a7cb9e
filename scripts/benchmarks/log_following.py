"""How logs are followed by the engine as it runs: its CPU beside that of matching alone, how soon a line is a finding, and
what following costs idle.

One process writes in steps of a hundredth of a second; the engine follows by its events, its checks and its rules.
"""

from __future__ import annotations

import json
import re
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any, NamedTuple

from scripts.benchmarks.log_corpus import write_corpus
from scripts.benchmarks.log_patterns import CODES, PATTERNS
from scripts.benchmarks.processes import REPOSITORY, EngineProcess, cpu_seconds, environment, used_cpu
from scripts.benchmarks.report import Figure, median, percentile
from scripts.benchmarks.touched import pages_touched
from zen_agents.logs.matching.base import Matcher
from zen_agents.logs.matching.choose import choose
from zen_agents.logs.matching.syntax import line_patterns

_LINES_A_SECOND, _STEP_SECONDS = 100_000, 0.01
_STEPS_A_SECOND = round(1 / _STEP_SECONDS)
_EACH = int(_LINES_A_SECOND * _STEP_SECONDS)
_FILES = 100
#: In the first second the engine makes its automata and what reads the fields; CPU is compared from then on.
_WARM_SECONDS = 1
#: A line that is a finding comes with every so many steps.
_FOUND_EVERY = 10
#: What an engine at rest takes is measured for so long (seconds).
_REST_SECONDS = 10
#: So many engines of each kind are started for what following takes idle.
_STARTS = 5

Step = Sequence[bytes]


def figures(folder: Path, quick: bool) -> Sequence[Figure]:
    """Measure everything of this part."""
    corpus = folder / "corpus.log"
    write_corpus(corpus, 25_000_000, 0.01)
    lines = corpus.read_bytes().splitlines(keepends=True)
    corpus.unlink()
    return [
        *_found(folder, lines, 60 if quick else len(CODES)),
        *_cost(folder, lines, 3 if quick else 10),
        *_idle(folder, 20 if quick else 60),
    ]


def _found(folder: Path, lines: Sequence[bytes], times: int) -> Sequence[Figure]:
    """Say how long after a line was written its incident is open, with a line of each code among those of other patterns."""
    log, coded = folder / "found.log", b": ERROR "
    steps = _steps(
        [line for line in lines if coded not in line], _WARM_SECONDS + times * _FOUND_EVERY // _STEPS_A_SECOND + 1
    )
    for number, code in enumerate(CODES[:times]):
        at = _WARM_SECONDS * _STEPS_A_SECOND + number * _FOUND_EVERY
        steps[at] = [*steps[at], b"Nov 01 00:00:00 web-1 app[77]: ERROR worker: %s it broke for alice\n" % code.encode()]
    first = len(PATTERNS) - len(CODES)
    with _engine(folder, log, "found", lambda number: {"count": 1} if number >= first else _counted(number)) as engine:
        written, late = _write(log, steps)
        time.sleep(1)
        engine.ask("status")
        with closing(sqlite3.connect(f"file:{engine.state}/state.db?mode=ro", uri=True)) as state:
            opened = dict(state.execute("SELECT rule, opened_wall FROM incidents"))
    log.unlink()
    began = [written[_WARM_SECONDS * _STEPS_A_SECOND + number * _FOUND_EVERY] for number in range(times)]
    waits = [opened[f"log_analysis.p{first + number}"] - at for number, at in enumerate(began)]
    about = f"an incident is open; {_LINES_A_SECOND:,} lines/s, 200 patterns, re2, {times} findings, 10 a second"
    return [
        Figure("line to finding, p99", percentile(waits, 0.99) * 1000, "ms", 10,
               note=f"{about}; median {percentile(waits, 0.5) * 1000:.1f} ms; writer late by {late * 1000:.0f} ms at most")
    ]  # fmt: skip


def _cost(folder: Path, lines: Sequence[bytes], seconds: int) -> Sequence[Figure]:
    """Compare the CPU of an engine that follows, less that of one at rest, with that of matching the same pieces."""
    log = folder / "followed.log"
    steps = _steps(lines, _WARM_SECONDS + seconds)
    with _engine(folder, log, "cost", _counted) as engine:
        (rest,) = used_cpu([engine.pid], _REST_SECONDS)
        _write(log, steps[: _WARM_SECONDS * _STEPS_A_SECOND])
        before = cpu_seconds(engine.pid)
        _write(log, steps[_WARM_SECONDS * _STEPS_A_SECOND :])
        time.sleep(5 * _STEP_SECONDS)
        following = (cpu_seconds(engine.pid) - before) / seconds - rest / _REST_SECONDS
    command = [sys.executable, "-m", "scripts.benchmarks.log_following", str(log)]
    found = subprocess.run(command, stdout=subprocess.PIPE, env=environment(), cwd=REPOSITORY, text=True, check=True)
    log.unlink()
    paced, at_once = json.loads(found.stdout)
    note = (
        f"following {following:.1%} of a core, matching {paced:.1%}, both with a piece every "
        f"{_STEP_SECONDS * 1000:.0f} ms; matching one piece after the other, from warm caches: {at_once:.1%}"
    )
    return [Figure("CPU of following / that of matching alone", following / paced, "x", 2, note=note)]


def _steps(lines: Sequence[bytes], seconds: int) -> list[Step]:
    steps = [lines[at : at + _EACH] for at in range(0, len(lines) - _EACH, _EACH)]
    wanted = seconds * _STEPS_A_SECOND
    return (steps * (1 + wanted // len(steps)))[:wanted]


def _counted(number: int) -> Mapping[str, Any]:
    """Return how a pattern counts, as people write it: each key of its first group alone."""
    (pattern,) = line_patterns(PATTERNS[number : number + 1])
    by = {"by": pattern.groups[0]} if pattern.groups else {}
    return {"count": 1000, "within": "60s", **by}


def _engine(folder: Path, log: Path, name: str, counts: Callable[[int], Mapping[str, Any]]) -> _Following:
    patterns = {f"p{number}": {"source": "app", "match": match, **counts(number)} for number, match in enumerate(PATTERNS)}
    agent = {"sources": {"app": {"file": str(log)}}, "patterns": patterns}
    config = folder / f"{name}.yaml"
    config.write_text(json.dumps({"version": 1, "mode": "observe", "agents": {"log_analysis": agent}}), encoding="utf-8")
    log.touch()
    return _Following(config, folder / f"{name}-state")


class _Following(EngineProcess):
    """An engine that has looked at the log once, and awaits its lines."""

    def __enter__(self) -> _Following:
        super().__enter__()
        self.first_turn()
        time.sleep(2)
        return self


def _write(log: Path, steps: Sequence[Step]) -> tuple[list[float], float]:
    """Write a step every hundredth of a second; return when each was through (wall time), and the longest delay."""
    written, late, due = [], 0.0, time.monotonic()
    with log.open("ab", buffering=0) as stream:
        for step in steps:
            time.sleep(max(0.0, due - time.monotonic()))
            late, due = max(late, time.monotonic() - due), due + _STEP_SECONDS
            stamp = time.strftime("%b %e %H:%M:%S").encode()
            stream.write(b"".join([stamp + line[len(stamp) :] for line in step]))
            written.append(time.time())
    return written, late


def _idle(folder: Path, seconds: int) -> Sequence[Figure]:
    """Follow files to which nobody writes, as one source and as a source each, beside engines that follow one file.

    What one start of an engine takes at rest differs from what the next one takes by more than is measured here: there are
    several of each kind, started alternately and measured over the same time, and their medians are compared.
    """
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
        engines: dict[str, list[EngineProcess]] = {name: [] for name in sources}
        for start in range(_STARTS):
            for number, (name, listed) in enumerate(sources.items()):
                config = folder / f"idle-{number}.yaml"
                config.write_text(_config(listed), encoding="utf-8")
                engine = running.enter_context(EngineProcess(config, folder / f"idle-state-{number}-{start}"))
                engine.first_turn()
                engines[name].append(engine)
        time.sleep(10)
        rests = _rests([engine.pid for each in engines.values() for engine in each], seconds)
    by_kind = {name: rests[at * _STARTS : (at + 1) * _STARTS] for at, name in enumerate(sources)}
    one = by_kind.pop("one")
    return [_idle_figure(name, rest, one, seconds) for name, rest in by_kind.items()]


class _Rest(NamedTuple):
    """What one engine took at rest: CPU seconds, how often a thread of it woke, and pages of its own that it came by."""

    cpu: float
    wakes: float
    pages: float


def _rests(pids: Sequence[int], seconds: int) -> Sequence[_Rest]:
    woken, cpu = [_wakes(pid) for pid in pids], [cpu_seconds(pid) for pid in pids]
    pages = pages_touched(pids, seconds)
    return [
        _Rest(cpu_seconds(pid) - earlier, _wakes(pid) - before, touched)
        for pid, earlier, before, touched in zip(pids, cpu, woken, pages, strict=True)
    ]


def _wakes(pid: int) -> int:
    """Return how often the threads of a process have waited for something; each time one of them woke."""
    statuses = (path.read_text("ascii") for path in Path(f"/proc/{pid}/task").glob("*/status"))
    return sum(int(re.findall(r"^voluntary_ctxt_switches:\s+(\d+)", text, re.MULTILINE)[0]) for text in statuses)


def _idle_figure(name: str, rests: Sequence[_Rest], one: Sequence[_Rest], seconds: int) -> Figure:
    many, few = (_Rest(*map(median, zip(*each, strict=True))) for each in (rests, one))
    shares = [100 * (each.cpu - few.cpu) / seconds for each in rests]
    note = (
        f"of a core, {_STARTS} engines of each kind over {seconds} s, besides {100 * few.cpu / seconds:.3f} % of those with "
        f"one file; wakes {many.wakes:g} and {few.wakes:g}, pages touched {many.pages:g} and {few.pages:g}"
    )
    return Figure(f"idle following of {_FILES} files, {name}", median(shares), "%", 0.05, note=note, samples=shares)


def _config(sources: Sequence[str]) -> str:
    return "version: 1\nmode: observe\nagents:\n  log_analysis:\n    sources:\n" + "\n".join(sources) + "\n"


def _matching(log: Path) -> tuple[float, float]:
    """Return what matching takes, as a share of a core: a piece at a time when its step is due, and all in a row."""
    matcher, lines = choose(PATTERNS).matcher, log.read_bytes().splitlines(keepends=True)
    pieces = [b"".join(lines[at : at + _EACH]) for at in range(0, len(lines), _EACH)]
    warm = _WARM_SECONDS * _STEPS_A_SECOND
    shares = []
    for pace in (_STEP_SECONDS, 0.0):
        for piece in pieces[:warm]:
            _match(matcher, piece)
        began, due = time.process_time(), time.monotonic()
        for piece in pieces[warm:]:
            time.sleep(max(0.0, due - time.monotonic()))
            due += pace
            _match(matcher, piece)
        shares.append((time.process_time() - began) / ((len(pieces) - warm) * _STEP_SECONDS))
    paced, at_once = shares
    return paced, at_once


def _match(matcher: Matcher, piece: bytes) -> None:
    for _ in matcher.hits(piece):
        pass


if __name__ == "__main__":
    print(json.dumps(_matching(Path(sys.argv[1]))))
