"""`python -m scripts.benchmarks [PART ...] [--quick]`."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from scripts.benchmarks import data, footprint, ledger, logs, look, mining, packages, repair, replays, scale, storm
from scripts.benchmarks.report import Figure, machine, print_table, write_json

PARTS: dict[str, Callable[[Path, bool], Sequence[Figure]]] = {
    "footprint": footprint.figures,
    "repair": repair.figures,
    "scale": scale.figures,
    "storm": storm.figures,
    "ledger": ledger.figures,
    "look": look.figures,
    "logs": logs.figures,
    "replays": replays.figures,
    "mining": mining.figures,
    "data": data.figures,
    "packages": packages.figures,
}


def main() -> int:
    """Run the parts that were named; 1 if a goal is missed."""
    parser = argparse.ArgumentParser(prog="scripts/bench", description="Measure the engine beside its anchors.")
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"{', '.join(PARTS)} or all (default)")
    parser.add_argument("--quick", action="store_true", help="fewer trials: under two minutes in all, and noisier")
    arguments = parser.parse_args()
    names = list(PARTS) if not arguments.parts or "all" in arguments.parts else arguments.parts
    if unknown := [name for name in names if name not in PARTS]:
        parser.error(f"there is no part {unknown[0]!r}; there are: {', '.join(PARTS)}")
    about = machine()
    print(f"{about['model']}, {about['cpus']} CPUs, Python {about['python']}, kernel {about['kernel']}, load", end=" ")
    print(" ".join(f"{load:.2f}" for load in os.getloadavg()))
    found: dict[str, Sequence[Figure]] = {}
    for name in names:
        with tempfile.TemporaryDirectory(prefix=f"zen-bench-{name}-") as folder:
            found[name] = PARTS[name](Path(folder), arguments.quick)
        print_table(name, found[name])
    path = (
        Path("bench-results")
        / f"{time.strftime('%Y%m%dT%H%M%S')}-{'quick-' if arguments.quick else ''}{'-'.join(names)}.json"
    )
    write_json(path, found, about)
    print(f"\n{path}")
    return 1 if any(figure.met is False for figures in found.values() for figure in figures) else 0


if __name__ == "__main__":
    sys.exit(main())
