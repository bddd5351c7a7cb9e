"""Where the engine's messages go during a soak: a pager that takes everything, and that is away half of the time."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from scripts.benchmarks.processes import free_port


class Sink:
    """An HTTP server on one port, up and down in turns."""

    def __init__(self, period_seconds: float) -> None:
        self.port = free_port()
        #: How many messages were taken.
        self.taken = 0
        self._period, self._due = period_seconds, 0.0
        self._server: ThreadingHTTPServer | None = None

    def step(self, now: float) -> None:
        """Come or go if that is due; `now` in monotonic seconds."""
        if now < self._due:
            return
        self._due = now + self._period / 2
        if self._server is None:
            self.open()
        else:
            self.close()

    def open(self) -> None:
        """Listen."""
        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), self._answering())
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.1,), daemon=True).start()

    def close(self) -> None:
        """Be away: connections are refused."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def _answering(self) -> type[BaseHTTPRequestHandler]:
        sink = self

        class Taking(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                sink.taken += 1
                self.send_response(202)
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                """Say nothing."""

        return Taking
