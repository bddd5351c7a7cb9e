"""A service crashes whose restart takes another one along."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from chaos.faults.base import Fault
from chaos.host import DisposableHost
from chaos.workload import accepts, killed, start_web, unit_property


@dataclass(frozen=True, slots=True)
class FollowedCrash(Fault):
    """`kill -9` of a service that is slow to start; systemd stops the one that is part of it and starts it when it is up."""

    name = "followed_crash"

    unit: str = "web"
    port: int = 8080
    follower: str = "worker"
    follower_port: int = 8081
    #: How long it takes to start, while the follower waits (seconds).
    start_seconds: float = 1.0

    def prepare(self, host: DisposableHost) -> None:
        start_web(host, self.unit, self.port, "Restart=no", f"ExecStartPre=/bin/sleep {self.start_seconds:g}")
        start_web(host, self.follower, self.follower_port, "Restart=no")
        tied = f"[Unit]\nPartOf={self.unit}.service\nAfter={self.unit}.service\n"
        host.write_file(f"/etc/systemd/system/{self.follower}.service.d/tied.conf", tied)
        host.run(["systemctl", "daemon-reload"], check=True)

    def inject(self, host: DisposableHost) -> float:
        return killed(host, unit_property(host, self.unit, "MainPID"))

    def is_gone(self, host: DisposableHost) -> bool:
        return accepts(host, self.port) and accepts(host, self.follower_port)

    def traces(self) -> Sequence[str]:
        return tuple(
            subject for unit, port in ((self.unit, self.port), (self.follower, self.follower_port))
            for subject in (f"unit {unit}.service", f"port tcp {port}")
        )  # fmt: skip
