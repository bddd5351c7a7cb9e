"""Writes MIB mebibytes of entries that cannot be compressed into the journal: `journal_entries.py MIB`."""

import os
import socket
import sys

_ENTRY_BYTES = 96 << 10


def main(mib: int) -> None:
    """Write all of them through journald's own socket."""
    journal = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    journal.connect("/run/systemd/journal/socket")
    for number in range((mib << 20) // _ENTRY_BYTES):
        noise = os.urandom(_ENTRY_BYTES)
        head = b"MESSAGE=entry %d\nSYSLOG_IDENTIFIER=filler\nNOISE\n" % number
        journal.sendall(head + len(noise).to_bytes(8, "little") + noise + b"\n")


main(int(sys.argv[1]))
