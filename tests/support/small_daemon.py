"""A small daemon for tests: it goes to the background, writes its pidfile, and answers HTTP on a port of this host.

    small_daemon.py PORT PIDFILE [--exclusive] [--status FILE] [--foreground]

`--exclusive`: refuses to start while there is a pidfile, as some real daemons do. `--status FILE`: answers with the status
code that stands in the file. TERM ends it and removes its pidfile.
"""

from __future__ import annotations

import http.server
import os
import signal
import sys
from pathlib import Path


class Answers(http.server.BaseHTTPRequestHandler):
    """Answers every GET with the status that is asked for now."""

    status_file = ""

    def do_GET(self) -> None:
        """Answer."""
        code = int(Path(self.status_file).read_text(encoding="ascii")) if self.status_file else 200
        self.send_response(code)
        self.end_headers()
        self.wfile.write(b"ready\n")

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def main(port: int, pidfile: Path, options: list[str]) -> None:
    """Serve until TERM."""
    if "--exclusive" in options and pidfile.exists():
        sys.exit(f"{pidfile} exists; is it running already?")
    if "--status" in options:
        Answers.status_file = options[options.index("--status") + 1]
    server = http.server.HTTPServer(("127.0.0.1", port), Answers)
    if "--foreground" not in options and os.fork():
        os._exit(0)
    os.setsid() if "--foreground" not in options else None
    pidfile.write_text(f"{os.getpid()}\n", encoding="ascii")

    def end(*_: object) -> None:
        pidfile.unlink(missing_ok=True)
        os._exit(0)

    signal.signal(signal.SIGTERM, end)
    server.serve_forever()


main(int(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:])
