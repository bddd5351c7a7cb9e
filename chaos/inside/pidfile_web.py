"""A daemon of the old kind, `pidfile_web.py PORT PIDFILE`: it refuses to start while its pidfile is there."""

import os
import signal
import socket
import sys
from pathlib import Path


def main(port: int, pidfile: str) -> None:
    """Serve until TERM; the pidfile goes with it only then."""
    try:
        written = os.open(pidfile, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
    except FileExistsError:
        sys.exit(f"{pidfile} is there: it runs already")
    listening = socket.create_server(("127.0.0.1", port))
    if os.fork():
        os._exit(0)
    os.setsid()
    quiet = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(quiet, descriptor)
    os.write(written, b"%d\n" % os.getpid())
    os.close(written)
    signal.signal(signal.SIGTERM, lambda *_: _end(pidfile))
    while True:
        peer = listening.accept()[0]
        peer.recv(4096)
        peer.sendall(b"HTTP/1.0 200 OK\r\n\r\n")
        peer.close()


def _end(pidfile: str) -> None:
    Path(pidfile).unlink()
    os._exit(0)


main(int(sys.argv[1]), sys.argv[2])
