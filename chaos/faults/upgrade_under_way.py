"""A service is down because its package is just being upgraded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from chaos.faults.base import Fault
from chaos.host import DisposableHost
from chaos.waiting import wait_until
from chaos.workload import accepts, start_web, struck

_PACKAGE, _UNIT = "acme-web", "chaos-upgrade"
_CONTROL = f"""Package: {_PACKAGE}
Version: 2.0
Architecture: all
Maintainer: nobody <nobody@example.com>
Description: brings the web server of this host alone
"""


@dataclass(frozen=True, slots=True)
class UpgradeUnderWay(Fault):
    """dpkg installs a package whose scripts stop a service, take their time with its data, and start it in the end.

    Whoever starts it meanwhile runs a new program on data that are half converted.
    """

    name = "upgrade_under_way"
    programs = ("dpkg-deb",)

    unit: str = "web"
    port: int = 8080

    def prepare(self, host: DisposableHost) -> None:
        start_web(host, self.unit, self.port, "Restart=no")
        tree = f"{self.REMEMBERED}/package"
        host.write_file(f"{tree}/DEBIAN/control", _CONTROL)
        host.write_file(f"{tree}/DEBIAN/preinst", f"#!/bin/sh\nsystemctl stop {self.unit}.service\n", mode=0o755)
        converts = f"while test ! -e {self._converted}; do sleep 0.1; done"
        host.write_file(
            f"{tree}/DEBIAN/postinst", f"#!/bin/sh\n{converts}\nsystemctl start {self.unit}.service\n", mode=0o755
        )
        host.run(["dpkg-deb", "--build", "--root-owner-group", "-Znone", tree, self._built], check=True)

    def inject(self, host: DisposableHost) -> float:
        at = struck(host, ("run", "systemd-run", "--quiet", f"--unit={_UNIT}", "dpkg", "--install", self._built))
        wait_until(lambda: not accepts(host, self.port), "that its package stops it", seconds=10)
        return at

    def is_gone(self, host: DisposableHost) -> bool:
        return accepts(host, self.port)

    def traces(self) -> Sequence[str]:
        return (f"unit {self.unit}.service", f"port tcp {self.port}", f"package {_PACKAGE}")

    @property
    def _built(self) -> str:
        return f"{self.REMEMBERED}/{_PACKAGE}.deb"

    @property
    def _converted(self) -> str:
        return f"{self.REMEMBERED}/converted"
