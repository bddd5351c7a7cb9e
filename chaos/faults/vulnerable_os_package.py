"""An advisory about a library that a service runs with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from chaos.faults.base import Fault
from chaos.host import DisposableHost
from chaos.packages import (
    ADVISORIES,
    DEBIAN_PACKAGE,
    build_debian,
    installed_debian,
    maps_deleted,
    offer_debian,
    start_mapping,
    write_feed,
)
from chaos.workload import accepts, struck, unit_property

_INSTALLED, _FIXED = "1.0", "1.1"
#: Of a source, high, remote, and fixed in the release.
_WEAK, _OTHER = f"{DEBIAN_PACKAGE},0,SHRF,{_FIXED},", "another,0,SHRF,2.0,"


@dataclass(frozen=True, slots=True)
class VulnerableOsPackage(Fault):
    """The advisory comes in and the fixed version is in the host's repository; well is who runs with that."""

    name = "vulnerable_os_package"
    programs = ("dpkg-deb", "dpkg-query", "apt-get", "cmp")

    unit: str = "acme"
    port: int = 8080

    def prepare(self, host: DisposableHost) -> None:
        host.run(["dpkg", "--install", build_debian(host, _INSTALLED)], check=True)
        build_debian(host, _FIXED)
        offer_debian(host)
        start_mapping(host, self.unit, self.port)
        write_feed(host, self._feed, _OTHER)
        write_feed(host, f"{self.REMEMBERED}/feed", _OTHER, _WEAK)

    def inject(self, host: DisposableHost) -> float:
        return struck(host, ("run", "cp", f"{self.REMEMBERED}/feed", self._feed))

    def is_gone(self, host: DisposableHost) -> bool:
        known = host.run(["cmp", "--silent", f"{self.REMEMBERED}/feed", self._feed]).returncode == 0
        return not known or (
            installed_debian(host) == _FIXED
            and accepts(host, self.port)
            and not maps_deleted(host, unit_property(host, self.unit, "MainPID"))
        )

    def harm(self, host: DisposableHost) -> Sequence[str]:
        starts = host.run(["journalctl", f"--unit={self.unit}", "--output=cat", "--grep=^Started"]).stdout.splitlines()
        return [f"{self.unit} was restarted {len(starts) - 1} times where once is enough"] if len(starts) > 2 else []

    @property
    def _feed(self) -> str:
        return f"{ADVISORIES}/feed"
