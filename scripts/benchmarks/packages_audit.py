"""Audits of planted environments and hosts beside pip-audit and debsecan: the same pairs, and how fast.

Both others are asked as programs, by the same local server and the same feed. What they find is what has to be found: a pair
that is missing here is a weakness that nobody is told of.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from scripts.benchmarks.processes import REPOSITORY, environment
from scripts.benchmarks.report import Figure, median, skipped, spread
from tests.support.osv_server import OsvServer, osv_server
from tests.support.other_auditors import Pairs, by_debsecan, by_pip_audit, pip_audit_command
from tests.support.planted import plant_advisories, plant_environment, plant_host, planted_feed

_SEED: Final = 7
_SUITE: Final = "bookworm"
_KNOWN: Final = 400
#: The goals.
_SHARE_OF_THEIRS: Final = 0.5


def figures(folder: Path, quick: bool) -> Sequence[Figure]:
    """Measure everything of this part."""
    found = [*_beside_debsecan(folder / "hosts", 6 if quick else 40)]
    with osv_server(page=1000) as server:
        chance = random.Random(_SEED)
        weaknesses = plant_advisories(server, chance, _KNOWN)
        found += _beside_pip_audit(folder / "environments", server, chance, 3 if quick else 34)
        found += _speed(folder / "speed", server, chance, weaknesses, 3 if quick else 7)
    return found


def _beside_pip_audit(folder: Path, server: OsvServer, chance: random.Random, environments: int) -> list[Figure]:
    def theirs(number: int) -> Pairs:
        site = plant_environment(folder / str(number), chance, chance.randrange(20, 120), of=_KNOWN)
        return by_pip_audit(site, server.url)

    def ours(number: int) -> Pairs:
        return _ours(folder, "-e", str(folder / str(number)), "--osv", server.url)

    return _compared(f"pairs of pip-audit that are missing, {environments} environments", environments, theirs, ours)


def _beside_debsecan(folder: Path, hosts: int) -> list[Figure]:
    name = f"pairs of debsecan that are missing, {hosts} hosts"
    if shutil.which("debsecan") is None:
        return [skipped(name, "debsecan is not installed")]
    chance = random.Random(_SEED)
    folder.mkdir()
    (folder / _SUITE).write_bytes(planted_feed(chance, _KNOWN))

    def theirs(number: int) -> Pairs:
        status = plant_host(folder / str(number), chance, chance.randrange(50, 300), of=_KNOWN)
        return by_debsecan(status, folder, _SUITE)

    def ours(number: int) -> Pairs:
        return _ours(folder, "-e", str(folder / str(number)), "--debsecan", str(folder))

    return _compared(name, hosts, theirs, ours)


def _compared(
    name: str, places: int, theirs: Callable[[int], Pairs], ours: Callable[[int], Pairs]
) -> list[Figure]:  # fmt: skip
    pairs = missing = surplus = 0
    for number in range(places):
        wanted = theirs(number)
        found = ours(number)
        pairs, missing, surplus = pairs + len(wanted), missing + len(wanted - found), surplus + len(found - wanted)
    return [
        Figure(name, float(missing), "", 0, note=f"of {pairs:,} pairs"),
        Figure(f"{name.partition(' that')[0].replace('pairs of', 'pairs beyond those of')}", float(surplus), "", 0),
    ]


def _audit_command(folder: Path, *words: str) -> list[str]:
    return [
        sys.executable,
        "-m",
        "zen_agents",
        "--state-dir",
        str(folder / "state"),
        "packages",
        "audit",
        "-o",
        "json",
        *words,
    ]


def _ours(folder: Path, *words: str) -> Pairs:
    done = subprocess.run(
        _audit_command(folder, *words), capture_output=True, text=True, env=environment(), cwd=REPOSITORY, check=False
    )
    body = json.loads(done.stdout)
    if body["unknown"]:
        raise RuntimeError(f"unknown: {body['unknown'][0]['why']}")
    return {(each["name"], frozenset({each["advisory"], *each["aliases"]})) for each in body["findings"]}


def _speed(folder: Path, server: OsvServer, chance: random.Random, weaknesses: int, trials: int) -> list[Figure]:
    """Measure one environment of 200 packages, with what was answered kept by either."""
    site = plant_environment(folder / "environment", chance, 200, of=_KNOWN)
    commands = {
        "pip-audit": [*pip_audit_command(site, server.url), "--cache-dir", str(folder / "cache")],
        "ours": _audit_command(folder, "-e", str(folder / "environment"), "--osv", server.url),
    }
    for command in commands.values():
        _run(command)
    took: dict[str, list[tuple[float, float, float]]] = {name: [] for name in commands}
    for _ in range(trials):
        for name, command in commands.items():
            took[name].append(_run(command))
    ours, theirs = ([each[0] for each in took[name]] for name in ("ours", "pip-audit"))
    cpu, their_cpu, peak = (median([each[part] for each in took[name]]) for name, part in
                            (("ours", 1), ("pip-audit", 1), ("ours", 2)))  # fmt: skip
    return [
        Figure("audit of 200 packages, answers kept", median(ours), "s", median(theirs) * _SHARE_OF_THEIRS, samples=ours,
               note=f"goal: half of pip-audit's {spread(theirs, 's')}; {weaknesses} weaknesses are known"),
        Figure("CPU of it", cpu, "s", note=f"pip-audit: {their_cpu:.2f} s, without its server"),
        Figure("peak memory of it", peak, "MiB"),
    ]  # fmt: skip


def _run(command: Sequence[str]) -> tuple[float, float, float]:
    """Run a command; return its wall time and CPU time (seconds) and its largest resident size (MiB)."""
    began = time.monotonic()
    with subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment(), cwd=REPOSITORY
    ) as child:
        _, status, used = os.wait4(child.pid, 0)
        took = time.monotonic() - began
        child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode not in (0, 1):
        raise subprocess.CalledProcessError(child.returncode, command)
    return took, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024
