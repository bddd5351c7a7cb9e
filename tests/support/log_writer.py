"""Writes numbered lines to a file it holds open for appending, until it is told to stop by its standard input's end.

With a second argument it is told when to start each line by one byte, and answers with one: then nothing is written while
nobody looks.
"""

from __future__ import annotations

import os
import sys


def main() -> None:
    """Open the file once, and write a line for each byte that comes in."""
    target = os.open(sys.argv[1], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    number = 0
    while count := len(os.read(0, 4096)):
        for _ in range(count):
            number += 1
            os.write(target, b"%09d %s\n" % (number, b"x" * 89))
        os.write(1, b"%d\n" % number)


main()
