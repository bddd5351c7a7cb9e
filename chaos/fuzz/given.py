"""What targets are given: files in a scratch directory, sections of one input, and a peer that says whatever it is told."""

from __future__ import annotations

import atexit
import contextlib
import shutil
import socket
import threading
from functools import cache
from pathlib import Path

from chaos.fuzz.promise import SCRATCH

#: Stands between the sections of one input.
MARK = b"\n%%\n"


def sections(data: bytes, count: int) -> list[bytes]:
    """Return exactly `count` sections of an input; those that are missing are empty."""
    parts = data.split(MARK, count - 1)
    return parts + [b""] * (count - len(parts))


def joined(*parts: bytes) -> bytes:
    """Return the input with these sections."""
    return MARK.join(parts)


@cache
def _scratch() -> None:
    SCRATCH.mkdir(mode=0o700, parents=True, exist_ok=True)
    atexit.register(shutil.rmtree, SCRATCH, ignore_errors=True)


def folder(name: str) -> Path:
    """Return a directory of the target's own, made if it is not there yet; it goes when this process ends."""
    _scratch()
    path = SCRATCH / name
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


def put(path: Path, content: bytes, mode: int = 0o600) -> Path:
    """Write a file, with its directories, and return its path."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.write_bytes(content)
    path.chmod(mode)
    return path


class Peer:
    """A server that sends what it was told to whoever connects, says that this is all, and listens until they hang up."""

    def __init__(self, path: Path | None = None) -> None:
        self._says = b""
        if path is None:
            self._listener = socket.create_server(("127.0.0.1", 0))
        else:
            path.unlink(missing_ok=True)
            self._listener = socket.socket(socket.AF_UNIX)
            self._listener.bind(str(path))
            self._listener.listen(16)
        #: Its TCP port; 0 on a Unix socket.
        self.port: int = self._listener.getsockname()[1] if path is None else 0
        threading.Thread(target=self._serve, daemon=True).start()

    def says(self, what: bytes) -> None:
        """Set what the next connections hear."""
        self._says = what

    def _serve(self) -> None:
        while True:
            connection, _ = self._listener.accept()
            with connection, contextlib.suppress(OSError):
                connection.settimeout(5.0)
                connection.sendall(self._says)
                connection.shutdown(socket.SHUT_WR)
                while connection.recv(65536):
                    pass
