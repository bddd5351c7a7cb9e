"""A line in /etc/hosts that nobody declared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from chaos.faults.base import Fault
from chaos.host import DisposableHost
from chaos.workload import file_text, resolves, struck

_HOSTS = "/etc/hosts"


@dataclass(frozen=True, slots=True)
class HostsPoisoned(Fault):
    """A name of the own network leads to a stranger's address; what was declared is in a baseline of its own."""

    name = "hosts_poisoned"

    address: str = "10.0.0.9"
    host_name: str = "db"
    right_address: str = "127.0.0.1"
    baseline: str = "/srv/baseline/hosts"

    def prepare(self, host: DisposableHost) -> None:
        declared = f"127.0.0.1 localhost\n{self.right_address} {self.host_name}\n"
        host.write_file(_HOSTS, declared)
        host.write_file(self.baseline, declared)

    def inject(self, host: DisposableHost) -> float:
        # The first line with a name wins. Whoever wrote it asks: entering the host anew holds up all that starts meanwhile.
        poison = ("run", "sed", "--in-place", f"1i {self.address} {self.host_name}", _HOSTS)
        leads = f"getent hosts {self.host_name} | grep --quiet '^{self.address} '"
        return struck(host, poison, ("run", "sh", "-c", leads))

    def is_gone(self, host: DisposableHost) -> bool:
        return file_text(host, _HOSTS) == file_text(host, self.baseline)

    def traces(self) -> Sequence[str]:
        return (f"file {_HOSTS}",)

    def harm(self, host: DisposableHost) -> Sequence[str]:
        return [] if resolves(host, "localhost", "127.0.0.1") else [f"{_HOSTS} does not know the host itself any more"]
