"""Looks at one certificate, in its files and at its server: `python -m zen_agents.workers.certificate_look`.

Reads `LookRequest`s as JSON, one a line, and writes a `CertificateLook` for each. A server is met by the standard library's
own TLS, as any client would meet it; what a certificate says, and whether the chain in a file is complete, is asked of the
program openssl, which is where certificates are. That takes half the memory of a library for it, and nothing to install.
"""

from __future__ import annotations

import contextlib
import functools
import os
import re
import socket
import ssl
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from zen_agents.clock import SystemClock
from zen_agents.jobs.certificate_look import LookRequest, reply_to_json
from zen_agents.model.certificate import Certificate, CertificateLook, CertificateQuestion, Seen
from zen_agents.workers.starttls import begin_tls

_MOST_BYTES = 256 * 1024
_OPENSSL_SECONDS = 5.0
_PEM = re.compile(rb"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)
_KEY = re.compile(rb"-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----")
_ORGANISATION = re.compile(r"(?:^|,)O=((?:\\.|[^,\\])*)")
_VERIFY_ERROR = re.compile(rb"error (\d+) at \d+ depth lookup: *([^\r\n]+)")
#: X509_V_ERR_CERT_HAS_EXPIRED.
_HAS_EXPIRED = 10
_UNREADABLE = "it is no certificate that openssl can read"
_NOT_OURS = frozenset({"KEY_VALUES_MISMATCH", "KEY_TYPE_MISMATCH"})


class _UntoldError(Exception):
    """Something of this host is in the way; nothing was learnt about the certificate."""


class _FaultError(Exception):
    """What is wrong with it."""


def look(request: LookRequest) -> CertificateLook:
    """Return what lies in the files and what the server shows."""
    asked = request.asked
    return CertificateLook(
        _in_files(asked) if asked.file else None, _at_server(asked, request.within_seconds) if asked.server else None
    )


# -- files ------------------------------------------------------------------------------------------------------------
def _in_files(asked: CertificateQuestion) -> Seen:
    certificate = None
    try:
        text = _read(asked.file)
        leaf = _leaf(text, asked.file)
        certificate = _described(_without_its_dress(leaf))
        if certificate.not_before > _now():
            raise _FaultError("it is not valid yet")
        _check_key(asked, text)
        _check_chain(asked, leaf)
    except _UntoldError as error:
        return Seen(certificate, untold=str(error))
    except _FaultError as error:
        return Seen(certificate, fault=str(error))
    return Seen(certificate)


def _read(path: str) -> bytes:
    try:
        with Path(path).open("rb") as stream:
            text = stream.read(_MOST_BYTES + 1)
    except FileNotFoundError as error:
        raise _FaultError(f"{path} is not there") from error
    except OSError as error:
        raise _UntoldError(f"{path} cannot be read: {error.strerror}") from error
    if len(text) > _MOST_BYTES:
        raise _FaultError(f"{path} is larger than {_MOST_BYTES} bytes, so it is no certificate")
    return text


def _leaf(text: bytes, path: str) -> bytes:
    match = _PEM.search(text)
    if match is None:
        raise _FaultError(f"{path} holds no certificate")
    return match[0] + b"\n"


def _without_its_dress(pem: bytes) -> bytes:
    try:
        return ssl.PEM_cert_to_DER_cert(pem.decode("ascii"))
    except ValueError as error:
        raise _FaultError(_UNREADABLE) from error


# Mostly a server shows what lies in its file, which is described already.
@functools.lru_cache(maxsize=4)
def _described(der: bytes) -> Certificate:
    argv = ["x509", "-inform", "DER", "-noout", "-serial", "-dates", "-issuer", "-nameopt", "RFC2253,-esc_msb,utf8"]
    # It reads every authority of the host before it describes one certificate, for which it needs none.
    code, said = _openssl(
        [*argv, "-fingerprint", "-sha256"], der, {"SSL_CERT_FILE": "/dev/null", "SSL_CERT_DIR": "/dev/null"}
    )
    pairs = (line.partition("=") for line in said.decode("utf-8", "replace").splitlines())
    found = {name.strip().lower(): value.strip() for name, _, value in pairs}
    if code != 0 or not {"serial", "notbefore", "notafter", "issuer", "sha256 fingerprint"} <= found.keys():
        raise _FaultError(_UNREADABLE)
    organisation = _ORGANISATION.search(found["issuer"])
    return Certificate(
        serial=found["serial"],
        issuer=found["issuer"],
        organisation=organisation[1] if organisation else "",
        not_before=float(ssl.cert_time_to_seconds(found["notbefore"])),
        not_after=float(ssl.cert_time_to_seconds(found["notafter"])),
        fingerprint=found["sha256 fingerprint"].replace(":", "").lower(),
    )


def _check_key(asked: CertificateQuestion, text: bytes) -> None:
    if not asked.key and not _KEY.search(text):
        return
    where = asked.key or asked.file
    _read(where)
    try:
        # An encrypted key would ask for its password on a terminal.
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(asked.file, asked.key or None, password=lambda: "")
    except ssl.SSLError as error:
        if error.reason in _NOT_OURS:
            raise _FaultError(f"the key in {where} belongs to another certificate") from error
        raise _FaultError(f"{where} holds no key that can be used without a password") from error


def _check_chain(asked: CertificateQuestion, leaf: bytes) -> None:
    """Have openssl build the chain up to a trusted authority, whatever its age, and compare the name."""
    argv = ["verify", "-purpose", "sslserver", "-no_check_time", "-untrusted", asked.file]
    argv += ["-untrusted", asked.chain] if asked.chain else []
    argv += ["-CAfile", asked.authority, "-no-CApath", "-no-CAstore"] if asked.authority else []
    argv += ["-verify_ip" if _is_address(asked.name) else "-verify_hostname", asked.name] if asked.name else []
    if asked.authority:
        _read(asked.authority)
    code, said = _openssl(argv, leaf, _authorities())
    if code == 0:
        return
    match = _VERIFY_ERROR.search(said)
    if match is None:
        raise _UntoldError(f"openssl cannot judge the chain: {said.decode('utf-8', 'replace').strip()[-200:]}")
    raise _FaultError(_words(int(match[1]), match[2].decode("utf-8", "replace"), asked.name))


def _openssl(argv: Sequence[str], given: bytes, authorities: Mapping[str, str]) -> tuple[int, bytes]:
    environment = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C", **authorities}
    try:
        ended = subprocess.run(
            ["openssl", *argv], input=given, capture_output=True, timeout=_OPENSSL_SECONDS, check=False, env=environment
        )
    except FileNotFoundError as error:
        raise _UntoldError("the program openssl is not installed; install the package openssl") from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise _UntoldError(f"openssl did not answer: {error}") from error
    return ended.returncode, ended.stdout + ended.stderr


def _authorities() -> Mapping[str, str]:
    """Return where trusted authorities are to be found, if not where they usually are."""
    return {name: os.environ[name] for name in ("SSL_CERT_FILE", "SSL_CERT_DIR") if name in os.environ}


# -- servers ----------------------------------------------------------------------------------------------------------
def _at_server(asked: CertificateQuestion, within_seconds: float) -> Seen:
    context, fault, expired = _trusting(asked), "", False
    try:
        leaf = _shown(asked, context, within_seconds)
    except ssl.SSLCertVerificationError as error:
        expired = error.verify_code == _HAS_EXPIRED
        fault = _words(error.verify_code, error.verify_message, asked.name)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        try:
            leaf = _shown(asked, context, within_seconds)
        except OSError as again:
            return Seen(untold=_why(asked, again))
    except OSError as error:
        return Seen(untold=_why(asked, error))
    try:
        certificate = _described(leaf)
    except _FaultError as error:
        return Seen(fault=str(error))
    except _UntoldError as error:
        return Seen(untold=str(error))
    # Its own age is told by its dates; here it is that of an intermediate.
    return Seen(certificate, "" if expired and certificate.not_after <= _now() else fault)


def _trusting(asked: CertificateQuestion) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=asked.authority or None)
    # As most clients do; newer versions of the standard library refuse many an own authority that these take.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    context.check_hostname = bool(asked.name)
    return context


def _shown(asked: CertificateQuestion, context: ssl.SSLContext, within_seconds: float) -> bytes:
    host, _, port = asked.server.rpartition(":")
    host = host.strip("[]")
    with socket.create_connection((host, int(port)), timeout=within_seconds) as plain:
        if asked.starttls:
            begin_tls(plain, asked.starttls)
        with context.wrap_socket(plain, server_hostname=asked.name or host) as connection:
            return connection.getpeercert(binary_form=True) or b""


def _why(asked: CertificateQuestion, error: OSError) -> str:
    return f"{asked.server} shows no certificate: {error.strerror or error or type(error).__name__}"


def _words(code: int, said: str, name: str) -> str:
    """Return what OpenSSL found, in words; its codes are those of `openssl verify`."""
    if code in (62, 64):
        return f"it is not for the name {name}"
    if code in (18, 19, 20, 21, 2):
        return f"no chain leads from it to a trusted authority ({said})"
    return f"it is refused: {said}"


def _now() -> float:
    return SystemClock().now().wall.timestamp()


def _is_address(name: str) -> bool:
    for family in (socket.AF_INET, socket.AF_INET6):
        with contextlib.suppress(OSError):
            socket.inet_pton(family, name)
            return True
    return False


def main() -> int:
    """Answer each request, a line each, until there are no more."""
    for line in sys.stdin:
        sys.stdout.write(reply_to_json(look(LookRequest.from_json(line))) + "\n")
        sys.stdout.flush()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
