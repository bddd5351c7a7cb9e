"""A web server that is well until SIGUSR1, and then never gives back what it takes: `leaking_web.py PORT KIND AMOUNT`.

KIND is `memory` (AMOUNT MiB a second), `descriptors` (all at once, AMOUNT is ignored), `zombies` (AMOUNT at once), or
`missed` (as many, but that it asks for them once it is told that children have ended, which it missed).
It starts in 20 ms, as `web.py` does.
"""

import _signal  # type: ignore[import-not-found]
import _socket
import posix
import sys
import time

_LEAKING = False
_TAKEN: list[bytes] = []


def main(port: int, kind: str, amount: int) -> None:
    """Serve until killed."""
    _signal.signal(_signal.SIGUSR1, _begin)
    server = _socket.socket(_socket.AF_INET, _socket.SOCK_STREAM)
    server.setsockopt(_socket.SOL_SOCKET, _socket.SO_REUSEADDR, 1)
    server.bind(("127.0.0.1", port))
    server.listen(64)
    server.settimeout(0.02)
    since, done = 0.0, False
    while True:
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


def _answer(server: _socket.socket) -> None:
    try:
        descriptor = server._accept()[0]  # type: ignore[attr-defined]
    except TimeoutError:
        return
    except OSError:
        time.sleep(0.02)  # it has no descriptor for whoever asks
        return
    peer = _socket.socket(_socket.AF_INET, _socket.SOCK_STREAM, 0, descriptor)
    try:
        peer.settimeout(0.5)
        peer.recv(4096)
        peer.sendall(b"HTTP/1.0 200 OK\r\n\r\n")
    except OSError:
        pass  # whoever asked has gone
    peer.close()


def _take(mebibytes: int) -> None:
    _TAKEN.extend(b"x" * (1 << 20) for _ in range(mebibytes))


def _open_all() -> None:
    try:
        while True:
            posix.open("/dev/null", posix.O_RDONLY)
    except OSError:
        pass  # there is none left


def _fork(count: int, *, asks: bool) -> None:
    children = []
    for _ in range(count):
        if (child := posix.fork()) == 0:
            posix._exit(0)
        children.append(child)
    if asks:
        for child in children:
            posix.waitid(posix.P_PID, child, posix.WEXITED | posix.WNOWAIT)
        _signal.signal(_signal.SIGCHLD, _ask)


def _ask(*_: object) -> None:
    try:
        while posix.waitpid(-1, posix.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass  # that was the last


main(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
