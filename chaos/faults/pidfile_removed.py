"""A daemon that runs while its pidfile is gone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from chaos.faults.base import Fault
from chaos.host import DisposableHost
from chaos.waiting import wait_until
from chaos.workload import accepts, install, struck

_PROGRAM = "/usr/local/bin/appd"


@dataclass(frozen=True, slots=True)
class PidfileRemoved(Fault):
    """Somebody tidied up: the pidfile is removed, and the daemon it belongs to serves as before."""

    name = "pidfile_removed"

    port: int = 8090
    pidfile: str = "/run/app.pid"

    def prepare(self, host: DisposableHost) -> None:
        install(host, _PROGRAM, "daemon.py")
        host.run(["mkdir", "-p", self.REMEMBERED], check=True)
        host.run([_PROGRAM, str(self.port), self.pidfile, self._record], check=True)
        wait_until(lambda: accepts(host, self.port), "the daemon", seconds=10)

    def inject(self, host: DisposableHost) -> float:
        return struck(host, ("unlink", self.pidfile))

    def is_gone(self, host: DisposableHost) -> bool:
        return host.run(["test", "-e", self.pidfile]).returncode == 0

    def harm(self, host: DisposableHost) -> Sequence[str]:
        began = host.read_file(self._record).count("began")
        return [f"it was started {began - 1} times although it ran"] if began > 1 else []

    @property
    def _record(self) -> str:
        return f"{self.REMEMBERED}/lives"
