"""A local package index that speaks the simple API, in HTML and in JSON, and can be made to lie about what it has.

`yanked` holds file names with the reason; `hashes` what it says of a file instead of the truth; `swapped` what it serves in
the place of a file; `garbage` projects of which it answers nonsense.
"""

from __future__ import annotations

import hashlib
import html
import json
import threading
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

_JSON = "application/vnd.pypi.simple.v1+json"


@dataclass
class IndexServer:
    """One index over a directory of wheels."""

    wheels: Path
    url: str = ""
    yanked: dict[str, str] = field(default_factory=dict)
    hashes: dict[str, str] = field(default_factory=dict)
    swapped: dict[str, bytes] = field(default_factory=dict)
    garbage: set[str] = field(default_factory=set)
    speaks_json: bool = True

    def files(self, project: str) -> list[Mapping[str, Any]]:
        """Return the files of a project as the JSON form has them."""
        found = []
        for wheel in sorted(self.wheels.glob("*.whl")):
            if wheel.name.partition("-")[0].replace("_", "-") == project:
                digest = self.hashes.get(wheel.name) or hashlib.sha256(wheel.read_bytes()).hexdigest()
                found.append({
                    "filename": wheel.name, "url": f"{self.url}/files/{wheel.name}", "hashes": {"sha256": digest},
                    "yanked": self.yanked.get(wheel.name, False), "core-metadata": True,
                })  # fmt: skip
        return found

    def answer(self, path: str, accepts: str) -> tuple[int, str, bytes]:
        """Return status, type and body of one request."""
        kind, _, name = path.strip("/").partition("/")
        if kind == "files" and name.endswith(".metadata"):
            with zipfile.ZipFile(self.wheels / name.removesuffix(".metadata")) as wheel:
                return 200, "text/plain", wheel.read(next(each for each in wheel.namelist() if each.endswith("/METADATA")))
        if kind == "files":
            return 200, "application/zip", self.swapped.get(name) or (self.wheels / name).read_bytes()
        if kind != "simple":
            return 404, "text/plain", b"not found"
        if name in self.garbage:
            return 200, _JSON, b'{"files": [{"filename'
        files = self.files(name)
        if not files:
            return 404, "text/plain", b"not found"
        if self.speaks_json and _JSON in accepts:
            body = {"meta": {"api-version": "1.1"}, "name": name, "files": files}
            return 200, _JSON, json.dumps(body).encode()
        links = (
            f'<a href="{each["url"]}#sha256={each["hashes"]["sha256"]}"{_yanked(each)}>{html.escape(each["filename"])}</a>'
            for each in files
        )
        return 200, "text/html", "".join(links).encode()


def _yanked(file: Mapping[str, Any]) -> str:
    return "" if file["yanked"] is False else f' data-yanked="{html.escape(file["yanked"])}"'


@contextmanager
def index_server(wheels: Path) -> Iterator[IndexServer]:
    """Serve a directory of wheels for as long as the block lasts."""
    index = IndexServer(wheels)

    class Answers(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.do_GET()

        def do_GET(self) -> None:
            status, kind, body = index.answer(self.path, self.headers.get("Accept", ""))
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        index.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield index
        finally:
            server.shutdown()
            thread.join(10)
