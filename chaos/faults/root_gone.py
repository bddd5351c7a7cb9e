"""A service fails for good, and another one that needs it with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from chaos.faults.base import Fault
from chaos.host import DisposableHost
from chaos.workload import accepts, killed, start_web, unit_property


@dataclass(frozen=True, slots=True)
class RootGone(Fault):
    """`kill -9` of a service that cannot start any more, and of the one that systemd says requires it."""

    name = "root_gone"

    root: str = "db"
    root_port: int = 8081
    child: str = "web"
    child_port: int = 8080
    #: While this is there the root does not start.
    broken: str = "/run/broken"

    def prepare(self, host: DisposableHost) -> None:
        start_web(host, self.root, self.root_port, "Restart=no", f"ExecStartPre=/usr/bin/test ! -e {self.broken}")
        start_web(host, self.child, self.child_port, "Restart=no")
        tied = f"[Unit]\nRequires={self.root}.service\nAfter={self.root}.service\n"
        host.write_file(f"/etc/systemd/system/{self.child}.service.d/tied.conf", tied)
        host.run(["systemctl", "daemon-reload"], check=True)

    def inject(self, host: DisposableHost) -> float:
        host.write_file(self.broken, "")
        return killed(host, *(unit_property(host, unit, "MainPID") for unit in (self.root, self.child)))

    def is_gone(self, host: DisposableHost) -> bool:
        return accepts(host, self.root_port) and accepts(host, self.child_port)

    def traces(self) -> Sequence[str]:
        return tuple(
            subject for unit, port in ((self.root, self.root_port), (self.child, self.child_port))
            for subject in (f"unit {unit}.service", f"port tcp {port}")
        )  # fmt: skip
