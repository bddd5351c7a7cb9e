"""A server on a free port of this host that answers with what one function says, and misbehaves as it is told."""

from __future__ import annotations

import contextlib
import gzip
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple


class Reply(NamedTuple):
    """What is answered; `cut` leaves out so many of the last bytes that were promised."""

    status: int
    content: bytes
    headers: Mapping[str, str] = {}
    cut: int = 0


@contextmanager
def serving(answer: Callable[[str, Any], Reply], *, gate: threading.Event) -> Iterator[str]:
    """Answer (path, body of JSON or None) until the end; nothing is answered while the gate is closed. Yield the address."""

    class Answers(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # Head and body are two packets; else the second waits for whoever asked to confirm the first (40 ms).
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            self._answer(None)

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self._answer(json.loads(gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body))

        def _answer(self, body: Any) -> None:
            reply = answer(self.path, body)
            gate.wait()
            self.send_response(reply.status)
            for name, value in {"Content-Type": "application/json", **reply.headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(reply.content)))
            # Who did not want to wait is gone.
            with contextlib.suppress(ConnectionError):
                self.end_headers()
                self.wfile.write(reply.content[: len(reply.content) - reply.cut])
            self.close_connection = bool(reply.cut)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            gate.set()
            server.shutdown()
            thread.join()
