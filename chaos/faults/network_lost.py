"""The way out of a host is lost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from chaos.faults.base import Fault
from chaos.host import DisposableHost
from chaos.workload import start_web, struck, unit_property

_NEAR, _FAR = "uplink", "beyond"
_ADDRESS, _GATEWAY = "198.51.100.2", "198.51.100.1"
_LOST: Final = {
    "cable": ("ip", "link", "set", _FAR, "down"),
    "route": ("ip", "route", "delete", "default"),
}


@dataclass(frozen=True, slots=True)
class NetworkLost(Fault):
    """The cable of a host's only interface is pulled at the other end, or its default route is gone; its service is well."""

    name = "network_lost"
    programs = ("ip",)

    what: Literal["cable", "route"] = "cable"
    unit: str = "web"
    port: int = 8080

    def prepare(self, host: DisposableHost) -> None:
        start_web(host, self.unit, self.port, "Restart=no")
        host.run(["mkdir", "-p", self.REMEMBERED], check=True)
        host.write_file(self._pid, unit_property(host, self.unit, "MainPID"))
        for words in (
            ["link", "add", _NEAR, "type", "veth", "peer", "name", _FAR],
            ["address", "add", f"{_ADDRESS}/24", "dev", _NEAR],
            ["link", "set", _NEAR, "up"],
            ["link", "set", _FAR, "up"],
            ["route", "add", "default", "via", _GATEWAY, "dev", _NEAR],
        ):
            host.run(["ip", *words], check=True)

    def inject(self, host: DisposableHost) -> float:
        return struck(host, ("run", *_LOST[self.what]))

    def is_gone(self, host: DisposableHost) -> bool:
        routes = host.run(["ip", "route", "show", "default"]).stdout
        return _NEAR in routes and "linkdown" not in routes

    def harm(self, host: DisposableHost) -> Sequence[str]:
        same = unit_property(host, self.unit, "MainPID") == host.read_file(self._pid).strip()
        return [] if same else [f"{self.unit} was restarted, and it was well"]

    @property
    def _pid(self) -> str:
        return f"{self.REMEMBERED}/web.pid"
