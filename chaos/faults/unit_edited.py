"""A managed unit that is not what was declared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from chaos.faults.base import Fault
from chaos.host import DisposableHost
from chaos.workload import file_text, start_web, struck, unit_property


@dataclass(frozen=True, slots=True)
class UnitEdited(Fault):
    """Somebody edited a unit's file by hand; or a deployment did, which is written in its record."""

    name = "unit_edited"

    unit: str = "web"
    port: int = 8080
    by: Literal["nobody_known", "deployment"] = "nobody_known"
    baseline: str = "/srv/baseline/web.service"
    #: One line a deployment: when (seconds of the wall clock), who, path, SHA-256 of what was put there.
    record: str = "/srv/deployments"

    def prepare(self, host: DisposableHost) -> None:
        start_web(host, self.unit, self.port, "Restart=no", "Nice=0")
        host.run(["install", "-D", self._file, self.baseline], check=True)
        host.write_file(self.record, "")

    def inject(self, host: DisposableHost) -> float:
        edit = ["sed", "--in-place", "s/^Nice=.*/Nice=19/", self._file]
        told = f'echo "$(date +%s) deployer {self._file} $(sha256sum < {self._file})" >> {self.record}'
        deeds = [("run", *edit), ("run", "systemctl", "daemon-reload")]
        return struck(host, *deeds, *([("run", "sh", "-c", told)] if self.by == "deployment" else []))

    def is_gone(self, host: DisposableHost) -> bool:
        same = file_text(host, self._file) == file_text(host, self.baseline)
        return same and unit_property(host, self.unit, "NeedDaemonReload") == "no"

    def traces(self) -> Sequence[str]:
        return (f"file {self._file}", f"file {self.record}")

    @property
    def _file(self) -> str:
        return f"/etc/systemd/system/{self.unit}.service"
