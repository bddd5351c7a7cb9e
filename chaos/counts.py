"""How often each long campaign has tried what it tries, in one file that all runs of all of them add to.

    python -m chaos.counts FILE                      says what was reached, and of how much
    python -m chaos.durability kill --progress FILE  adds to it, and so does chaos.simulate

A case counts once, however often it was run: what counts is how its last run ended.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

#: Where a report keeps it.
COUNTS = "counts.jsonl"
#: What is to be gone through, by campaign.
GOALS: Mapping[str, int] = {"kill": 10_000, "power": 10_000, "store": 10_000, "simulate": 100_000}


@dataclass(frozen=True, slots=True)
class Case:
    """One piece of a campaign that was run."""

    campaign: str
    #: The same for the same piece: a seed, or a round's name.
    name: str
    #: How often something was killed, cut or lived in it.
    count: int
    problems: tuple[str, ...] = ()
    #: What the campaign itself wants to know of it later.
    more: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reached:
    """What all runs of one campaign came to."""

    campaign: str
    count: int
    #: Pieces that ended with a problem.
    broken: int

    @property
    def goal(self) -> int | None:
        """How many it is to come to; None where there is no such number."""
        return GOALS.get(self.campaign)

    def __str__(self) -> str:
        goal = f" of {self.goal:,}" if self.goal else ""
        return f"{self.campaign:10} {self.count:>7,}{goal}, {self.broken} broken"


def add(file: Path, case: Case) -> None:
    """Write a case behind those that are there, in one piece, so that several runs may write at once."""
    with file.open("a", encoding="utf-8") as out:
        out.write(json.dumps(asdict(case)) + "\n")


def cases(file: Path, campaign: str) -> Mapping[str, Case]:
    """Return the last run of each case of a campaign, by name; nothing of a file that is not there."""
    return {case.name: case for case in _read(file) if case.campaign == campaign}


def reached(file: Path) -> list[Reached]:
    """Return what each campaign in a file has come to, in the order of the goals."""
    names = dict.fromkeys([*GOALS, *(case.campaign for case in _read(file))])
    found = []
    for campaign in names:
        if each := cases(file, campaign).values():
            found.append(Reached(campaign, sum(case.count for case in each), sum(bool(case.problems) for case in each)))
    return found


def _read(file: Path) -> Iterator[Case]:
    if not file.exists():
        return
    with file.open(encoding="utf-8") as lines:
        for line in lines:
            # The last one may be torn by whatever ended its run; that piece is run again.
            if line.endswith("\n"):
                values = json.loads(line)
                yield Case(**(values | {"problems": tuple(values["problems"])}))


def main(arguments: Sequence[str] | None = None) -> int:
    """Print what was reached; 1 if something ended with a problem."""
    parser = argparse.ArgumentParser("python -m chaos.counts", description="What the long campaigns have reached.")
    parser.add_argument("file", type=Path, metavar="FILE", help="what --progress was given")
    found = reached(parser.parse_args(arguments).file)
    for each in found:
        print(each)
    return 1 if any(each.broken for each in found) else 0


if __name__ == "__main__":
    sys.exit(main())
