r"""What is expected of data sets, and whether it holds: files are read, databases asked, nothing is changed.

Examples:
  zen-agents data check                             every data set of the configuration
  zen-agents data check orders                      one of them; -o json for a program
  zen-agents data check /srv/data/orders.csv --contract orders.yaml   a file, without an engine
  zen-agents data check --contract orders.yaml -o json > today.json   and compared with that the next time:
  zen-agents data check --contract orders.yaml --against today.json

A contract is what stands below `datasets: NAME:` in the configuration, in a file of its own. A file with wildcards is
quoted: its files are one data set.

Exit: 0 all holds, or as much as may not is tolerated; 1 something does not hold; 6 something could not be told;
78 the contract is not valid.
"""

from __future__ import annotations

import argparse

from zen_agents.cli.call import Call


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `data` takes."""
    parser.add_argument("verb", choices=("check",))
    parser.add_argument("words", nargs="*", metavar="NAME", help="data sets of the configuration; with --contract: a file")
    parser.add_argument("--contract", metavar="FILE", help="what is expected, instead of the configuration")
    parser.add_argument("--against", metavar="FILE", help="an earlier report (-o json): what drifted is told by it")
    parser.add_argument(
        "--evidence", type=int, metavar="N", help="so many failing rows of each check (default: the contract)"
    )


def run(call: Call) -> int:
    """Check, and say what came of it."""
    from zen_agents.cli.data_check import check  # noqa: PLC0415  loads the grammar of contracts

    return check(call)
