"""A daemon that does not start because its dead self left a pidfile."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from chaos.faults.base import Fault
from chaos.host import DisposableHost
from chaos.waiting import wait_until
from chaos.workload import accepts, install, killed, start_unit, unit_property

_PROGRAM, _NEIGHBOUR = "/usr/local/bin/appd", "neighbour"


@dataclass(frozen=True, slots=True)
class StalePidfile(Fault):
    """`kill -9` of a daemon that refuses to start while its pidfile is there, whoever the pid in it belongs to.

    With `alive` the number has been given to another program since: the file is older than the process that it names, which
    must neither be ended nor be taken for the daemon.
    """

    name = "stale_pidfile"

    port: int = 8090
    pidfile: str = "/run/app.pid"
    alive: bool = False

    def prepare(self, host: DisposableHost) -> None:
        install(host, _PROGRAM, "pidfile_web.py")
        start_unit(host, _NEIGHBOUR, ["/bin/sleep", "infinity"])
        host.run([_PROGRAM, str(self.port), self.pidfile], check=True)
        wait_until(lambda: accepts(host, self.port), "the daemon", seconds=10)

    def inject(self, host: DisposableHost) -> float:
        dead = host.read_file(self.pidfile).strip()
        if self.alive:
            host.write_file(self.pidfile, unit_property(host, _NEIGHBOUR, "MainPID"))
            host.run(["touch", "--date=1 hour ago", self.pidfile], check=True)
        return killed(host, dead)

    def is_gone(self, host: DisposableHost) -> bool:
        return accepts(host, self.port)

    def traces(self) -> Sequence[str]:
        return (f"port tcp {self.port}",)

    def harm(self, host: DisposableHost) -> Sequence[str]:
        ended = [] if unit_property(host, _NEIGHBOUR, "ActiveState") == "active" else ["another program was ended"]
        if self.alive and host.run(["test", "-e", self.pidfile]).returncode:
            return [*ended, f"{self.pidfile} is gone, and its pid was alive"]
        return ended
