"""A daemon of the old kind that starts in 20 ms, `pidfile_web.py PORT PIDFILE`: it refuses while its pidfile is there."""

import _signal  # type: ignore[import-not-found]
import _socket
import posix
import sys


def main(port: int, pidfile: str) -> None:
    """Serve until TERM; the pidfile goes with it only then."""
    try:
        written = posix.open(pidfile, posix.O_WRONLY | posix.O_CREAT | posix.O_EXCL, 0o644)
    except FileExistsError:
        sys.exit(f"{pidfile} is there: it runs already")
    listening = _socket.socket(_socket.AF_INET, _socket.SOCK_STREAM)
    listening.setsockopt(_socket.SOL_SOCKET, _socket.SO_REUSEADDR, 1)
    listening.bind(("127.0.0.1", port))
    listening.listen(64)
    if posix.fork():
        posix._exit(0)
    posix.setsid()
    quiet = posix.open("/dev/null", posix.O_RDWR)
    for descriptor in (0, 1, 2):
        posix.dup2(quiet, descriptor)
    posix.write(written, b"%d\n" % posix.getpid())
    posix.close(written)
    _signal.signal(_signal.SIGTERM, lambda *_: _end(pidfile))
    while True:
        peer = listening._accept()[0]  # type: ignore[attr-defined]
        try:
            posix.read(peer, 4096)
            posix.write(peer, b"HTTP/1.0 200 OK\r\n\r\n")
        except ConnectionError:
            pass  # whoever asked has gone
        posix.close(peer)


def _end(pidfile: str) -> None:
    posix.unlink(pidfile)
    posix._exit(0)


main(int(sys.argv[1]), sys.argv[2])
