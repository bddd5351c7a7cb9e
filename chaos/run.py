"""Runs the scenarios, each on a disposable host of its own: `python -m chaos.run list`, `... run [NAME...]`."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from chaos import simulate
from chaos.counts import COUNTS, GOALS
from chaos.durability import __main__ as durability
from chaos.engines.base import Contender
from chaos.engines.catalog import CONTENDERS
from chaos.engines.zen import Zen, built
from chaos.host import HostUnavailableError
from chaos.kinds import Privileges
from chaos.report.card import comparisons
from chaos.report.files import write_report
from chaos.report.words import comparison_text
from chaos.result import Outcome, Result
from chaos.scenario import Scenario, load_all
from chaos.sweep import Run, carried_out, full, keep, planned, results_of
from chaos.variants.base import Variant
from chaos.variants.catalog import VARIANTS

T = TypeVar("T")
#: Is somebody's to look at.
_MISSED = (Outcome.FAILED, Outcome.BROKEN)
_FULL_SEEDS = 3


def main(argv: Sequence[str] | None = None) -> int:
    """Return 0 if nothing that was run failed, 1 if something did, 2 for what is not understood or cannot be run here."""
    arguments = _parser().parse_args(argv)
    scenarios = load_all()
    if unknown := sorted(set(getattr(arguments, "names", ())) - set(scenarios)):
        print(f"there is no scenario {', '.join(unknown)}; see: python -m chaos.run list", file=sys.stderr)
        return 2
    return int(arguments.verb(scenarios, arguments))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m chaos.run", description=__doc__)
    verbs = parser.add_subparsers(required=True, metavar="list|run|report")
    listing = verbs.add_parser("list", help="name every scenario and what it needs")
    listing.set_defaults(verb=_list)
    running = verbs.add_parser("run", help="run scenarios, each on a host that is made for it and thrown away")
    running.set_defaults(verb=_run)
    running.add_argument("names", nargs="*", metavar="NAME", help="which ones (default: all)")
    running.add_argument(
        "--engine", action="append", type=_contenders, metavar="NAME,...",
        help=f"who is to repair it: {', '.join(kind.name for kind in CONTENDERS)} (default: zen)",
    )  # fmt: skip
    running.add_argument(
        "--variant", action="append", type=_variants, metavar="NAME,...",
        help="what else goes wrong meanwhile, or `all`: what each scenario names (default: nothing)",
    )  # fmt: skip
    running.add_argument("--seed", type=int, default=0, help="decides at which moment of a second each fault happens")
    running.add_argument("--repeat", type=int, default=1, metavar="N", help="run each N times, with N seeds from --seed on")
    running.add_argument(
        "--full",
        action="store_true",
        help="everything: all contenders with several seeds, all variants of each scenario, then what is tried 10,000 times",
    )
    running.add_argument(
        "--report", type=Path, metavar="DIR", help="write results and score card there; goes on where it was"
    )
    running.add_argument("--json", action="store_true", help="print each result as one line of JSON")
    reporting = verbs.add_parser("report", help="write the score card anew from results that are there")
    reporting.set_defaults(verb=_report)
    reporting.add_argument("folder", type=Path, metavar="DIR", help="what --report was given")
    return parser


def _contenders(text: str) -> list[type[Contender]]:
    return _named(text, {kind.name: [kind] for kind in CONTENDERS})


def _variants(text: str) -> list[type[Variant]]:
    names: dict[str, list[type[Variant]]] = {"all": [*VARIANTS], "none": [Variant]}
    for kind in VARIANTS:
        names.setdefault(kind.kind.value, []).append(kind)
        names[kind.name] = [kind]
    return _named(text, names)


def _named(text: str, known: Mapping[str, list[T]]) -> list[T]:
    if unknown := [name for name in text.split(",") if name not in known]:
        raise argparse.ArgumentTypeError(f"there is no {', '.join(unknown)}; there are {', '.join(known)}")
    return [each for name in text.split(",") for each in known[name]]


def _list(scenarios: Mapping[str, Scenario], _: argparse.Namespace) -> int:
    for name, scenario in scenarios.items():
        missing = ", ".join(scenario.missing(built()))
        state = f"waits for {missing}" if missing else scenario.expect.outcome.value
        if scenario.privileges is Privileges.KERNEL:
            state = "not shown on a real host"
        print(f"{scenario.number or '-':>4}  {name:32}  {scenario.kind.value:8}{state:28}  {scenario.title}")
    return 0


def _run(scenarios: Mapping[str, Scenario], arguments: argparse.Namespace) -> int:
    wanted = [scenarios[name] for name in arguments.names or scenarios]
    seeds = range(arguments.seed, arguments.seed + arguments.repeat)
    if arguments.full:
        runs = [*full(wanted, seeds if arguments.repeat > 1 else range(arguments.seed, arguments.seed + _FULL_SEEDS))]
    else:
        engines = [kind for kinds in arguments.engine or [[Zen]] for kind in kinds]
        variants = [kind for kinds in arguments.variant or [[Variant]] for kind in kinds]
        runs = [*planned(wanted, engines, variants, seeds)]
    try:
        missed = _all_of(runs, arguments)
        return int(_long_campaigns(arguments.report) or missed) if arguments.full else int(missed)
    except HostUnavailableError as reason:
        print(reason, file=sys.stderr)
        return 2


def _all_of(runs: Sequence[Run], arguments: argparse.Namespace) -> bool:
    """Run all that has no result yet, show each, and write the report; tell whether something is to be looked at."""
    done = results_of(arguments.report) if arguments.report else {}
    results, began = list[Result](), time.monotonic()
    for number, run in enumerate(runs, 1):
        result = done.get(run.key)
        if result is None:
            result = carried_out(run)
            if arguments.report:
                keep(arguments.report, result)
        results.append(result)
        left = "" if len(runs) == 1 else f"{number}/{len(runs)} after {time.monotonic() - began:.0f} s  "
        print(json.dumps(result.as_json()) if arguments.json else left + _line(result), flush=True)
    if compared := comparisons(results):
        print(comparison_text(compared, load_all()), file=sys.stderr if arguments.json else sys.stdout)
    if arguments.report:
        _report({}, argparse.Namespace(folder=arguments.report))
    return any(result.outcome in _MISSED for result in results)


def _long_campaigns(report: Path | None) -> bool:
    """Go through what is tried ten thousand times, from where it was ended; tell whether something is to be looked at."""
    kept = ["--progress", str(report / COUNTS)] if report else []
    codes = [durability.main([name, "--count", str(GOALS[name]), *kept]) for name in ("kill", "power", "store")]
    codes.append(durability.main(["seams", *kept]))
    codes.append(simulate.main(["--seeds", f"0:{GOALS['simulate']}", "--jobs", str(os.cpu_count() or 1), *kept]))
    if report:
        _report({}, argparse.Namespace(folder=report))
    return any(code == 1 for code in codes)


def _report(_: Mapping[str, Scenario], arguments: argparse.Namespace) -> int:
    results = results_of(arguments.folder)
    if not results:
        print(f"there are no results in {arguments.folder}", file=sys.stderr)
        return 2
    for path in write_report(arguments.folder, tuple(results.values()), load_all()):
        print(path, file=sys.stderr)
    return 0


def _line(result: Result) -> str:
    after = result.seconds.repaired
    took = "" if after is None else f"  repaired after {after * 1000:.0f} ms"
    variant = f" ({result.variant})" if result.variant else ""
    return "\n     ".join([f"{result.outcome.value:9} {result.engine:8} {result.scenario}{variant}{took}", *result.because])


if __name__ == "__main__":
    sys.exit(main())
