"""Takes every connection to a port of this host that there is, also what becomes free, until killed: `hold.py PORT`."""

from __future__ import annotations

import socket
import sys
import time

_TRY_AGAIN_SECONDS = 0.01


def main(port: int) -> None:
    """Go on for ever: a local port that somebody else had used becomes free a while later."""
    held = []
    while True:
        try:
            held.append(socket.create_connection(("127.0.0.1", port), 10))
            # When it ends its ports are free at once, and do not wait to be forgotten.
            held[-1].setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        except OSError:
            time.sleep(_TRY_AGAIN_SECONDS)


main(int(sys.argv[1]))
