"""An advisory about a library that a service runs with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from chaos.faults.base import Fault
from chaos.host import DisposableHost
from chaos.packages import ADVISORIES, DEBIAN_PACKAGE, build_debian, installed_debian, maps_deleted, start_mapping
from chaos.workload import accepts, struck, unit_property

_INSTALLED, _FIXED = "1.0", "1.1"
_ADVISORY = f'{{"id": "ACME-2026-2", "package": "{DEBIAN_PACKAGE}", "fixed": "{_FIXED}"}}\n'


@dataclass(frozen=True, slots=True)
class VulnerableOsPackage(Fault):
    """The advisory comes in and the fixed version is in the host's repository; well is who runs with that."""

    name = "vulnerable_os_package"
    programs = ("dpkg-deb", "dpkg-query")

    unit: str = "acme"
    port: int = 8080

    def prepare(self, host: DisposableHost) -> None:
        host.run(["dpkg", "--install", build_debian(host, _INSTALLED)], check=True)
        build_debian(host, _FIXED)
        start_mapping(host, self.unit, self.port)
        host.run(["mkdir", "-p", ADVISORIES], check=True)
        host.write_file(f"{self.REMEMBERED}/advisory.json", _ADVISORY)

    def inject(self, host: DisposableHost) -> float:
        return struck(host, ("run", "cp", f"{self.REMEMBERED}/advisory.json", self._advisory))

    def is_gone(self, host: DisposableHost) -> bool:
        known = host.run(["test", "-e", self._advisory]).returncode == 0
        return not known or (
            installed_debian(host) == _FIXED
            and accepts(host, self.port)
            and not maps_deleted(host, unit_property(host, self.unit, "MainPID"))
        )

    def harm(self, host: DisposableHost) -> Sequence[str]:
        starts = host.run(["journalctl", f"--unit={self.unit}", "--output=cat", "--grep=^Started"]).stdout.splitlines()
        return [f"{self.unit} was restarted {len(starts) - 1} times where once is enough"] if len(starts) > 2 else []

    @property
    def _advisory(self) -> str:
        return f"{ADVISORIES}/ACME-2026-2.json"
