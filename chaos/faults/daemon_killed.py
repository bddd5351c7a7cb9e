"""A daemon of the old kind that is killed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from chaos.faults.base import Fault
from chaos.host import DisposableHost
from chaos.waiting import wait_until
from chaos.workload import accepts, install, killed

_PROGRAM = "/usr/local/bin/appd"


@dataclass(frozen=True, slots=True)
class DaemonKilled(Fault):
    """`kill -9` of what its pidfile names; systemd does not know it, so that whoever restarts it becomes its parent.

    With `broken` the program is broken as well: it ends at once, whoever starts it.
    """

    name = "daemon_killed"

    port: int = 8090
    pidfile: str = "/run/app.pid"
    broken: bool = False
    #: Whoever starts what ends at once more often never gives up.
    most_starts: int = 5

    def prepare(self, host: DisposableHost) -> None:
        install(host, _PROGRAM, "daemon.py")
        host.run(["mkdir", "-p", self.REMEMBERED], check=True)
        host.run([_PROGRAM, str(self.port), self.pidfile, f"{self.REMEMBERED}/lives"], check=True)
        wait_until(lambda: accepts(host, self.port), "the daemon", seconds=10)

    def inject(self, host: DisposableHost) -> float:
        if self.broken:
            host.run(["cp", _PROGRAM, f"{_PROGRAM}.good"], check=True)
            host.write_file(_PROGRAM, f"#!/bin/sh\necho started >> {self._starts}\nexit 1\n", mode=0o755)
        return killed(host, host.read_file(self.pidfile).strip())

    def is_gone(self, host: DisposableHost) -> bool:
        return accepts(host, self.port)

    def traces(self) -> Sequence[str]:
        return (f"port tcp {self.port}",)

    def harm(self, host: DisposableHost) -> Sequence[str]:
        starts = len(host.run(["cat", self._starts]).stdout.splitlines())
        return [f"it was started {starts} times in vain"] if starts > self.most_starts else []

    @property
    def _starts(self) -> str:
        return f"{self.REMEMBERED}/starts"
