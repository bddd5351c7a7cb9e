"""Writes a feed of Debian's security tracker, whose entries are read from standard input: `feed.py PATH`."""

from __future__ import annotations

import sys
import zlib
from pathlib import Path


def main(path: Path, entries: str) -> None:
    """Write it, packed as the tracker has it."""
    text = f"VERSION 1\nACME-2026-2,,it can be made to say anything\n\n{entries}\nsrc,src\n\n"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(zlib.compress(text.encode()))


main(Path(sys.argv[1]), sys.stdin.read())
