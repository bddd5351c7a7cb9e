"""A web server with a configuration of its own: `configured_web.py [--test] FILE`; a file that is no JSON ends it."""

import json
import socket
import sys
from pathlib import Path


def main(test: bool, file: str) -> None:
    """Serve until killed, or only say whether the file can be used."""
    port = int(json.loads(Path(file).read_text(encoding="utf-8"))["port"])
    if test:
        return
    server = socket.create_server(("127.0.0.1", port))
    while True:
        peer = server.accept()[0]
        with peer:
            peer.recv(4096)
            peer.sendall(b"HTTP/1.0 200 OK\r\n\r\n")


main("--test" in sys.argv[1:], sys.argv[-1])
