"""A name server on port 53 of an address, by UDP and TCP: `resolver.py ADDRESS FILE`.

FILE has lines as in /etc/hosts and is read at every question; a name that is not in it does not exist.
"""

from __future__ import annotations

import socket
import socketserver
import sys
import threading

_PORT = 53
_TYPE_A = b"\0\1"
_FLAGS_ANSWER, _FLAGS_NO_SUCH_NAME = b"\x81\x80", b"\x81\x83"
#: Points to the name of the question; type A, class IN, not to be kept, four bytes of address.
_RECORD = b"\xc0\x0c\0\1\0\1\0\0\0\0\0\4"


def answer(question: bytes) -> bytes:
    """Return the answer to one question."""
    labels, at = [], 12
    while length := question[at]:
        labels.append(question[at + 1 : at + 1 + length])
        at += 1 + length
    address = _table().get(b".".join(labels).decode("ascii").lower())
    kind, end = question[at + 1 : at + 3], at + 5
    answers = [_RECORD + socket.inet_aton(address)] if address and kind == _TYPE_A else []
    flags = _FLAGS_ANSWER if address else _FLAGS_NO_SUCH_NAME
    return b"".join([question[:2], flags, b"\0\1", len(answers).to_bytes(2, "big"), b"\0" * 4, question[12:end], *answers])


def _table() -> dict[str, str]:
    with open(sys.argv[2], encoding="ascii") as lines:  # noqa: PTH123 - pathlib takes as long to import as all the rest
        return {name.lower(): address for address, name in map(str.split, lines)}


class Datagram(socketserver.BaseRequestHandler):
    """One question by UDP."""

    def handle(self) -> None:
        """Answer it."""
        question, sock = self.request
        sock.sendto(answer(question), self.client_address)


class Stream(socketserver.StreamRequestHandler):
    """One question by TCP, after its length."""

    def handle(self) -> None:
        """Answer it; whoever only connects gets nothing."""
        if length := int.from_bytes(self.rfile.read(2), "big"):
            said = answer(self.rfile.read(length))
            self.wfile.write(len(said).to_bytes(2, "big") + said)


socketserver.ThreadingTCPServer.allow_reuse_address = True
threading.Thread(target=socketserver.ThreadingTCPServer((sys.argv[1], _PORT), Stream).serve_forever, daemon=True).start()
socketserver.ThreadingUDPServer((sys.argv[1], _PORT), Datagram).serve_forever()
