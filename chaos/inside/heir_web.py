"""A web server whose child keeps its port: `heir_web.py PORT HEIR`; it starts in 20 ms, as `web.py` does.

It answers every request with 200. The child, which has the number that HEIR says, answers nobody and never ends by itself.
"""

import _signal  # type: ignore[import-not-found]
import _socket
import posix
import sys


def main(port: int, heir: str) -> None:
    """Serve until killed."""
    server = _socket.socket(_socket.AF_INET, _socket.SOCK_STREAM)
    server.setsockopt(_socket.SOL_SOCKET, _socket.SO_REUSEADDR, 1)
    server.bind(("127.0.0.1", port))
    server.listen(64)
    child = posix.fork()
    if not child:
        while True:
            _signal.pause()
    written = posix.open(heir, posix.O_WRONLY | posix.O_CREAT | posix.O_TRUNC, 0o644)
    posix.write(written, b"%d\n" % child)
    posix.close(written)
    while True:
        peer = server._accept()[0]  # type: ignore[attr-defined]
        try:
            posix.read(peer, 4096)
            posix.write(peer, b"HTTP/1.0 200 OK\r\n\r\n")
        except ConnectionError:
            pass  # whoever asked has gone
        posix.close(peer)


main(int(sys.argv[1]), sys.argv[2])
