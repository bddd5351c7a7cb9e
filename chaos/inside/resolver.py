"""A name server on port 53 of an address, by UDP and TCP, that starts in 20 ms: `resolver.py ADDRESS FILE`.

FILE has lines as in /etc/hosts and is read at every question; a name that is not in it does not exist.
"""

from __future__ import annotations

import _socket
import _thread
import io
import sys

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
    answers = [_RECORD + _socket.inet_aton(address)] if address and kind == _TYPE_A else []
    flags = _FLAGS_ANSWER if address else _FLAGS_NO_SUCH_NAME
    return b"".join([question[:2], flags, b"\0\1", len(answers).to_bytes(2, "big"), b"\0" * 4, question[12:end], *answers])


def _table() -> dict[str, str]:
    with open(sys.argv[2], encoding="ascii") as lines:  # noqa: PTH123 - pathlib takes as long to import as all the rest
        return {name.lower(): address for address, name in map(str.split, lines)}


def main(address: str) -> None:
    """Serve until killed, each question in a thread of its own: a broken one costs nobody else an answer."""
    datagrams, streams = _bound(address, _socket.SOCK_DGRAM), _bound(address, _socket.SOCK_STREAM)
    streams.listen(64)
    _thread.start_new_thread(_accept, (streams,))
    while True:
        _thread.start_new_thread(_answer_datagram, (datagrams, *datagrams.recvfrom(4096)))


def _bound(address: str, kind: int) -> _socket.socket:
    sock = _socket.socket(_socket.AF_INET, kind)
    sock.setsockopt(_socket.SOL_SOCKET, _socket.SO_REUSEADDR, 1)
    sock.bind((address, _PORT))
    return sock


def _answer_datagram(sock: _socket.socket, question: bytes, sender: tuple[str, int]) -> None:
    sock.sendto(answer(question), sender)


def _accept(sock: _socket.socket) -> None:
    while True:
        _thread.start_new_thread(_answer_stream, (sock._accept()[0],))  # type: ignore[attr-defined]


def _answer_stream(descriptor: int) -> None:
    """Answer one question after its length; whoever only connects gets nothing."""
    with open(descriptor, "r+b", buffering=0) as peer:
        if length := int.from_bytes(_exactly(peer, 2), "big"):
            said = answer(_exactly(peer, length))
            peer.write(len(said).to_bytes(2, "big") + said)


def _exactly(peer: io.RawIOBase, count: int) -> bytes:
    found = b""
    while len(found) < count and (more := peer.read(count - len(found))):
        found += more
    return found


main(sys.argv[1])
