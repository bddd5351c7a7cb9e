"""What is said in the clear before TLS, in the protocols that begin without it.

Each takes a connection and brings it to where the other side waits for TLS. What it says is data: it is compared, and never
more than 8 KiB of it are read. Whoever says more than that TLS may begin is refused: that would count as said within TLS.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping

_MOST_BYTES = 8192
#: An extended request of LDAP, number 1, for 1.3.6.1.4.1.1466.20037 (RFC 4511, 4.14).
_LDAP_STARTTLS = b"\x30\x1d\x02\x01\x01\x77\x18\x80\x161.3.6.1.4.1.1466.20037"
#: The beginning of the answer to it: an extended response with resultCode success.
_LDAP_RESPONSE, _LDAP_SUCCESS = 0x78, b"\x0a\x01\x00"
_POSTGRES_SSL_REQUEST = b"\x00\x00\x00\x08\x04\xd2\x16\x2f"


class RefusedError(OSError):
    """The other side does not do TLS here; the text says what it said."""


class _Lines:
    """What the other side says, line by line."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection, self._said, self._read = connection, b"", 0

    def next(self) -> bytes:
        """Return the next line without its end; RefusedError where it hangs up or says too much."""
        while b"\n" not in self._said:
            more = self._connection.recv(1024)
            self._read += len(more)
            if not more or self._read > _MOST_BYTES:
                raise RefusedError("it hangs up before TLS" if not more else "it talks without end")
            self._said += more
        line, _, self._said = self._said.partition(b"\n")
        return line.rstrip(b"\r")

    def reply(self) -> bytes:
        """Return the last line of a reply with a number, which may have several: `220-one`, `220 two`."""
        while (line := self.next())[3:4] == b"-":
            pass
        return line

    def tagged(self, tag: bytes) -> bytes:
        """Return the line that ends what was asked with that tag."""
        while not (line := self.next()).startswith(tag):
            pass
        return line

    def expect(self, line: bytes, begins: bytes) -> None:
        """Go on after a line that begins so; RefusedError otherwise, and where something was said after it."""
        if not line.startswith(begins):
            raise RefusedError(f"it says {_shown(line)}")
        if self._said:
            raise RefusedError("it says something between its yes and TLS")


def begin_tls(connection: socket.socket, protocol: str) -> None:
    """Bring a new connection to where TLS begins.

    Raises RefusedError where the other side says no, TimeoutError and OSError as the connection does; KeyError for a
    protocol that is none of `PROTOCOLS`.
    """
    _STEPS[protocol](connection)


def _by_replies(*steps: tuple[bytes, bytes]) -> Callable[[socket.socket], None]:
    """Return what says one thing after the other, each once the reply to it has the code that is wanted."""

    def begin(connection: socket.socket) -> None:
        lines = _Lines(connection)
        for said, code in steps:
            connection.sendall(said)
            lines.expect(lines.reply(), code)

    return begin


def _imap(connection: socket.socket) -> None:
    lines = _Lines(connection)
    lines.expect(lines.next(), b"* OK")
    connection.sendall(b"a STARTTLS\r\n")
    lines.expect(lines.tagged(b"a "), b"a OK")


def _pop3(connection: socket.socket) -> None:
    lines = _Lines(connection)
    lines.expect(lines.next(), b"+OK")
    connection.sendall(b"STLS\r\n")
    lines.expect(lines.next(), b"+OK")


def _ldap(connection: socket.socket) -> None:
    connection.sendall(_LDAP_STARTTLS)
    head = _exactly(connection, 2)
    # The answer of a server that does it is short, and its length one byte.
    if head[0] != 0x30 or head[1] >= 0x80:
        raise RefusedError("its answer is not that of LDAP")
    answer = _exactly(connection, head[1])
    operation, result = answer[3:4], answer[5:8]
    if operation != bytes([_LDAP_RESPONSE]) or result != _LDAP_SUCCESS:
        raise RefusedError(f"it says no (resultCode {result[2] if len(result) == len(_LDAP_SUCCESS) else 'missing'})")


def _postgres(connection: socket.socket) -> None:
    connection.sendall(_POSTGRES_SSL_REQUEST)
    if (said := _exactly(connection, 1)) != b"S":
        raise RefusedError("it has no TLS" if said == b"N" else "its answer is not that of PostgreSQL")


_STEPS: Mapping[str, Callable[[socket.socket], None]] = {
    # The server speaks first.
    "smtp": _by_replies((b"", b"220"), (b"EHLO localhost\r\n", b"250"), (b"STARTTLS\r\n", b"220")),
    "imap": _imap,
    "pop3": _pop3,
    "ftp": _by_replies((b"", b"220"), (b"AUTH TLS\r\n", b"234")),
    "ldap": _ldap,
    "postgres": _postgres,
}
PROTOCOLS = tuple(_STEPS)


def _exactly(connection: socket.socket, size: int) -> bytes:
    said = b""
    while len(said) < size:
        more = connection.recv(size - len(said))
        if not more:
            raise RefusedError("it hangs up before TLS")
        said += more
    return said


def _shown(line: bytes) -> str:
    return "".join(each if each.isprintable() else " " for each in line[:200].decode("utf-8", "replace"))
