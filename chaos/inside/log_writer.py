"""A service that writes a line to its own log ten times a second and never opens it again: `log_writer.py FILE`."""

import os
import sys
import time


def main(file: str) -> None:
    """Write until killed."""
    log = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    while True:
        os.write(log, b"all is well\n")
        time.sleep(0.1)


main(sys.argv[1])
