"""A certificate authority of a test's own, and a server that shows what it issued."""

from __future__ import annotations

import contextlib
import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

needs_openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="needs the program openssl")
_CONFIGURATION = """
[ca]
default_ca = own
[own]
database = {directory}/index
new_certs_dir = {directory}
certificate = {directory}/root.pem
private_key = {directory}/root.key
default_md = sha256
rand_serial = yes
unique_subject = no
policy = any
[any]
commonName = supplied
"""
_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")


@dataclass(frozen=True, slots=True)
class Issued:
    """A certificate and its key, in a file each."""

    file: Path
    key: Path


class Authority:
    """Issues certificates for localhost, valid for so many days from now on; negative: they ended so long ago."""

    def __init__(self, directory: Path, organisation: str = "Test Authority") -> None:
        directory.mkdir(exist_ok=True)
        self._directory = directory
        self.root = directory / "root.pem"
        self._key = directory / "root.key"
        subject = ("-subj", f"/O={organisation}/CN=root")
        _openssl("req", "-x509", *_KEY, "-days", "365", *subject, "-keyout", str(self._key), "-out", str(self.root))
        (directory / "names").write_text("subjectAltName=DNS:localhost\nextendedKeyUsage=serverAuth\n")
        (directory / "index").touch()
        (directory / "ca.cnf").write_text(_CONFIGURATION.format(directory=directory))

    def issue(self, name: str, *, days: int) -> Issued:
        """Return a new certificate."""
        issued = Issued(self._directory / f"{name}.pem", self._directory / f"{name}.key")
        request = self._directory / f"{name}.csr"
        _openssl("req", "-new", *_KEY, "-subj", "/CN=localhost", "-keyout", str(issued.key), "-out", str(request))
        begins, ends = (datetime.now(UTC) + timedelta(days=each) for each in (min(0, days) - 1, days))
        _openssl(
            "ca", "-batch", "-notext", "-config", str(self._directory / "ca.cnf"), "-in", str(request),
            "-startdate", f"{begins:%Y%m%d%H%M%SZ}", "-enddate", f"{ends:%Y%m%d%H%M%SZ}",
            "-extfile", str(self._directory / "names"), "-out", str(issued.file),
        )  # fmt: skip
        return issued


@contextlib.contextmanager
def serving(issued: Issued) -> Iterator[str]:
    """Show a certificate on a free port of this host; the value is HOST:PORT."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(issued.file, issued.key)
    listening = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=_serve, args=(listening, context))
    thread.start()
    try:
        yield f"127.0.0.1:{listening.getsockname()[1]}"
    finally:
        # Closing alone would not wake it.
        listening.shutdown(socket.SHUT_RDWR)
        thread.join(30)
        listening.close()


def _serve(listening: socket.socket, context: ssl.SSLContext) -> None:
    while True:
        try:
            peer, _ = listening.accept()
        except OSError:
            return
        peer.settimeout(10)
        with contextlib.suppress(OSError), context.wrap_socket(peer, server_side=True) as connection:
            connection.recv(1)


def _openssl(*argv: str) -> None:
    subprocess.run(["openssl", *argv], check=True, capture_output=True)
