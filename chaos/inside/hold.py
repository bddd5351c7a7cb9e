"""Takes every connection to a port of this host that there is, also what becomes free, until killed: `hold.py PORT ALL`.

The file ALL says that there were no more.
"""

from __future__ import annotations

import socket
import sys
import time
from pathlib import Path

_TRY_AGAIN_SECONDS = 0.01


def main(port: int, all_taken: Path) -> None:
    """Go on for ever: a local port that somebody else had used becomes free a while later."""
    held = []
    while True:
        try:
            held.append(socket.create_connection(("127.0.0.1", port), 10))
            # When it ends its ports are free at once, and do not wait to be forgotten.
            held[-1].setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        except OSError:
            all_taken.touch()
            time.sleep(_TRY_AGAIN_SECONDS)


main(int(sys.argv[1]), Path(sys.argv[2]))
