"""A server with TLS that reads its certificate anew on HUP: `tls_web.py PORT FILE [KEY]`."""

from __future__ import annotations

import contextlib
import signal
import socket
import ssl
import sys

_BODY = b"HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nok\n"


def main(port: int, *files: str) -> None:
    """Serve until killed."""
    contexts = [_context(*files)]
    signal.signal(signal.SIGHUP, lambda *_: contexts.__setitem__(0, _context(*files)))
    listening = socket.create_server(("127.0.0.1", port), backlog=64)
    while True:
        peer, _ = listening.accept()
        # Whoever only knocks must not keep others out.
        peer.settimeout(1)
        with contextlib.suppress(OSError), contexts[0].wrap_socket(peer, server_side=True) as connection:
            connection.recv(4096)
            connection.sendall(_BODY)


def _context(*files: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*files)
    return context


main(int(sys.argv[1]), *sys.argv[2:])
