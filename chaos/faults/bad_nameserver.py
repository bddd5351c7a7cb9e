"""A name server in resolv.conf that nobody answers at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from chaos.faults.base import Fault
from chaos.host import DisposableHost
from chaos.workload import first_name_server, is_named, start_resolver, use_resolvers

_ADDRESS = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class BadNameserver(Fault):
    """`nameserver` leads nowhere, while a second name server that may be used instead is well."""

    name = "bad_nameserver"

    #: Of a range for documentation: nobody is there.
    nameserver: str = "192.0.2.53"
    fallback: str = "127.0.0.2"
    host_name: str = "db.internal"

    def prepare(self, host: DisposableHost) -> None:
        for unit, address in (("resolver", _ADDRESS), ("resolver-fallback", self.fallback)):
            start_resolver(host, unit, {self.host_name: _ADDRESS}, address=address)
        use_resolvers(host, _ADDRESS)

    def inject(self, host: DisposableHost) -> None:
        use_resolvers(host, self.nameserver)

    def is_gone(self, host: DisposableHost) -> bool:
        asked = first_name_server(host)
        return bool(asked) and is_named(host, self.host_name, _ADDRESS, server=asked)

    def traces(self) -> Sequence[str]:
        return ("file /etc/resolv.conf",)
