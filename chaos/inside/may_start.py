"""Decides within 20 ms whether a service starts this time: `may_start.py CAUSE STARTS`; exit 1 while CAUSE says so.

CAUSE holds how many starts fail yet, or `all`; without it none does. Each start is a word of the file STARTS.
"""

import sys


def main(cause: str, starts: str) -> int:
    """Count this start, and use up one failure."""
    with open(starts, "a", encoding="ascii") as out:  # noqa: PTH123 - pathlib takes as long to import as all the rest
        out.write("started\n")
    try:
        with open(cause, encoding="ascii") as said:  # noqa: PTH123 - as above
            left = said.read().strip()
    except FileNotFoundError:
        return 0
    if left.isdigit():
        with open(cause, "w", encoding="ascii") as out:  # noqa: PTH123 - as above
            out.write(str(max(0, int(left) - 1)))
    return int(left != "0")


sys.exit(main(sys.argv[1], sys.argv[2]))
