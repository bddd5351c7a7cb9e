"""Gives a file its own mode again some time after somebody changed it: `rival.py PATH MODE SECONDS TURNS`.

Each time is a line of the file TURNS.
"""

from __future__ import annotations

import stat
import sys
import time
from pathlib import Path


def main(path: Path, mode: int, every: float, turns: Path) -> None:
    """Look every so often until killed."""
    while True:
        time.sleep(every)
        if stat.S_IMODE(path.lstat().st_mode) != mode:
            path.chmod(mode)
            with turns.open("a", encoding="ascii") as out:
                out.write(f"{time.time()}\n")


main(Path(sys.argv[1]), int(sys.argv[2], 8), float(sys.argv[3]), Path(sys.argv[4]))
