"""A certificate that is over in two days."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from chaos.certificates import ISSUE, certificate_in, make_authority, served, start_tls
from chaos.faults.base import Fault
from chaos.host import DisposableHost
from chaos.waiting import wait_until
from chaos.workload import struck, unit_property

_DAY_SECONDS = 86400.0


@dataclass(frozen=True, slots=True)
class CertificateExpiring(Fault):
    """What is served ends so soon that nobody has renewed it: as if the days until then had passed unnoticed."""

    name = "certificate_expiring"
    programs = ("openssl",)

    unit: str = "tls"
    port: int = 8443
    certificate: str = "/srv/tls/web.pem"
    days: int = 2
    #: Well again from so many days on.
    enough_days: int = 30

    def prepare(self, host: DisposableHost) -> None:
        make_authority(host)
        host.run(["mkdir", "-p", "/srv/tls", self.REMEMBERED], check=True)
        host.run([ISSUE, "90", self.certificate], check=True)
        host.run([ISSUE, str(self.days), self._expiring], check=True)
        start_tls(host, self.unit, self.port, self.certificate)
        host.write_file(f"{self.REMEMBERED}/pid", unit_property(host, self.unit, "MainPID"))

    def inject(self, host: DisposableHost) -> float:
        good = certificate_in(host, self.certificate)
        at = struck(
            host, ("run", "cp", self._expiring, self.certificate), ("run", "systemctl", "reload", f"{self.unit}.service")
        )
        # The old one, or already the one that whoever repaired it got.
        wait_until(lambda: (shown := served(host, self.port)) and shown.certificate != good, "the old one", seconds=5)
        return at

    def is_gone(self, host: DisposableHost) -> bool:
        shown = served(host, self.port)
        return shown is not None and shown.not_after > time.time() + self.enough_days * _DAY_SECONDS

    def traces(self) -> Sequence[str]:
        return (f"file {self.certificate}",)

    def harm(self, host: DisposableHost) -> Sequence[str]:
        same = unit_property(host, self.unit, "MainPID") == host.read_file(f"{self.REMEMBERED}/pid")
        return [] if same else [f"{self.unit} was restarted where a reload is enough: its connections were dropped"]

    @property
    def _expiring(self) -> str:
        return f"{self.REMEMBERED}/expiring.pem"
