"""A job that has done its work."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from chaos.faults.base import Fault
from chaos.host import DisposableHost
from chaos.waiting import wait_until
from chaos.workload import lives, program, start_unit, struck, unit_property


@dataclass(frozen=True, slots=True)
class JobDone(Fault):
    """A unit ends with exit code 0, as a nightly import does when all is imported: to run it again would do it twice."""

    name = "job_done"

    unit: str = "job"

    def prepare(self, host: DisposableHost) -> None:
        host.run(["mkdir", "-p", self.REMEMBERED], check=True)
        start_unit(host, self.unit, [*program("job.py"), self._ready], "Restart=no")
        wait_until(lambda: host.run(["test", "-e", self._ready]).returncode == 0, f"{self.unit}.service", seconds=10)

    def inject(self, host: DisposableHost) -> float:
        main = unit_property(host, self.unit, "MainPID")
        at = struck(host, ("kill", "USR1", main))
        wait_until(lambda: not lives(host, main), "the end of the job", seconds=10)
        return at

    def is_gone(self, host: DisposableHost) -> bool:
        return unit_property(host, self.unit, "ActiveState") == "active"

    def traces(self) -> Sequence[str]:
        return (f"unit {self.unit}.service",)

    @property
    def _ready(self) -> str:
        return f"{self.REMEMBERED}/ready"
