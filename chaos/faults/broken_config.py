"""A service whose configuration was edited into something that it cannot read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from chaos.faults.base import Fault
from chaos.host import DisposableHost
from chaos.waiting import wait_until
from chaos.workload import accepts, install, start_unit, struck, unit_property

_PROGRAM = "/usr/local/bin/sited"
_BROKEN = '{"port": 8070,\n'
#: How often systemd starts it within an hour.
_TRIES = 3


@dataclass(frozen=True, slots=True)
class BrokenConfig(Fault):
    """A syntax error is written into a configuration file and the service restarted: it ends at once, again and again."""

    name = "broken_config"

    unit: str = "site"
    port: int = 8070
    file: str = "/etc/site/site.json"

    def prepare(self, host: DisposableHost) -> None:
        install(host, _PROGRAM, "configured_web.py")
        host.write_file(self.file, self._good)
        # However slow the machine is, its tries end after so many.
        limit = f"[Unit]\nStartLimitBurst={_TRIES}\nStartLimitIntervalSec=1h\n"
        host.write_file(f"/etc/systemd/system/{self.unit}.service.d/limit.conf", limit)
        start_unit(host, self.unit, [_PROGRAM, self.file], "Restart=on-failure", "RestartSec=0")
        wait_until(lambda: accepts(host, self.port), f"{self.unit}.service", seconds=10)

    def inject(self, host: DisposableHost) -> float:
        host.write_file(self.file, _BROKEN)
        at = struck(host, ("kill", "KILL", unit_property(host, self.unit, "MainPID")))
        # Whoever has mended it before systemd gave up has mended what was there.
        wait_until(
            lambda: unit_property(host, self.unit, "ActiveState") == "failed" or self.is_gone(host),
            "the end of its tries",
            seconds=30,
        )
        return at

    def again(self, host: DisposableHost) -> None:
        # Nothing runs that could be killed; somebody tries another mistake.
        host.write_file(self.file, f"{_BROKEN}\n")

    def is_gone(self, host: DisposableHost) -> bool:
        return accepts(host, self.port) and host.read_file(self.file) == self._good

    def traces(self) -> Sequence[str]:
        return (f"unit {self.unit}.service", f"port tcp {self.port}", f"file {self.file}")

    def harm(self, host: DisposableHost) -> Sequence[str]:
        # Of its own: the first, and as many as systemd's start limit lets it try.
        starts = host.run(["journalctl", f"--unit={self.unit}", "--output=cat", "--grep=^Started"]).stdout.splitlines()
        many = len(starts) - _TRIES - 2
        return [f"{self.unit} was started {many} times too often"] if many > 0 else []

    @property
    def _good(self) -> str:
        return f'{{"port": {self.port}}}\n'
