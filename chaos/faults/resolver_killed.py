"""The host's name server is killed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from chaos.faults.base import Fault
from chaos.host import DisposableHost
from chaos.workload import is_named, killed, start_resolver, unit_property, use_resolvers

_ADDRESS = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class ResolverKilled(Fault):
    """`kill -9` of the only name server: every name is gone at once."""

    name = "resolver_killed"

    unit: str = "resolver"
    host_name: str = "db.internal"

    def prepare(self, host: DisposableHost) -> None:
        start_resolver(host, self.unit, {self.host_name: _ADDRESS})
        use_resolvers(host, _ADDRESS)

    def inject(self, host: DisposableHost) -> float:
        return killed(host, unit_property(host, self.unit, "MainPID"))

    def is_gone(self, host: DisposableHost) -> bool:
        return is_named(host, self.host_name, _ADDRESS)

    def traces(self) -> Sequence[str]:
        return (f"unit {self.unit}.service", "port tcp 53", "port udp 53")
