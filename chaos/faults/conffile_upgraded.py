"""A managed file that the upgrade of its package changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from chaos.faults.base import Fault
from chaos.host import DisposableHost
from chaos.workload import struck

_PACKAGE, _FILE = "acme-config", "/etc/acme/acme.conf"
_CONTROL = """Package: {name}
Version: {version}
Architecture: all
Maintainer: nobody <nobody@example.com>
Description: a configuration of this host alone
"""


@dataclass(frozen=True, slots=True)
class ConffileUpgraded(Fault):
    """dpkg installs a newer version of the package that brought a file for which something is declared."""

    name = "conffile_upgraded"
    programs = ("dpkg-deb",)

    baseline: str = "/srv/baseline/acme.conf"

    def prepare(self, host: DisposableHost) -> None:
        host.run(["dpkg", "--install", self._built(host, "1.0")], check=True)
        host.run(["install", "-D", _FILE, self.baseline], check=True)
        self._built(host, "1.1")

    def inject(self, host: DisposableHost) -> float:
        return struck(host, ("run", "dpkg", "--install", self._at("1.1")))

    def is_gone(self, host: DisposableHost) -> bool:
        return host.run(["cmp", "--silent", _FILE, self.baseline]).returncode == 0

    def traces(self) -> Sequence[str]:
        return (f"file {_FILE}", f"package {_PACKAGE}")

    def _built(self, host: DisposableHost, version: str) -> str:
        tree = f"{self.REMEMBERED}/{version}"
        host.write_file(f"{tree}/DEBIAN/control", _CONTROL.format(name=_PACKAGE, version=version))
        host.write_file(f"{tree}/DEBIAN/conffiles", f"{_FILE}\n")
        host.write_file(f"{tree}{_FILE}", f"version = {version}\n")
        host.run(["dpkg-deb", "--build", "--root-owner-group", "-Znone", tree, self._at(version)], check=True)
        return self._at(version)

    def _at(self, version: str) -> str:
        return f"{self.REMEMBERED}/{version}.deb"
