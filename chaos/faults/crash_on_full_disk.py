"""A service that is killed while its disk is full, and cannot start without room."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from chaos.faults.base import Fault
from chaos.host import DisposableHost
from chaos.volume import aging, edit_volume, make_files, make_volume, used_percent
from chaos.workload import accepts, killed, start_web, unit_property

_MIB, _OLD, _ALL = 1 << 20, 40, 10_000
#: So that at last not a single block is left.
_SIZES = (_MIB, 4096)
_WELL_BELOW_PERCENT = 95.0


@dataclass(frozen=True, slots=True)
class CrashOnFullDisk(Fault):
    """The disk fills to the last block, its service is killed, and to start it has to write there first.

    Most of the disk are temporary files that nobody has used for days.
    """

    name = "crash_on_full_disk"

    unit: str = "app"
    port: int = 8080
    disk: str = "/mnt/a"
    days: int = 10

    def prepare(self, host: DisposableHost) -> None:
        make_volume(host, self.disk, mib=64)
        make_files(host, f"{self.disk}/scratch/old", _OLD, _MIB)
        edit_volume(host, self.disk, aging("/scratch/old", _OLD, days=self.days))
        # Once it is full there is no room for a directory either.
        host.run(["mkdir", "-p", *(self._data(size) for size in _SIZES)], check=True)
        write = f"ExecStartPre=/bin/dd if=/dev/zero of={self._state} bs=64K count=1 status=none"
        start_web(host, self.unit, self.port, write, "Restart=no")

    def inject(self, host: DisposableHost) -> float:
        host.run(["rm", self._state], check=True)
        for size in _SIZES:
            make_files(host, self._data(size), _ALL, size)
        return killed(host, unit_property(host, self.unit, "MainPID"))

    def is_gone(self, host: DisposableHost) -> bool:
        return accepts(host, self.port) and used_percent(host, self.disk) < _WELL_BELOW_PERCENT

    def traces(self) -> Sequence[str]:
        return (f"unit {self.unit}.service", f"port tcp {self.port}")

    def harm(self, host: DisposableHost) -> Sequence[str]:
        data = host.run(["find", self._data(_MIB), "-type", "f"]).stdout.split()
        return [] if data else ["the files that had filled the disk are gone, and they were not temporary"]

    def _data(self, size: int) -> str:
        return f"{self.disk}/data/{size}"

    @property
    def _state(self) -> str:
        return f"{self.disk}/state"
