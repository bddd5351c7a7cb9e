"""Takes as many connections to a port of this host as there are and holds them until killed: `hold.py PORT`."""

from __future__ import annotations

import signal
import socket
import sys


def main(port: int) -> None:
    """Go on until there is no local port left."""
    held = []
    while True:
        try:
            held.append(socket.create_connection(("127.0.0.1", port), 10))
        except OSError:
            break
    signal.sigwait({signal.SIGTERM})


main(int(sys.argv[1]))
