"""A web server that is well until SIGUSR1, and then never gives back what it takes: `leaking_web.py PORT KIND AMOUNT`.

KIND is `memory` (AMOUNT MiB a second), `descriptors` (all at once, AMOUNT is ignored), `zombies` (AMOUNT at once), or
`missed` (as many, but that it asks for them once it is told that children have ended, which it missed).
"""

import contextlib
import os
import signal
import socket
import sys
import time

_LEAKING = False
_TAKEN: list[bytes] = []


def main(port: int, kind: str, amount: int) -> None:
    """Serve until killed."""
    signal.signal(signal.SIGUSR1, _begin)
    server = socket.create_server(("127.0.0.1", port))
    server.settimeout(0.02)
    since, done = 0.0, False
    while True:
        with contextlib.suppress(OSError):
            _answer(server)
        if _LEAKING and kind == "memory":
            since = since or time.monotonic()
            _take(int((time.monotonic() - since) * amount) - len(_TAKEN))
        elif _LEAKING and not done:
            done = True
            _open_all() if kind == "descriptors" else _fork(amount, asks=kind == "missed")


def _begin(*_: object) -> None:
    global _LEAKING  # noqa: PLW0603 - a signal has nowhere else to put it
    _LEAKING = True


def _answer(server: socket.socket) -> None:
    try:
        peer = server.accept()[0]
    except TimeoutError:
        return
    except OSError:
        time.sleep(0.02)  # it has no descriptor for whoever asks
        return
    with peer:
        peer.settimeout(0.5)
        peer.recv(4096)
        peer.sendall(b"HTTP/1.0 200 OK\r\n\r\n")


def _take(mebibytes: int) -> None:
    _TAKEN.extend(b"x" * (1 << 20) for _ in range(mebibytes))


def _open_all() -> None:
    with contextlib.suppress(OSError):
        while True:
            os.open("/dev/null", os.O_RDONLY)


def _fork(count: int, *, asks: bool) -> None:
    children = []
    for _ in range(count):
        if (child := os.fork()) == 0:
            os._exit(0)
        children.append(child)
    if asks:
        for child in children:
            os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
        signal.signal(signal.SIGCHLD, _ask)


def _ask(*_: object) -> None:
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


main(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
