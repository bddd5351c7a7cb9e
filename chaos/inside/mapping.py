"""A service that keeps a file mapped as a library is: `mapping.py PORT FILE`."""

from __future__ import annotations

import mmap
import os
import socket
import sys


def main(port: int, library: str) -> None:
    """Serve until killed."""
    descriptor = os.open(library, os.O_RDONLY)
    mapped = mmap.mmap(descriptor, 0, prot=mmap.PROT_READ)
    os.close(descriptor)
    listening = socket.create_server(("127.0.0.1", port), backlog=64)
    while True:
        with listening.accept()[0] as peer:
            peer.send(mapped[:8])


main(int(sys.argv[1]), sys.argv[2])
