"""A pidfile whose number another program has got."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from chaos.faults.base import Fault
from chaos.host import DisposableHost
from chaos.waiting import wait_until
from chaos.workload import accepts, install, killed, start_unit, unit_property

_PROGRAM, _NEIGHBOUR = "/usr/local/bin/appd", "neighbour"


@dataclass(frozen=True, slots=True)
class PidReused(Fault):
    """`kill -9` of a daemon, and its number went to a program of another account before anybody looked.

    Unlike the daemon of `stale_pidfile` this one starts whatever its pidfile says, so that it can be helped.
    """

    name = "pid_reused"

    port: int = 8090
    pidfile: str = "/run/app.pid"

    def prepare(self, host: DisposableHost) -> None:
        install(host, _PROGRAM, "daemon.py")
        host.run(["mkdir", "-p", self.REMEMBERED], check=True)
        start_unit(host, _NEIGHBOUR, ["/bin/sleep", "infinity"], "User=nobody")
        host.write_file(f"{self.REMEMBERED}/neighbour", unit_property(host, _NEIGHBOUR, "MainPID"))
        host.run([_PROGRAM, str(self.port), self.pidfile, f"{self.REMEMBERED}/lives"], check=True)
        wait_until(lambda: accepts(host, self.port), "the daemon", seconds=10)

    def inject(self, host: DisposableHost) -> float:
        dead = host.read_file(self.pidfile).strip()
        host.write_file(self.pidfile, unit_property(host, _NEIGHBOUR, "MainPID"))
        return killed(host, dead)

    def is_gone(self, host: DisposableHost) -> bool:
        return accepts(host, self.port)

    def traces(self) -> Sequence[str]:
        return (f"port tcp {self.port}",)

    def harm(self, host: DisposableHost) -> Sequence[str]:
        same = unit_property(host, _NEIGHBOUR, "MainPID") == host.read_file(f"{self.REMEMBERED}/neighbour")
        return [] if same else ["another program was ended"]
