"""A daemon that writes over an old pidfile: `daemon.py PORT PIDFILE RECORD [SECONDS]`.

On USR1 it goes deaf: it runs on and listens no more. After TERM it takes so many SECONDS to end, and last of all it removes
the pidfile, whoever's it is by then. RECORD gets the lines `began PID` and `ended PID`.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import sys
import threading
import time
from pathlib import Path


def main(port: int, pidfile: Path, record: Path, seconds: float) -> None:
    """Serve until TERM."""
    listening = socket.create_server(("127.0.0.1", port), backlog=64)
    if os.fork():
        os._exit(0)
    os.setsid()
    quiet = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(quiet, descriptor)
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGUSR1})
    _write(record, "began")
    pidfile.write_text(f"{os.getpid()}\n", encoding="ascii")
    threading.Thread(target=_serve, args=(listening,), daemon=True).start()
    while signal.sigwait({signal.SIGTERM, signal.SIGUSR1}) != signal.SIGTERM:
        listening.shutdown(socket.SHUT_RDWR)
    time.sleep(seconds)
    _write(record, "ended")
    pidfile.unlink(missing_ok=True)


def _serve(listening: socket.socket) -> None:
    with contextlib.suppress(OSError):  # it went deaf
        while True:
            with listening.accept()[0] as peer:
                peer.recv(4096)
                peer.sendall(b"HTTP/1.0 200 OK\r\n\r\n")
    listening.close()


def _write(record: Path, what: str) -> None:
    with record.open("a", encoding="ascii") as out:
        out.write(f"{what} {os.getpid()}\n")


main(int(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]), float(sys.argv[4]) if len(sys.argv) > 4 else 0.0)
