"""A service crashes, and what its unit asks for before a start is no longer there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from chaos.faults.base import Fault
from chaos.host import DisposableHost
from chaos.workload import accepts, killed, start_web, unit_property


@dataclass(frozen=True, slots=True)
class StartSkipped(Fault):
    """`kill -9` of a web server after the file of its `ConditionPathExists=` has gone.

    Each start is told to have succeeded, and nothing was started.
    """

    name = "start_skipped"

    unit: str = "web"
    port: int = 8080
    #: What it asks for.
    needed: str = "/srv/web/licence"
    #: Whoever starts it more often does not notice that it is in vain.
    most_starts: int = 3

    def prepare(self, host: DisposableHost) -> None:
        host.write_file(self.needed, "valid\n")
        start_web(host, self.unit, self.port, "Restart=no")
        asked = f"[Unit]\nConditionPathExists={self.needed}\n"
        host.write_file(f"/etc/systemd/system/{self.unit}.service.d/asked.conf", asked)
        host.run(["systemctl", "daemon-reload"], check=True)

    def inject(self, host: DisposableHost) -> float:
        host.run(["rm", self.needed], check=True)
        return killed(host, unit_property(host, self.unit, "MainPID"))

    def is_gone(self, host: DisposableHost) -> bool:
        return accepts(host, self.port)

    def traces(self) -> Sequence[str]:
        return (f"unit {self.unit}.service", f"port tcp {self.port}", f"file {self.needed}")

    def harm(self, host: DisposableHost) -> Sequence[str]:
        skipped = host.run(["journalctl", f"--unit={self.unit}", "--output=cat", "--grep=condition"]).stdout
        many = len(skipped.splitlines())
        return [f"{self.unit} was started {many} times in vain"] if many > self.most_starts else []
