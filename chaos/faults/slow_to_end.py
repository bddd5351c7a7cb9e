"""A daemon that has to be restarted and takes long to end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from chaos.faults.base import Fault
from chaos.host import DisposableHost
from chaos.waiting import wait_until
from chaos.workload import accepts, install, lives, struck

_PROGRAM = "/usr/local/bin/slowd"


@dataclass(frozen=True, slots=True)
class SlowToEnd(Fault):
    """A daemon goes deaf. After TERM it takes seconds to end, and removes the pidfile last, whoever's that is by then.

    Whoever starts the next one too early has two of them, and then a running one without its pidfile.
    """

    name = "slow_to_end"

    port: int = 8090
    pidfile: str = "/run/app.pid"
    #: From TERM to its end (seconds).
    seconds: float = 2.0

    def prepare(self, host: DisposableHost) -> None:
        install(host, _PROGRAM, "daemon.py")
        host.run(["mkdir", "-p", self.REMEMBERED], check=True)
        host.run([_PROGRAM, str(self.port), self.pidfile, self._record, str(self.seconds)], check=True)
        wait_until(lambda: accepts(host, self.port), "the daemon", seconds=10)

    def inject(self, host: DisposableHost) -> float:
        main = host.read_file(self.pidfile).strip()
        at = struck(host, ("kill", "USR1", main))
        wait_until(lambda: not accepts(host, self.port) or not lives(host, main), "that it is deaf", seconds=10)
        return at

    def is_gone(self, host: DisposableHost) -> bool:
        return accepts(host, self.port)

    def traces(self) -> Sequence[str]:
        return (f"port tcp {self.port}",)

    def harm(self, host: DisposableHost) -> Sequence[str]:
        running, most = 0, 0
        for line in host.read_file(self._record).splitlines():
            running += 1 if line.startswith("began") else -1
            most = max(most, running)
        return [f"{most} of it ran at once"] if most > 1 else []

    @property
    def _record(self) -> str:
        return f"{self.REMEMBERED}/lives"
