"""A web server that starts in 20 ms, so that what is measured is the engine: `web.py PORT [FILE]`.

It answers every request with 200 and its process id; with FILE, with 503 while that file cannot be read.
"""

import _socket
import posix
import sys


def main(port: int, needed: str) -> None:
    """Serve until killed."""
    sock = _socket.socket(_socket.AF_INET, _socket.SOCK_STREAM)
    sock.setsockopt(_socket.SOL_SOCKET, _socket.SO_REUSEADDR, 1)
    sock.bind(("127.0.0.1", port))
    sock.listen(64)
    body = b"%d\n" % posix.getpid()
    while True:
        peer = sock._accept()[0]  # type: ignore[attr-defined]
        try:
            posix.read(peer, 4096)
            status = b"200 OK" if not needed or _readable(needed) else b"503 Service Unavailable"
            posix.write(peer, b"HTTP/1.0 %s\r\nContent-Length: %d\r\n\r\n%s" % (status, len(body), body))
        except ConnectionError:
            pass  # whoever asked has gone
        posix.close(peer)


def _readable(path: str) -> bool:
    try:
        posix.close(posix.open(path, posix.O_RDONLY))
    except OSError:
        return False
    return True


main(int(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else "")
