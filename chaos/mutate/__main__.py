"""`python -m chaos.mutate [MODULE ...]`: mutates guards, rules and the ledger, and tells which mutants no test noticed.

The first run takes an hour; later ones run again what the code's changes touch. What is mutated, and by which tests it is
judged, stands in pyproject.toml under `tool.mutmut`. Exit 1 if a module is below the goal.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Sequence

from chaos.mutate.equivalent import Equivalent, listed
from chaos.mutate.remaining import never_run, remaining
from chaos.mutate.survivors import REPOSITORY, Mutant, change, forget_half_made, mutants
from chaos.mutate.tally import GOAL, Tally, tallied


def main(argv: Sequence[str] | None = None) -> int:
    """Run, or only tell of the last run."""
    arguments = _parser().parse_args(argv)
    stale = [each for each in listed() if not each.applies()]
    for each in stale:
        print(f"equivalent.toml: this line no longer stands in {each.module}: {each.old}", file=sys.stderr)
    if not arguments.report:
        _run(arguments)
    chosen = _chosen(arguments.modules)
    if not chosen:
        print("there are no mutants yet; run it without --report", file=sys.stderr)
        return 2
    survivors = {each: change(each) for each in chosen if each.status in ("survived", "no tests")}
    tallies = tallied(chosen, survivors, listed())
    _print(tallies, survivors if arguments.survivors else {}, listed())
    return 1 if stale or any(not each.met for each in tallies) else 0


def _run(arguments: argparse.Namespace) -> None:
    forget_half_made()
    if not arguments.resume:
        _mutmut(arguments, [f"{module}.*" for module in arguments.modules])
        return
    equivalent = {(each.module, each.change) for each in listed()}
    left = remaining(
        each
        for each in _chosen(arguments.modules)
        if each.status != "survived" or (each.module, change(each)) not in equivalent
    )
    if left:
        _mutmut(arguments, left)
    # Only mutmut sees which functions were changed since the last run: their mutants are left once it has begun.
    if changed := never_run(_chosen(arguments.modules)):
        _mutmut(arguments, changed)


def _mutmut(arguments: argparse.Namespace, patterns: Sequence[str]) -> None:
    command = [sys.executable, "-m", "mutmut", "run", "--max-children", str(arguments.children), *patterns]
    subprocess.run(command, cwd=REPOSITORY, check=True)


def _chosen(modules: Sequence[str]) -> list[Mutant]:
    return [each for each in mutants() if not modules or each.module in modules]


def _print(tallies: Sequence[Tally], survivors: dict[Mutant, str], known: Sequence[Equivalent]) -> None:
    print("| module | mutants | killed | equivalent | survived | not run | % killed |\n|---|---|---|---|---|---|---|")
    for each in tallies:
        counts = f"{each.mutants} | {each.killed} | {each.equivalent} | {each.survived} | {each.not_run}"
        print(f"| {each.module} | {counts} | {100 * each.share:.1f} |{'' if each.met else f' below {100 * GOAL:.0f}'}")
    equivalent = {(each.module, each.change) for each in known}
    for mutant, what in survivors.items():
        if (mutant.module, what) not in equivalent:
            print(f"\n{mutant.name} ({mutant.status})\n{what}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m chaos.mutate", description="Mutate what decides and what remembers.")
    parser.add_argument("modules", nargs="*", metavar="MODULE", help="like zen_agents.rules.decide (default: all)")
    parser.add_argument("--children", type=int, default=2, help="how many mutants are run at once (default: 2)")
    parser.add_argument("--resume", action="store_true", help="run what the last run left: not run yet, or survived")
    parser.add_argument("--report", action="store_true", help="run nothing, tell of the last run")
    parser.add_argument("--survivors", action="store_true", help="also show every mutant that no test noticed")
    return parser


if __name__ == "__main__":
    sys.exit(main())
