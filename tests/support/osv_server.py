"""A server that speaks the API of OSV as the real one does: batches with pages, records, and single queries."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

#: The real one has 1000; so few show that pages are followed.
_PAGE = 2


class OsvServer:
    """What it knows, how it misbehaves, and what it was asked."""

    def __init__(self) -> None:
        self.records: dict[str, Mapping[str, Any]] = {}
        #: (ecosystem as OSV calls it, name, version) -> ids.
        self.affected: dict[tuple[str, str, str], list[str]] = {}
        self.asked: list[str] = []
        #: What is answered instead of the truth, to every path that begins so.
        self.instead: tuple[str, int, bytes] | None = None
        #: Nothing is answered before it is set.
        self.answers = threading.Event()
        self.answers.set()
        self.url = ""

    def knows(self, record: bytes, *versions: str) -> None:
        """Hold a record, which affects these versions of the first package that it names."""
        body = json.loads(record)
        self.records[body["id"]] = body
        named = body["affected"][0]["package"]
        for version in versions:
            self.affected.setdefault((named["ecosystem"], named["name"], version), []).append(body["id"])

    def answer(self, path: str, body: Any) -> tuple[int, bytes]:
        """Return status and body."""
        self.asked.append(path)
        if self.instead is not None and path.startswith(self.instead[0]):
            return self.instead[1:]
        if path == "/v1/querybatch":
            return 200, json.dumps({"results": [self._page(query) for query in body["queries"]]}).encode()
        if path == "/v1/query":
            ids = self._ids(body)
            return 200, json.dumps({"vulns": [self.records[id] for id in ids]} if ids else {}).encode()
        record = self.records.get(path.removeprefix("/v1/vulns/"))
        return (200, json.dumps(record).encode()) if record else (404, b'{"code":5,"message":"Bug not found."}')

    def _ids(self, query: Mapping[str, Any]) -> list[str]:
        return self.affected.get((query["package"]["ecosystem"], query["package"]["name"], query["version"]), [])

    def _page(self, query: Mapping[str, Any]) -> dict[str, Any]:
        start, ids = int(query.get("page_token", 0)), self._ids(query)
        shown = [{"id": id, "modified": self.records[id].get("modified", "")} for id in ids[start : start + _PAGE]]
        more = {"next_page_token": str(start + _PAGE)} if start + _PAGE < len(ids) else {}
        return {**({"vulns": shown} if shown else {}), **more}


@contextmanager
def osv_server() -> Iterator[OsvServer]:
    """Run one on a free port of this host."""
    known = OsvServer()

    class Answers(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._answer(None)

        def do_POST(self) -> None:
            self._answer(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

        def _answer(self, body: Any) -> None:
            status, content = known.answer(self.path, body)
            known.answers.wait()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        server.daemon_threads = True
        known.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield known
        finally:
            known.answers.set()
            server.shutdown()
            thread.join()
