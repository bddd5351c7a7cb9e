"""A library was upgraded, and a service still runs with the old one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from chaos.faults.base import Fault
from chaos.host import DisposableHost
from chaos.packages import DEBIAN_PACKAGE, build_debian, maps_deleted, start_mapping
from chaos.workload import accepts, struck, unit_property


@dataclass(frozen=True, slots=True)
class DeletedLibrary(Fault):
    """What dpkg replaced is deleted, and lives on in the service that mapped it."""

    name = "deleted_library"
    programs = ("dpkg-deb", "dpkg-query")

    unit: str = "acme"
    port: int = 8080

    def prepare(self, host: DisposableHost) -> None:
        host.run(["dpkg", "--install", build_debian(host, "1.0")], check=True)
        host.write_file(f"{self.REMEMBERED}/built", build_debian(host, "1.1"))
        start_mapping(host, self.unit, self.port)

    def inject(self, host: DisposableHost) -> float:
        return struck(host, ("run", "dpkg", "--install", host.read_file(f"{self.REMEMBERED}/built")))

    def is_gone(self, host: DisposableHost) -> bool:
        return accepts(host, self.port) and not maps_deleted(host, unit_property(host, self.unit, "MainPID"))

    def traces(self) -> Sequence[str]:
        return (f"package {DEBIAN_PACKAGE}",)
