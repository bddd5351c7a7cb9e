"""Runs a method of this folder and says what it came to: python -m chaos.durability kill --count 300 --seed 1."""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from chaos.durability import crash, kill, power, store_power
from chaos.durability.campaign import Campaign, Finding, Round
from chaos.durability.disk_calls import NoCompilerError

_AT_ONCE = 4


def main(argv: Sequence[str] | None = None) -> int:
    """Return 0 if nothing was wrong, 1 if something was, 77 if this machine cannot show it."""
    wanted = _parse(argv)
    rounds = [each for each in _rounds(wanted) if wanted.only in ("", each.name)]
    folder = wanted.keep or Path(tempfile.mkdtemp(prefix="zen-agents-durability-"))
    campaign, began = Campaign(folder, wanted.method, wanted.at_once, wanted.progress), time.monotonic()
    try:
        for finding in campaign.run(rounds):
            _tell(wanted, campaign, finding, len(rounds), time.monotonic() - began)
    except NoCompilerError as error:
        print(f"not shown here: {error}")
        return 77
    _sum_up(wanted, campaign, time.monotonic() - began)
    return 1 if any(finding.problems for finding in campaign.findings) else 0


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m chaos.durability", description=__doc__)
    parser.add_argument("method", choices=("seams", "power", "store", "kill"))
    parser.add_argument("--count", type=int, default=300, help="kills or cuts (default: 300); seams are gone through once")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--within", type=float, default=kill.RECOVERED_WITHIN, metavar="SECONDS",
        help="a killed engine must have recovered by then (default: 5); raise it on a busy machine",
    )  # fmt: skip
    parser.add_argument("--only", default="", metavar="ROUND", help="run this round alone, as a violation names it")
    parser.add_argument("--progress", type=Path, metavar="FILE", help="keep what is done there, and go on from it")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="where rounds with a violation leave their state")
    parser.add_argument("--at-once", type=int, default=_AT_ONCE, metavar="N", help="rounds at the same time (default: 4)")
    return parser.parse_args(argv)


def _rounds(wanted: argparse.Namespace) -> list[Round]:
    if wanted.method == "seams":
        return crash.rounds()
    if wanted.method == "power":
        return power.rounds(wanted.count, wanted.seed)
    if wanted.method == "store":
        return store_power.rounds(wanted.count, wanted.seed)
    return kill.rounds(wanted.count, wanted.seed, within=wanted.within)


def _tell(wanted: argparse.Namespace, campaign: Campaign, finding: Finding, rounds: int, seconds: float) -> None:
    done = sum(each.count for each in campaign.findings)
    print(f"{len(campaign.findings)}/{rounds} {finding.round}: {done} in all, {seconds:.0f} s", flush=True)
    for what in finding.problems:
        print(f"  VIOLATION {what}")
    if finding.problems:
        seed = "" if wanted.method == "seams" else f" --count {wanted.count} --seed {wanted.seed}"
        print(f"  again: python -m chaos.durability {wanted.method}{seed} --only '{finding.round}'", flush=True)


def _sum_up(wanted: argparse.Namespace, campaign: Campaign, seconds: float) -> None:
    findings = campaign.findings
    times, unfinished = (sum(each.count for each in findings), sum(each.unfinished for each in findings))
    print(f"{wanted.method}: {times} times, {unfinished} of them within an action, in {seconds:.0f} s")
    broken = sum(bool(each.problems) for each in findings)
    print(f"{broken} rounds with a violation" + (f", left in {campaign.folder}" if broken else ""))
    if recovered := sorted(each for finding in findings for each in finding.seconds):
        middle = statistics.median(recovered)
        print(f"recovered in {middle:.2f} s in the median, {recovered[-1]:.2f} s at most, of {len(recovered)} recoveries")


if __name__ == "__main__":
    sys.exit(main())
