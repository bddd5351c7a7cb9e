"""`python -m chaos.fuzz [TARGET ...] --seconds N`: fuzzes each target guided by coverage, and keeps its corpus.

python -m chaos.fuzz --list
python -m chaos.fuzz expression --seconds 600
python -m chaos.fuzz expression --replay FILE
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from chaos.fuzz.promise import GIVEN, ROOM, run
from chaos.fuzz.target import load, names

_REPOSITORY = Path(__file__).resolve().parents[2]
_EXECUTED = re.compile(r"stat::number_of_executed_units:\s*(\d+)")
_COVERED = re.compile(r"cov: (\d+)")
#: What a campaign may take beyond its time: starting, loading its corpus, ending.
_MARGIN_SECONDS = 120


@dataclass(frozen=True, slots=True)
class Campaign:
    """How one target went."""

    name: str
    executed: int
    covered: int
    #: Inputs that broke a promise, newest last.
    found: tuple[Path, ...]
    #: The end of what libFuzzer said, if it found something.
    said: str


def main(argv: Sequence[str] | None = None) -> int:
    """Fuzz, list or replay; 1 if a promise was broken, 2 for wrong arguments or a machine without atheris."""
    parser = _parser()
    arguments = parser.parse_args(argv)
    chosen = arguments.targets or list(names())
    if unknown := [name for name in chosen if name not in names()]:
        parser.error(f"there is no target {unknown[0]!r}; see --list")
    if arguments.list:
        for name in chosen:
            print(f"{name:18} {load(name).about}")
        return 0
    if arguments.replay:
        return _replay(chosen[0], arguments.replay) if len(chosen) == 1 else parser.error("--replay needs one target")
    if importlib.util.find_spec("atheris") is None:
        parser.error(
            "atheris is not installed (it has wheels for Python 3.11 to 3.13 on x86_64 Linux); the tests fuzz without"
        )
    return _fuzz_all(chosen, arguments.seconds, arguments.directory)


def _fuzz_all(chosen: Sequence[str], seconds: int, directory: Path) -> int:
    broken = False
    print(f"{'target':18} {'executions':>12} {'covered':>8}  found")
    for name in chosen:
        campaign = fuzz(name, seconds, directory / name)
        print(f"{name:18} {campaign.executed:12,} {campaign.covered:8,}  {len(campaign.found)}", flush=True)
        for path in campaign.found:
            broken = True
            print(f"{campaign.said}\n  {path}\n  again: {sys.executable} -m chaos.fuzz {name} --replay {path}")
    return 1 if broken else 0


def fuzz(name: str, seconds: int, directory: Path) -> Campaign:
    """Run one campaign in a process of its own; its corpus, and what it finds, stays in `directory`."""
    before = _found(directory)
    with tempfile.TemporaryDirectory(prefix="zen-fuzz-", dir=ROOM) as scratch:
        done = subprocess.run(
            [sys.executable, "-m", "chaos.fuzz.guided", name, str(directory), "--seconds", str(seconds)],
            cwd=_REPOSITORY,
            env={**os.environ, GIVEN: scratch},
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            timeout=seconds + _MARGIN_SECONDS,
        )
    executed, covered = _EXECUTED.search(done.stderr), _COVERED.findall(done.stderr)
    found = tuple(path for path in _found(directory) if path not in before)
    if done.returncode != 0 and not found:
        raise SystemExit(f"{name}: the campaign failed:\n{done.stdout[-1000:]}{done.stderr[-3000:]}")
    said = done.stdout[-1500:] if found else ""
    return Campaign(name, int(executed[1]) if executed else 0, int(covered[-1]) if covered else 0, found, said)


def _found(directory: Path) -> tuple[Path, ...]:
    files = (directory / "found").glob("*")
    return tuple(sorted(files, key=lambda file: file.stat().st_mtime))


def _replay(name: str, path: Path) -> int:
    run(load(name).fuzz, path.read_bytes())
    print(f"{path} breaks no promise of {name}")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m chaos.fuzz", description="Fuzz the engine's parsers.")
    parser.add_argument("targets", nargs="*", metavar="TARGET", help="which (default: all, one after another)")
    parser.add_argument("--seconds", type=int, default=60, help="how long each is fuzzed (default: 60)")
    parser.add_argument("--directory", type=Path, default=Path(".fuzz"), help="where corpora are kept (default: .fuzz)")
    parser.add_argument("--replay", type=Path, metavar="FILE", help="run one target on one input, and show what is raised")
    parser.add_argument("--list", action="store_true", help="say which targets there are")
    return parser


if __name__ == "__main__":
    sys.exit(main())
