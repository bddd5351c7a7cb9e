"""A way to a server that ends right before or right behind a word."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Literal

_PATIENCE_SECONDS = 20.0


class CutProxy:
    """Forwards connections to a port; the first one that says `word` is cut, before the server hears it or after it did."""

    def __init__(self, port: int, word: bytes, *, cut: Literal["before", "after"]) -> None:
        self._to, self._word, self._cut = port, word, cut
        self._listens = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listens.getsockname()[1])
        self.has_cut = threading.Event()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listens.accept()
                server = socket.create_connection(("127.0.0.1", self._to), _PATIENCE_SECONDS)
                threading.Thread(target=self._forth, args=(client, server), daemon=True).start()

    def _forth(self, client: socket.socket, server: socket.socket) -> None:
        is_cut = threading.Event()
        back = threading.Thread(target=self._back, args=(client, server, is_cut), daemon=True)
        back.start()
        with suppress(OSError), client, server:
            while said := client.recv(65536):
                if self._word in said and not self.has_cut.is_set():
                    self.has_cut.set()
                    is_cut.set()
                    if self._cut == "after":
                        server.sendall(said)
                    client.shutdown(socket.SHUT_RDWR)
                    # The server has done it once it answers, or has seen the end of the connection.
                    server.shutdown(socket.SHUT_WR)
                    back.join(_PATIENCE_SECONDS)
                    return
                server.sendall(said)

    @staticmethod
    def _back(client: socket.socket, server: socket.socket, is_cut: threading.Event) -> None:
        with suppress(OSError):
            while said := server.recv(65536):
                if not is_cut.is_set():
                    client.sendall(said)

    def close(self) -> None:
        """Take no more connections."""
        self._listens.close()


@contextmanager
def cut_proxy(port: int, word: bytes, cut: Literal["before", "after"]) -> Iterator[CutProxy]:
    """Stand between for as long as this is open."""
    proxy = CutProxy(port, word, cut=cut)
    try:
        yield proxy
    finally:
        proxy.close()
