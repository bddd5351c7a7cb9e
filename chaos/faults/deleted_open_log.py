"""A log that was deleted and still fills the disk."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from chaos.faults.base import Fault
from chaos.host import REPOSITORY, DisposableHost
from chaos.volume import filling, make_volume, used_percent
from chaos.workload import interpreter, start_unit, struck

_WRITER = REPOSITORY / "chaos" / "inside" / "log_writer.py"
_FULL_PERCENT, _WELL_BELOW_PERCENT = 95.0, 50.0
_KEPT = "kept as it is\n"


@dataclass(frozen=True, slots=True)
class DeletedOpenLog(Fault):
    """A log grows until its disk is 95 % full, and `rm` frees nothing of it: the service goes on holding it open."""

    name = "deleted_open_log"

    unit: str = "app"
    disk: str = "/var/log/app"
    mib: int = 512

    def prepare(self, host: DisposableHost) -> None:
        make_volume(host, self.disk, mib=self.mib)
        host.write_file(self._other, _KEPT)
        start_unit(host, self.unit, [*interpreter(), str(_WRITER), self._log], "Restart=no")

    def inject(self, host: DisposableHost) -> float:
        return struck(host, filling(host, self.disk, self._log, percent=_FULL_PERCENT), ("unlink", self._log))

    def is_gone(self, host: DisposableHost) -> bool:
        return used_percent(host, self.disk) < _WELL_BELOW_PERCENT

    def harm(self, host: DisposableHost) -> Sequence[str]:
        return [] if host.read_file(self._other) == _KEPT else [f"{self._other} does not hold what it held"]

    @property
    def _log(self) -> str:
        return f"{self.disk}/app.log"

    @property
    def _other(self) -> str:
        return f"{self.disk}/other.log"
