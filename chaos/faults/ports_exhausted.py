"""No local port is left for a new connection to a service."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from chaos.faults.base import Fault
from chaos.host import DisposableHost
from chaos.waiting import wait_until
from chaos.workload import accepts, interpreter, program, start_unit, struck

_SETTING = "net/ipv4/ip_local_port_range"


@dataclass(frozen=True, slots=True)
class PortsExhausted(Fault):
    """One client holds a connection on every port of a narrow range, in the host's own network."""

    name = "ports_exhausted"

    port: int = 8080
    #: First and last.
    ports: str = "40000 40031"

    def prepare(self, host: DisposableHost) -> None:
        host.run(["mkdir", "-p", "/srv/empty"], check=True)
        serve = [*interpreter(), "-m", "http.server", "--bind", "127.0.0.1", "--directory", "/srv/empty", str(self.port)]
        start_unit(host, "api", serve)
        wait_until(lambda: accepts(host, self.port), "api.service", seconds=10)
        host.write_file(f"{self.REMEMBERED}/ports", host.read_file(f"/proc/sys/{_SETTING}"))

    def inject(self, host: DisposableHost) -> float:
        narrow = ("run", "sysctl", "--quiet", "--write", f"{_SETTING}={self.ports}")
        client = ("run", "systemd-run", "--quiet", "--unit=chaos-client", "--", *program("hold.py"), str(self.port))
        at = struck(host, narrow, client)
        wait_until(lambda: not accepts(host, self.port), "the last port", seconds=10)
        return at

    def is_gone(self, host: DisposableHost) -> bool:
        return accepts(host, self.port)

    def harm(self, host: DisposableHost) -> Sequence[str]:
        first, last = (int(port) for port in host.read_file(f"/proc/sys/{_SETTING}").split())
        return [f"ports {first} to {last} take those of services"] if first < 1024 or last > 65535 else []
