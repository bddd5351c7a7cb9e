"""Lives many simulated hours and says which seed broke a rule.

    python -m chaos.simulate --seeds 0:2000 --hours 1 --jobs 2 --progress FILE   goes on where FILE ends
    python -m chaos.simulate --seeds 17                                          lives one again, with all that happened

Exit status 0 if no rule was broken, 1 if one was, 2 for a wrong command line.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from contextlib import contextmanager
from itertools import islice
from multiprocessing import get_context
from pathlib import Path

from chaos.counts import Case, add, cases
from chaos.invariants import Violation
from chaos.simulation.life import Life, Verdict

_MEMORY = Path("/dev/shm")  # noqa: S108 - a state that is thrown away need not wear out a disk


def seeds_of(text: str) -> range:
    """Return the seeds of `17` or `0:2000`; raises ValueError for anything else."""
    first, colon, end = text.partition(":")
    return range(int(first), int(end) if colon else int(first) + 1)


@contextmanager
def memory() -> Iterator[Path]:
    """Return a directory that is thrown away, in memory where that is possible."""
    with tempfile.TemporaryDirectory(prefix="zen-lives-", dir=_MEMORY if _MEMORY.is_dir() else None) as folder:
        yield Path(folder)


def live(seed: int, hours: float, within: Path) -> Verdict:
    """Live one life in a directory of this process, in the place of its last one; one that breaks off breaks a rule."""
    try:
        return Life(seed, within / str(os.getpid()), hours=hours).run()
    except Exception as error:  # whatever it is, its seed has to be told and the others lived
        broke_off = Violation("unexpected", f"the life broke off: {type(error).__name__}: {error}")
        return Verdict(seed, hours, (broke_off,), 0, 0, 0, tuple(traceback.format_exc().splitlines()))


def replay_command(seed: int, hours: float) -> str:
    """Return the one command that lives a life again."""
    return f"python -m chaos.simulate --seeds {seed} --hours {hours:g}"


def main(arguments: Sequence[str]) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m chaos.simulate", description="Live simulated hours, each from its seed."
    )
    parser.add_argument("--seeds", type=seeds_of, required=True, help="one seed, or FIRST:END without the end")
    parser.add_argument("--hours", type=float, default=1.0, help="simulated hours a seed (default: 1)")
    parser.add_argument("--jobs", type=int, default=1, help="processes at once (default: 1)")
    parser.add_argument("--progress", type=Path, help="file of the seeds that are done; they are not lived again")
    given = parser.parse_args(arguments)
    done = _done(given.progress, given.hours)
    left = [seed for seed in given.seeds if seed not in done]
    with memory() as within:
        if len(given.seeds) == 1:
            return _one(live(given.seeds[0], given.hours, within))
        lives = _lived(left, given.hours, given.jobs, within)
        return _many(lives, left, already=len(given.seeds) - len(left), hours=given.hours, progress=given.progress)


def _one(verdict: Verdict) -> int:
    for event in verdict.events:
        print(event)
    for violation in verdict.violations:
        print(violation)
    print(f"seed {verdict.seed}: {verdict.actions} actions, {verdict.told} messages, {verdict.engines} engines")
    return 1 if verdict.violations else 0


def _many(lives: Iterator[Verdict], seeds: Sequence[int], *, already: int, hours: float, progress: Path | None) -> int:
    began, broken = time.monotonic(), 0
    for lived, verdict in enumerate(lives, 1):
        _keep(progress, verdict)
        if verdict.violations:
            broken += 1
            first = "; the first" if broken == 1 else ""
            print(f"seed {verdict.seed} broke a rule{first}; live it again: {replay_command(verdict.seed, hours)}")
            for violation in verdict.violations:
                print(f"  {violation}")
        if lived % 100 == 0 or lived == len(seeds):
            rate = lived * hours / (time.monotonic() - began)
            print(f"{already + lived} seeds lived, {broken} broke a rule; {rate:.1f} simulated hours a second", flush=True)
    return 1 if broken else 0


def _lived(seeds: Sequence[int], hours: float, jobs: int, within: Path) -> Iterator[Verdict]:
    if jobs == 1:
        yield from (live(seed, hours, within) for seed in seeds)
        return
    waiting = iter(seeds)
    # Forked, so that each begins with everything imported.
    with ProcessPoolExecutor(jobs, mp_context=get_context("fork")) as pool:
        running = {pool.submit(live, seed, hours, within) for seed in islice(waiting, 2 * jobs)}
        while running:
            ended, running = wait(running, return_when=FIRST_COMPLETED)
            running |= {pool.submit(live, seed, hours, within) for seed in islice(waiting, len(ended))}
            yield from (each.result() for each in ended)


def _done(progress: Path | None, hours: float) -> set[int]:
    """Return the seeds that are done; one that broke a rule is lived again: perhaps it was mended."""
    kept = cases(progress, _campaign(hours)) if progress is not None else {}
    return {int(name) for name, case in kept.items() if not case.problems}


def _keep(progress: Path | None, verdict: Verdict) -> None:
    if progress is not None:
        problems = tuple(str(each) for each in verdict.violations)
        add(progress, Case(_campaign(verdict.hours), str(verdict.seed), 1, problems))


def _campaign(hours: float) -> str:
    return "simulate" if hours == 1.0 else f"simulate {hours:g} h"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
