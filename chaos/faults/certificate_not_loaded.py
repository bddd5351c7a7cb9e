"""A renewed certificate that its server does not know of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from chaos.certificates import ISSUE, certificate_in, make_authority, served, start_tls
from chaos.faults.base import Fault
from chaos.host import DisposableHost
from chaos.workload import struck, unit_property


@dataclass(frozen=True, slots=True)
class CertificateNotLoaded(Fault):
    """The file was replaced and nobody told the server, which goes on with the old one until that is over."""

    name = "certificate_not_loaded"
    programs = ("openssl",)

    unit: str = "tls"
    port: int = 8443
    certificate: str = "/srv/tls/web.pem"

    def prepare(self, host: DisposableHost) -> None:
        make_authority(host)
        host.run(["mkdir", "-p", "/srv/tls", self.REMEMBERED], check=True)
        host.run([ISSUE, "20", self.certificate], check=True)
        host.run([ISSUE, "90", self._renewed], check=True)
        start_tls(host, self.unit, self.port, self.certificate)
        host.write_file(f"{self.REMEMBERED}/pid", unit_property(host, self.unit, "MainPID"))

    def inject(self, host: DisposableHost) -> float:
        return struck(host, ("run", "cp", self._renewed, self.certificate))

    def is_gone(self, host: DisposableHost) -> bool:
        shown = served(host, self.port)
        return shown is not None and shown.certificate == certificate_in(host, self.certificate)

    def harm(self, host: DisposableHost) -> Sequence[str]:
        same = unit_property(host, self.unit, "MainPID") == host.read_file(f"{self.REMEMBERED}/pid")
        return [] if same else [f"{self.unit} was restarted where a reload is enough: its connections were dropped"]

    @property
    def _renewed(self) -> str:
        return f"{self.REMEMBERED}/renewed.pem"
