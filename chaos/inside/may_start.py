"""Decides whether a service starts this time: `may_start.py CAUSE STARTS`; exit 1 while CAUSE says so.

CAUSE holds how many starts fail yet, or `all`; without it none does. Each start is a word of the file STARTS.
"""

import sys
from pathlib import Path


def main(cause: Path, starts: Path) -> int:
    """Count this start, and use up one failure."""
    with starts.open("a", encoding="ascii") as out:
        out.write("started\n")
    left = cause.read_text("ascii").strip() if cause.exists() else "0"
    if left.isdigit():
        cause.write_text(str(max(0, int(left) - 1)), encoding="ascii")
    return int(left != "0")


sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
