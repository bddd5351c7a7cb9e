"""Takes every connection to a port of this host, also what becomes free, until killed: `hold.py PORT FIRST LAST ALL`.

It begins once FIRST to LAST are all the ports that the host connects from. The file ALL says that there were no more.
"""

from __future__ import annotations

import errno
import socket
import sys
import time
from pathlib import Path

_LOOK_AGAIN_SECONDS, _TRY_AGAIN_SECONDS = 0.002, 0.01
_RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")


def main(port: int, first: str, last: str, all_taken: Path) -> None:
    """Go on for ever: a local port that somebody else had used becomes free a while later."""
    while _RANGE.read_text(encoding="ascii").split() != [first, last]:
        time.sleep(_LOOK_AGAIN_SECONDS)
    held = []
    while True:
        try:
            held.append(socket.create_connection(("127.0.0.1", port), 10))
            # When it ends its ports are free at once, and do not wait to be forgotten.
            held[-1].setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        except OSError as error:
            # Another one means that nobody accepts just now.
            if error.errno == errno.EADDRNOTAVAIL:
                all_taken.touch()
            time.sleep(_TRY_AGAIN_SECONDS)


main(int(sys.argv[1]), sys.argv[2], sys.argv[3], Path(sys.argv[4]))
