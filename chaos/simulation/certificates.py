"""Certificates of a simulated host: a file's content says what it is, and a server shows what it last loaded."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

from zen_agents.model.certificate import Certificate, CertificateLook, CertificateQuestion, Seen


class SimulatedCertificates:
    """Reads certificates from the contents of simulated files; a server loads its file when its unit is reloaded."""

    def __init__(self, contents: Mapping[str, str]) -> None:
        self._contents = contents
        #: Unit -> HOST:PORT and the file that it reads.
        self._servers: dict[str, tuple[str, str]] = {}
        self._shown: dict[str, str] = {}

    @staticmethod
    def text(serial: str, *, ends: float, authority: str = "Own", fault: str = "") -> str:
        """Return the content of a certificate's file; its key's file holds `key of SERIAL`."""
        return json.dumps({"serial": serial, "ends": ends, "authority": authority, "fault": fault})

    def serve(self, unit: str, server: str, file: str) -> None:
        """Let a unit show what lies in a file now."""
        self._servers[unit] = server, file
        self.reload(unit)

    def reload(self, unit: str) -> None:
        """Let a unit read its file anew."""
        if unit in self._servers:
            server, file = self._servers[unit]
            self._shown[server] = self._contents.get(file, "")

    def look(self, asked: CertificateQuestion) -> CertificateLook:
        """Return what lies in the files and what the server shows."""
        return CertificateLook(self.in_file(asked) if asked.file else None, self._at(asked.server) if asked.server else None)

    def in_file(self, asked: CertificateQuestion) -> Seen:
        """Return what lies in the files."""
        if asked.file not in self._contents:
            return Seen(fault=f"{asked.file} is not there")
        seen = _seen(self._contents[asked.file])
        if asked.key and seen.certificate is not None and not seen.fault:
            key = self._contents.get(asked.key)
            if key is None:
                return seen._replace(fault=f"{asked.key} is not there")
            if key != f"key of {seen.certificate.serial}":
                return seen._replace(fault=f"the key in {asked.key} belongs to another certificate")
        return seen

    def _at(self, server: str) -> Seen:
        if server not in self._shown:
            return Seen(untold=f"{server} shows no certificate: Connection refused")
        return _seen(self._shown[server])


def _seen(text: str) -> Seen:
    try:
        said = json.loads(text)
        serial, ends, authority, fault = (said[name] for name in ("serial", "ends", "authority", "fault"))
    except (ValueError, KeyError, TypeError):
        return Seen(fault="it holds no certificate")
    fingerprint = hashlib.sha256(text.encode()).hexdigest()
    return Seen(Certificate(serial, f"CN=x,O={authority}", authority, 0.0, float(ends), fingerprint), fault)
