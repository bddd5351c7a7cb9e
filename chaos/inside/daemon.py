"""A daemon that writes over an old pidfile and starts in 20 ms: `daemon.py PORT PIDFILE RECORD [SECONDS]`.

On USR1 it goes deaf: it runs on and listens no more. After TERM it takes so many SECONDS to end, and last of all it removes
the pidfile, whoever's it is by then. RECORD gets the lines `began PID` and `ended PID`.
"""

import _signal  # type: ignore[import-not-found]
import _socket
import _thread
import posix
import sys
import time


def main(port: int, pidfile: str, record: str, seconds: float) -> None:
    """Serve until TERM."""
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
    heard = {_signal.SIGTERM, _signal.SIGUSR1}
    _signal.pthread_sigmask(_signal.SIG_BLOCK, heard)
    _write(record, "a", f"began {posix.getpid()}\n")
    _write(pidfile, "w", f"{posix.getpid()}\n")
    _thread.start_new_thread(_serve, (listening,))
    while _signal.sigwait(heard) != _signal.SIGTERM:
        listening.shutdown(_socket.SHUT_RDWR)
    time.sleep(seconds)
    _write(record, "a", f"ended {posix.getpid()}\n")
    try:  # noqa: SIM105 - contextlib takes longer to import than all the rest
        posix.unlink(pidfile)
    except FileNotFoundError:
        pass  # somebody took it away


def _serve(listening: _socket.socket) -> None:
    try:
        while True:
            peer = listening._accept()[0]  # type: ignore[attr-defined]
            try:
                posix.read(peer, 4096)
                posix.write(peer, b"HTTP/1.0 200 OK\r\n\r\n")
            except ConnectionError:
                pass  # whoever asked has gone
            posix.close(peer)
    except OSError:
        listening.close()  # it went deaf


def _write(path: str, mode: str, text: str) -> None:
    with open(path, mode, encoding="ascii") as out:  # noqa: PTH123 - pathlib takes as long to import as all the rest
        out.write(text)


main(int(sys.argv[1]), sys.argv[2], sys.argv[3], float(sys.argv[4]) if len(sys.argv) > 4 else 0.0)
