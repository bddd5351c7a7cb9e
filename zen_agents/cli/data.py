r"""What is expected of data sets, and whether it holds; and what its repairs would make of it.

Examples:
  zen-agents data check                             every data set of the configuration
  zen-agents data check orders                      one of them; -o json for a program
  zen-agents data check /srv/data/orders.csv --contract orders.yaml   a file, without an engine
  zen-agents data check --contract orders.yaml -o json > today.json   and compared with that the next time:
  zen-agents data check --contract orders.yaml --against today.json
  zen-agents data repair orders --dry-run           what the contract's repairs would change
  zen-agents data repair orders                     the engine does it: by its guards, with a way back
  zen-agents data repair a.csv --contract orders.yaml --to b.csv      a repaired copy, and what was taken out beside it
  zen-agents data report orders --html orders.html --junit orders.xml   one look, for people and for a pipeline
  zen-agents data report orders.csv --contract orders.yaml --history runs   with the trend of the runs that are kept there
  zen-agents data diff old.csv new.parquet --key order_id   columns, rows and distributions, whatever they are written in
  zen-agents data diff orders.csv orders --key id   a file and a table of the configuration
  zen-agents data infer orders.csv > orders.yaml    a contract that the file holds, to be corrected

A contract is what stands below `datasets: NAME:` in the configuration, in a file of its own; or a Frictionless Table
Schema or Data Package, a contract of the Open Data Contract Standard (version 3), or a JSON Schema for JSON lines.
A file with wildcards is quoted: its files are one data set.

Exit: 0 all holds, or as much as may not is tolerated; 1 something does not hold; 6 something could not be told;
78 the contract is not valid. Of diff: 0 both hold the same, 1 they do not. Of a repair by the engine: 0 repaired and
verified, or nothing to do; 1 failed or not wanted, 3 no engine runs, 4 refused by a guard, 6 not known whether it worked.
"""

from __future__ import annotations

import argparse

from zen_agents.cli.call import Call
from zen_agents.cli.verbs import hand_on

_VERBS = {verb: f"zen_agents.cli.data_{verb}:{verb}" for verb in ("check", "diff", "infer", "repair", "report")}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `data` takes."""
    parser.add_argument("verb", choices=("check", "infer", "report", "repair", "diff"))
    parser.add_argument(
        "words",
        nargs="*",
        metavar="NAME",
        help="data sets of the configuration; with --contract: a file; diff: two of either",
    )
    parser.add_argument("--contract", metavar="FILE", help="what is expected, instead of the configuration")
    parser.add_argument("--table", metavar="NAME", help="which of the tables that a contract of others describes")
    parser.add_argument("--against", metavar="FILE", help="an earlier report (-o json): what drifted is told by it")
    parser.add_argument(
        "--history",
        metavar="DIR",
        help="keep what runs came to there, and compare with the last good one (default: the state)",
    )
    parser.add_argument(
        "--key", metavar="COLUMN,...", help="diff: rows are matched by these (default: the contract's key, else all columns)"
    )
    parser.add_argument("--html", metavar="FILE", help="report: write a page that holds all of it as well")
    parser.add_argument("--junit", metavar="FILE", help="report: write JUnit XML as well, a test for each check")
    parser.add_argument(
        "--evidence", type=int, metavar="N", help="so many failing rows of each check (default: the contract)"
    )
    parser.add_argument("--dry-run", action="store_true", help="repair: show what would change, change nothing")
    parser.add_argument("--to", metavar="FILE", help="repair: write the repaired file here, which must be new")
    parser.add_argument(
        "--rows", type=int, default=100_000, metavar="N", help="infer: look at the first N rows, 0 is all (default: 100000)"
    )


def run(call: Call) -> int:
    """Do what the verb says, and say what came of it."""
    return hand_on(call, _VERBS)
