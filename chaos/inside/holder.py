"""Holds on to something in a directory of temporary files: `holder.py file|socket|fifo PATH READY`.

The file READY says that it does.
"""

import os
import signal
import socket
import sys
from pathlib import Path


def main(kind: str, path: str, ready: Path) -> None:
    """Hold it until killed; at a FIFO nobody waits."""
    if kind == "file":
        os.open(path, os.O_RDWR)
    elif kind == "socket":
        listening = socket.socket(socket.AF_UNIX)
        listening.bind(path)
        listening.listen()
        os.utime(path, (0, 0))
    ready.touch()
    signal.pause()


main(sys.argv[1], sys.argv[2], Path(sys.argv[3]))
