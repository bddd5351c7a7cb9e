"""A job that never ends, and all that wait for it."""

from __future__ import annotations

from dataclasses import dataclass

from chaos.faults.base import Fault
from chaos.host import DisposableHost
from chaos.waiting import wait_until
from chaos.workload import struck, unit_property

_JOB = "/usr/local/bin/nightly"
_TEXT = '#!/bin/sh\n# Runs once at a time; what comes meanwhile waits.\nexec flock {lock} sleep "$1"\n'


@dataclass(frozen=True, slots=True)
class StuckJob(Fault):
    """Ten runs of a job, each begun by the clock: the first hangs with the lock in its hand, nine wait for it for ever."""

    name = "stuck_job"

    runs: int = 10
    lock: str = "/run/nightly.lock"

    def prepare(self, host: DisposableHost) -> None:
        host.write_file(_JOB, _TEXT.format(lock=self.lock), mode=0o755)

    def inject(self, host: DisposableHost) -> float:
        at = struck(host, ("run", *self._begun(0), "infinity"))
        # Whoever has ended it by the first look repaired what was there.
        wait_until(
            lambda: not self._is_free(host) or unit_property(host, "nightly-0.service", "ActiveState") == "inactive",
            "that it holds the lock",
            seconds=10,
        )
        for number in range(1, self.runs):
            host.run([*self._begun(number), "0.05"], check=True)
        return at

    def is_gone(self, host: DisposableHost) -> bool:
        return self._running(host) <= 1 and self._is_free(host)

    def traces(self) -> tuple[str, ...]:
        return ("unit nightly-*",)

    def _is_free(self, host: DisposableHost) -> bool:
        return host.run(["flock", "--nonblock", self.lock, "true"]).returncode == 0

    @staticmethod
    def _running(host: DisposableHost) -> int:
        units = ["systemctl", "list-units", "--no-legend", "--plain", "--state=running", "nightly-*"]
        return len(host.run(units).stdout.splitlines())

    @staticmethod
    def _begun(number: int) -> list[str]:
        return ["systemd-run", "--quiet", "--collect", f"--unit=nightly-{number}", _JOB]
