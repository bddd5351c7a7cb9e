"""The first name server is away for a while, and comes back once somebody else is asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from chaos.faults.base import Fault
from chaos.host import DisposableHost
from chaos.workload import file_text, is_named, killed, start_resolver, unit_property, use_resolvers

_ADDRESS, _FILE = "127.0.0.1", "/etc/resolv.conf"


@dataclass(frozen=True, slots=True)
class NameserverAway(Fault):
    """It is killed, and others start it once resolv.conf names the one that may stand in; then all is to be as before."""

    name = "nameserver_away"

    fallback: str = "127.0.0.2"
    host_name: str = "db.internal"

    def prepare(self, host: DisposableHost) -> None:
        for unit, address in (("resolver", _ADDRESS), ("resolver-fallback", self.fallback)):
            start_resolver(host, unit, {self.host_name: _ADDRESS}, address=address)
        use_resolvers(host, _ADDRESS)
        host.write_file(self._remembered, host.read_file(_FILE))

    def inject(self, host: DisposableHost) -> float:
        back = (
            f"until grep -q '^nameserver {self.fallback}' {_FILE}; do sleep 0.1; done; "
            "sleep 1; systemctl start resolver.service"
        )
        host.run(["systemd-run", "--quiet", "--unit=chaos-back", "sh", "-c", back], check=True)
        return killed(host, unit_property(host, "resolver", "MainPID"))

    def again(self, host: DisposableHost) -> None:
        # Somebody has written the same anew: what was asked about is another file.
        use_resolvers(host, _ADDRESS)

    def is_gone(self, host: DisposableHost) -> bool:
        as_before = file_text(host, _FILE) == file_text(host, self._remembered)
        return as_before and is_named(host, self.host_name, _ADDRESS)

    @property
    def ends_by_itself(self) -> bool:
        return True

    def traces(self) -> Sequence[str]:
        return (f"file {_FILE}", "unit resolver.service", "port tcp 53", "port udp 53")

    @property
    def _remembered(self) -> str:
        return f"{self.REMEMBERED}/resolv.conf"
