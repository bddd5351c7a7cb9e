"""No local port is left for a new connection to a service."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from chaos.faults.base import Fault
from chaos.host import DisposableHost
from chaos.waiting import pause, wait_until
from chaos.workload import accepts, break_off, interpreter, program, start_unit, struck

_SETTING = "net/ipv4/ip_local_port_range"
_AWAY_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class PortsExhausted(Fault):
    """One client holds a connection on every port of a narrow range, in the host's own network.

    With `passing` it ends as soon as there are more ports, and then the range is to be as narrow as before.
    """

    name = "ports_exhausted"

    port: int = 8080
    #: First and last.
    ports: str = "40000 40031"
    passing: bool = False

    def prepare(self, host: DisposableHost) -> None:
        host.run(["mkdir", "-p", "/srv/empty"], check=True)
        serve = [*interpreter(), "-m", "http.server", "--bind", "127.0.0.1", "--directory", "/srv/empty", str(self.port)]
        start_unit(host, "api", serve)
        wait_until(lambda: accepts(host, self.port), "api.service", seconds=10)
        host.write_file(f"{self.REMEMBERED}/ports", host.read_file(f"/proc/sys/{_SETTING}"))
        self._begin(host)

    def inject(self, host: DisposableHost) -> float:
        at = struck(host, ("run", "sysctl", "--quiet", "--write", f"{_SETTING}={self.ports}"))
        self._until_all_are_taken(host)
        if self.passing:
            ending = (
                f"until ! grep -qE '^{self.ports.replace(' ', '[[:space:]]')}$$' /proc/sys/{_SETTING}; do sleep 0.1; done; "
                f"sleep 1; systemctl stop chaos-client.service; touch {self._ended}"
            )
            host.run(["systemd-run", "--quiet", "--unit=chaos-end", "sh", "-c", ending], check=True)
        return at

    def again(self, host: DisposableHost) -> None:
        # The range alone is what is asked about; so the client ends for long enough to be seen, and another one comes.
        host.run(["systemctl", "stop", "chaos-client.service"], check=True)
        pause(_AWAY_SECONDS)
        self._begin(host)
        self._until_all_are_taken(host)

    def is_gone(self, host: DisposableHost) -> bool:
        if not self.passing:
            return self._is_reached(host)
        # Ports of closed connections become free now and then: that is no end of it.
        return self._is_narrow(host) and host.run(["test", "-e", self._ended]).returncode == 0 and self._is_reached(host)

    @property
    def ends_by_itself(self) -> bool:
        return self.passing

    def harm(self, host: DisposableHost) -> Sequence[str]:
        first, last = (int(port) for port in host.read_file(f"/proc/sys/{_SETTING}").split())
        return [f"ports {first} to {last} take those of services"] if first < 1024 or last > 65535 else []

    def _is_reached(self, host: DisposableHost) -> bool:
        """Look without leaving a port behind that waits to be forgotten: it is looked hundreds of times a second."""
        try:
            with host.connect(self.port) as connection:
                break_off(connection)
        except OSError:
            return False
        return True

    def _is_narrow(self, host: DisposableHost) -> bool:
        return host.read_file(f"/proc/sys/{_SETTING}").split() == self.ports.split()

    def _begin(self, host: DisposableHost) -> None:
        """Start the client, which takes all ports once the range is narrow."""
        host.run(["rm", "--force", self._all], check=True)
        client = [*program("hold.py"), str(self.port), *self.ports.split(), self._all]
        host.run(["systemd-run", "--quiet", "--unit=chaos-client", "--", *client], check=True)

    def _until_all_are_taken(self, host: DisposableHost) -> None:
        # Not by connecting: each try takes a port for a while, and so the client's last one before it has come to it.
        wait_until(
            lambda: host.run(["test", "-e", self._all]).returncode == 0 or not self._is_narrow(host),
            "the last port",
            seconds=10,
        )

    @property
    def _all(self) -> str:
        return f"{self.REMEMBERED}/all-taken"

    @property
    def _ended(self) -> str:
        return f"{self.REMEMBERED}/ended"
