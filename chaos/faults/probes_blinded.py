"""Every service looks dead at once, because the names that the probes ask for lead nowhere any more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from chaos.faults.base import Fault
from chaos.host import DisposableHost
from chaos.workload import killed, resolves, start_resolver, start_web, struck, unit_property, use_resolvers

_ADDRESS, _ELSEWHERE = "127.0.0.1", "127.0.0.99"
_RESOLVER = "resolver"


@dataclass(frozen=True, slots=True)
class ProbesBlinded(Fault):
    """The name server dies, hangs, or says of every name an address where nobody listens; all services go on serving."""

    name = "probes_blinded"

    by: Literal["silence", "hanging", "wrong_answers"] = "silence"
    services: int = 4
    first_port: int = 8081

    def prepare(self, host: DisposableHost) -> None:
        for name, port in self._services().items():
            start_web(host, name, port, "Restart=no")
        start_resolver(host, _RESOLVER, dict.fromkeys(self._names(), _ADDRESS))
        use_resolvers(host, _ADDRESS)
        host.write_file(self._remembered, self._pids(host))

    def inject(self, host: DisposableHost) -> float | None:
        if self.by == "wrong_answers":
            host.write_file(f"/srv/{_RESOLVER}/hosts", "".join(f"{_ELSEWHERE} {name}\n" for name in self._names()))
            return None
        main = unit_property(host, _RESOLVER, "MainPID")
        return struck(host, ("kill", "STOP", main)) if self.by == "hanging" else killed(host, main)

    def is_gone(self, host: DisposableHost) -> bool:
        return all(resolves(host, name, _ADDRESS) for name in self._names())

    def traces(self) -> Sequence[str]:
        return (f"unit {_RESOLVER}.service", "port tcp 53", "port udp 53") if self.by == "silence" else ()

    def harm(self, host: DisposableHost) -> Sequence[str]:
        same = self._pids(host) == host.read_file(self._remembered)
        return [] if same else ["a service that served was restarted"]

    def _services(self) -> dict[str, int]:
        return {f"web{number + 1}": self.first_port + number for number in range(self.services)}

    def _names(self) -> list[str]:
        return [f"{service}.internal" for service in self._services()]

    def _pids(self, host: DisposableHost) -> str:
        return " ".join(unit_property(host, service, "MainPID") for service in self._services())

    @property
    def _remembered(self) -> str:
        return f"{self.REMEMBERED}/pids"
