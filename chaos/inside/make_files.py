"""Makes files that take their room at once: `make_files.py FOLDER COUNT BYTES`."""

import errno
import os
import sys
from pathlib import Path


def main(folder: str, count: int, size: int) -> None:
    """Make `0`, `1` and so on, until there is no room or no inode left."""
    Path(folder).mkdir(parents=True, exist_ok=True)
    for number in range(count):
        try:
            descriptor = os.open(f"{folder}/{number}", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
            if size:
                os.posix_fallocate(descriptor, 0, size)
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
            return
        os.close(descriptor)


main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
