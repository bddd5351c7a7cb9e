"""A web server that accepts and breaks off: `flaky_web.py PORT EVERY FLAG`; it starts in 20 ms, as `web.py` does.

Every EVERYth connection is reset, after SIGUSR1 or while FLAG is there; the others are answered with 200.
"""

import _signal  # type: ignore[import-not-found]
import _socket
import posix
import sys

#: On, and waiting for 0 seconds: what is closed then is reset (socket(7)).
_RESET = b"\1\0\0\0\0\0\0\0"
_TOLD = False


def main(port: int, every: int, flag: str) -> None:
    """Serve until killed."""
    _signal.signal(_signal.SIGUSR1, _begin)
    server = _socket.socket(_socket.AF_INET, _socket.SOCK_STREAM)
    server.setsockopt(_socket.SOL_SOCKET, _socket.SO_REUSEADDR, 1)
    server.bind(("127.0.0.1", port))
    server.listen(64)
    count = 0
    while True:
        descriptor = server._accept()[0]  # type: ignore[attr-defined]
        peer = _socket.socket(_socket.AF_INET, _socket.SOCK_STREAM, 0, descriptor)
        count += 1
        if (_TOLD or _is_there(flag)) and count % every == 0:
            peer.setsockopt(_socket.SOL_SOCKET, _socket.SO_LINGER, _RESET)
        else:
            _answer(peer)
        peer.close()


def _begin(*_: object) -> None:
    global _TOLD  # noqa: PLW0603 - a signal has nowhere else to put it
    _TOLD = True


def _is_there(flag: str) -> bool:
    try:
        posix.stat(flag)
    except OSError:
        return False
    return True


def _answer(peer: _socket.socket) -> None:
    try:
        peer.settimeout(0.5)
        peer.recv(4096)
        peer.sendall(b"HTTP/1.0 200 OK\r\n\r\n")
    except OSError:
        pass  # whoever asked has gone


main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
