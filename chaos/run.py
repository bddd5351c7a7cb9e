"""Runs the scenarios: `python -m chaos.run list`, `python -m chaos.run run [NAME...] [--engine zen] [--seed N]`."""

from __future__ import annotations

import argparse
import json
import random
import sys
from collections.abc import Mapping, Sequence

from chaos import experiment
from chaos.engines.catalog import CONTENDERS
from chaos.engines.zen import built
from chaos.host import HostUnavailableError
from chaos.result import Outcome, Result
from chaos.scenario import Scenario, load_all

_MISSED = (Outcome.FAILED,)


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
    verbs = parser.add_subparsers(required=True, metavar="list|run")
    listing = verbs.add_parser("list", help="name every scenario and what it needs")
    listing.set_defaults(verb=_list)
    running = verbs.add_parser("run", help="run scenarios, each on a host that is made for it and thrown away")
    running.add_argument("names", nargs="*", metavar="NAME", help="which ones (default: all)")
    running.add_argument("--engine", choices=[kind.name for kind in CONTENDERS], default="zen", help="who is to repair it")
    running.add_argument("--seed", type=int, default=0, help="decides at which moment of a second each fault happens")
    running.add_argument("--json", action="store_true", help="print each result as one line of JSON")
    running.set_defaults(verb=_run)
    return parser


def _list(scenarios: Mapping[str, Scenario], _: argparse.Namespace) -> int:
    for name, scenario in scenarios.items():
        missing = ", ".join(scenario.missing(built()))
        state = f"waits for {missing}" if missing else scenario.expect.outcome.value
        print(f"{scenario.number or '-':>4}  {name:32}  {scenario.kind.value:8}{state:28}  {scenario.title}")
    return 0


def _run(scenarios: Mapping[str, Scenario], arguments: argparse.Namespace) -> int:
    engine = next(kind for kind in CONTENDERS if kind.name == arguments.engine)
    missed, moments = False, random.Random(arguments.seed)  # noqa: S311 - to be repeated, not to be secret
    for name in arguments.names or scenarios:
        try:
            result = experiment.run(scenarios[name], engine, after_seconds=moments.random())
        except HostUnavailableError as reason:
            print(reason, file=sys.stderr)
            return 2
        print(json.dumps(result.as_json()) if arguments.json else _line(result), flush=True)
        missed |= result.outcome in _MISSED
    return int(missed)


def _line(result: Result) -> str:
    after = result.seconds.repaired
    took = "" if after is None else f" repaired after {after * 1000:.0f} ms"
    return "\n     ".join([f"{result.outcome.value:9} {result.scenario}{took}", *result.because])


if __name__ == "__main__":
    sys.exit(main())
