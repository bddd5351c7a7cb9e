"""A service that is killed and cannot be started for a while, or ever."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from chaos.faults.base import Fault
from chaos.host import DisposableHost
from chaos.waiting import wait_until
from chaos.workload import accepts, file_text, install, killed, start_web, unit_property

_PROGRAM = "/usr/local/bin/may-start"


@dataclass(frozen=True, slots=True)
class StartsFail(Fault):
    """`kill -9` of a web server whose next starts end at once, as with a broken library or a licence that is over.

    With `restart` its systemd uses them up before anybody else comes to it.
    """

    name = "starts_fail"

    unit: str = "web"
    port: int = 8080
    #: So many starts; 0: all of them, until a person ends the cause.
    failures: int = 0
    restart: Literal["no", "always"] = "no"
    #: Whoever starts it more often does not notice that it is in vain.
    most_starts: int = 10

    def prepare(self, host: DisposableHost) -> None:
        install(host, _PROGRAM, "may_start.py")
        burst = self.failures + 1 if self.restart == "always" else 100
        # However slow the machine is, systemd has given up after so many.
        limit = f"[Unit]\nStartLimitBurst={burst}\nStartLimitIntervalSec=1h\n"
        host.write_file(f"/etc/systemd/system/{self.unit}.service.d/limit.conf", limit)
        host.run(["mkdir", "-p", self.REMEMBERED], check=True)
        before = f"ExecStartPre={_PROGRAM} {self._cause} {self._starts}"
        start_web(host, self.unit, self.port, f"Restart={self.restart}", "RestartSec=0", before)

    def inject(self, host: DisposableHost) -> float:
        before = unit_property(host, self.unit, "MainPID")
        host.write_file(self._cause, str(self.failures or "all"))
        at = killed(host, before)
        if self.restart == "always":
            wait_until(lambda: len(self._said(host)) > self.failures, "systemd's last attempt", seconds=30)
        return at

    def is_gone(self, host: DisposableHost) -> bool:
        return accepts(host, self.port)

    def traces(self) -> Sequence[str]:
        return (f"unit {self.unit}.service", f"port tcp {self.port}")

    def harm(self, host: DisposableHost) -> Sequence[str]:
        starts = len(self._said(host)) - 1
        return [f"{self.unit} was started {starts} times in vain"] if starts > self.most_starts else []

    def _said(self, host: DisposableHost) -> Sequence[str]:
        return file_text(host, self._starts).split()

    @property
    def _cause(self) -> str:
        return f"{self.REMEMBERED}/cause"

    @property
    def _starts(self) -> str:
        return f"{self.REMEMBERED}/starts"
