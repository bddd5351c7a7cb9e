"""A service that does not answer for a moment, again and again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from chaos.faults.base import Fault
from chaos.host import DisposableHost
from chaos.waiting import wait_until
from chaos.workload import http_status, program, start_web, struck, unit_property

_UNIT = "chaos-stalls"


@dataclass(frozen=True, slots=True)
class Stalls(Fault):
    """The host is so busy that a web server stands still for a second, then catches up; nothing is wrong with it."""

    name = "stalls"

    unit: str = "web"
    port: int = 8080
    #: How long it stands still, and how long it runs in between (seconds).
    still: float = 1.0
    runs: float = 2.0

    def prepare(self, host: DisposableHost) -> None:
        start_web(host, self.unit, self.port, "Restart=no")
        host.run(["mkdir", "-p", self.REMEMBERED], check=True)
        host.write_file(self._pid, unit_property(host, self.unit, "MainPID"))

    def inject(self, host: DisposableHost) -> float:
        stall = [*program("stalls.py"), host.read_file(self._pid).strip(), str(self.still), str(self.runs)]
        at = struck(host, ("run", "systemd-run", "--quiet", f"--unit={_UNIT}", "--", *stall))
        wait_until(lambda: not http_status(host, self.port, seconds=0.1), "that nobody answers", seconds=10)
        return at

    def is_gone(self, host: DisposableHost) -> bool:
        return host.run(["systemctl", "is-active", _UNIT]).returncode != 0

    def harm(self, host: DisposableHost) -> Sequence[str]:
        same = unit_property(host, self.unit, "MainPID") == host.read_file(self._pid).strip()
        return [] if same else [f"{self.unit} was restarted, and it was only slow"]

    @property
    def _pid(self) -> str:
        return f"{self.REMEMBERED}/pid"
