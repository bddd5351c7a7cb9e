"""Certificates of a disposable host: an authority of its own, who is served by it, and what is served."""

from __future__ import annotations

import ssl
from dataclasses import dataclass

from chaos.host import DisposableHost
from chaos.waiting import wait_until
from chaos.workload import file_text, program, start_unit

#: Issues key and certificate for localhost into one file, which is there whole or not at all: `issue DAYS FILE`.
ISSUE = "/srv/authority/issue"
_AUTHORITY = "/srv/authority/authority.pem"
_ISSUE_SCRIPT = """#!/bin/sh
set -eu
cd /srv/authority
new=$(mktemp "$2.XXXXXX")
openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout "$new" -subj /CN=localhost -out request.pem
openssl x509 -req -in request.pem -days "$1" -CA authority.pem -CAkey authority.key -set_serial "0x$(openssl rand -hex 8)" \\
    -extfile names >> "$new"
chmod 0600 "$new"
mv "$new" "$2"
"""
_STARTED_WITHIN_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Served:
    """What somebody who trusts the authority is shown, in DER; the end of its validity in seconds of the wall clock."""

    certificate: bytes
    not_after: float


def make_authority(host: DisposableHost) -> None:
    """Make the authority, which lasts a year, and the program that issues."""
    host.write_file(ISSUE, _ISSUE_SCRIPT, mode=0o755)
    host.write_file("/srv/authority/names", "subjectAltName=DNS:localhost\n")
    new = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "365"]
    subject = ["-subj", "/CN=authority of this host", "-keyout", "/srv/authority/authority.key", "-out", _AUTHORITY]
    host.run([*new, *subject], check=True)


def start_tls(host: DisposableHost, unit: str, port: int, certificate: str) -> None:
    """Start a server as `unit`.service that reads its certificate anew on reload, and wait for it to serve."""
    lines = ("Restart=no", "ExecReload=/bin/kill -HUP $MAINPID")
    start_unit(host, unit, [*program("tls_web.py"), str(port), certificate], *lines)
    wait_until(lambda: served(host, port), f"{unit}.service", seconds=_STARTED_WITHIN_SECONDS)


def served(host: DisposableHost, port: int) -> Served | None:
    """Return what a port of localhost serves, None if nobody answers or the chain is not valid; asked from outside."""
    context = ssl.create_default_context(cadata=file_text(host, _AUTHORITY))
    try:
        with host.connect(port) as plain, context.wrap_socket(plain, server_hostname="localhost") as connection:
            shown, certificate = connection.getpeercert() or {}, connection.getpeercert(binary_form=True) or b""
    except OSError:
        return None
    return Served(certificate, ssl.cert_time_to_seconds(str(shown["notAfter"])))


def certificate_in(host: DisposableHost, file: str) -> bytes:
    """Return the certificate in a file inside, in DER, read from outside; ValueError if there is none."""
    _, begin, rest = file_text(host, file).partition("-----BEGIN CERTIFICATE-----")
    body, end, _ = rest.partition("-----END CERTIFICATE-----")
    return ssl.PEM_cert_to_DER_cert(begin + body + end)
