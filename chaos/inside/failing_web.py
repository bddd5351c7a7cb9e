"""A web server that is well until SIGUSR1, and then fails in a way of its own: `failing_web.py PORT KIND AMOUNT [FLAG]`.

KIND is `memory` (it takes AMOUNT MiB a second), `descriptors` (all at once, AMOUNT is ignored), `zombies` (AMOUNT at once),
`missed` (as many, but that it asks for them once it is told that children have ended, which it missed), or `resets` (every
AMOUNTth connection is broken off, also while FLAG is there). Whom it does not break off it answers with 200.
It starts in 20 ms, as `web.py` does.
"""

import _signal  # type: ignore[import-not-found]
import _socket
import posix
import sys
import time

_TOLD = False
_TAKEN: list[bytes] = []
#: On, and waiting for 0 seconds: what is closed then is reset (socket(7)).
_RESET = b"\1\0\0\0\0\0\0\0"
#: EMFILE: it has all the descriptors that it may have.
_NO_DESCRIPTOR_LEFT = 24


def main(port: int, kind: str, amount: int, flag: str) -> None:
    """Serve until killed."""
    _signal.signal(_signal.SIGUSR1, _begin)
    server = _socket.socket(_socket.AF_INET, _socket.SOCK_STREAM)
    server.setsockopt(_socket.SOL_SOCKET, _socket.SO_REUSEADDR, 1)
    server.bind(("127.0.0.1", port))
    server.listen(64)
    server.settimeout(0.02)
    since, done, asked = 0.0, False, 0
    while True:
        if (peer := _accepted(server)) is not None:
            asked += 1
            if kind == "resets" and (_TOLD or _is_there(flag)) and asked % amount == 0:
                peer.setsockopt(_socket.SOL_SOCKET, _socket.SO_LINGER, _RESET)
            else:
                _answer(peer)
            peer.close()
        if not _TOLD or kind == "resets":
            continue
        if kind == "memory":
            since = since or time.monotonic()
            _take(int((time.monotonic() - since) * amount) - len(_TAKEN))
        elif not done:
            done = True
            _open_all() if kind == "descriptors" else _fork(amount, asks=kind == "missed")


def _begin(*_: object) -> None:
    global _TOLD  # noqa: PLW0603 - a signal has nowhere else to put it
    _TOLD = True


def _accepted(server: _socket.socket) -> _socket.socket | None:
    try:
        descriptor = server._accept()[0]  # type: ignore[attr-defined]
    except TimeoutError:
        return None
    except OSError as error:
        if error.errno != _NO_DESCRIPTOR_LEFT:
            raise
        time.sleep(0.02)  # for whoever asks
        return None
    return _socket.socket(_socket.AF_INET, _socket.SOCK_STREAM, 0, descriptor)


def _is_there(flag: str) -> bool:
    try:
        posix.stat(flag)
    except FileNotFoundError:
        return False
    return True


def _answer(peer: _socket.socket) -> None:
    try:
        peer.settimeout(0.5)
        peer.recv(4096)
        peer.sendall(b"HTTP/1.0 200 OK\r\n\r\n")
    except (ConnectionError, TimeoutError):
        pass  # whoever asked has gone, or says nothing


def _take(mebibytes: int) -> None:
    _TAKEN.extend(b"x" * (1 << 20) for _ in range(mebibytes))


def _open_all() -> None:
    try:
        while True:
            posix.open("/dev/null", posix.O_RDONLY)
    except OSError as error:
        if error.errno != _NO_DESCRIPTOR_LEFT:
            raise


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


main(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), sys.argv[4] if len(sys.argv) > 4 else "")
