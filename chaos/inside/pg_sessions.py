"""Opens sessions at a PostgreSQL and leaves each in a transaction: `pg_sessions.py PORT USER COUNT`.

It speaks just enough of the protocol for a server that trusts whoever comes from this host; it holds until killed.
"""

from __future__ import annotations

import contextlib
import signal
import socket
import sys
import time

_PROTOCOL = (3 << 16).to_bytes(4, "big")


def main(port: int, user: str, count: int) -> None:
    """Take so many, one after the other: one that somebody else has for a moment as soon as it is free."""
    held: list[socket.socket] = []
    while len(held) < count:
        with contextlib.suppress(ConnectionError):
            held.append(_in_transaction(port, user))
            continue
        time.sleep(0.005)
    signal.sigwait({signal.SIGTERM})


def _in_transaction(port: int, user: str) -> socket.socket:
    session = socket.create_connection(("127.0.0.1", port), 10)
    _send(session, b"", _PROTOCOL + b"user\0" + user.encode() + b"\0database\0postgres\0\0")
    _until_ready(session)
    _send(session, b"Q", b"BEGIN\0")
    _until_ready(session)
    return session


def _send(session: socket.socket, kind: bytes, body: bytes) -> None:
    session.sendall(kind + (len(body) + 4).to_bytes(4, "big") + body)


def _until_ready(session: socket.socket) -> None:
    kind = b""
    while kind != b"Z":
        kind = _exactly(session, 1)
        _exactly(session, int.from_bytes(_exactly(session, 4), "big") - 4)
        if kind == b"E":
            raise ConnectionError("no session is left")


def _exactly(session: socket.socket, length: int) -> bytes:
    found = b""
    while len(found) < length:
        more = session.recv(length - len(found))
        if not more:
            raise ConnectionError("the server has gone")
        found += more
    return found


main(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
