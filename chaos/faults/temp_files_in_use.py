"""A disk full of old temporary files, and one thing among them that is old and in use."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from chaos.faults.base import Fault
from chaos.host import DisposableHost
from chaos.volume import aging, edit_volume, filling, make_files, make_volume, used_percent
from chaos.waiting import wait_until
from chaos.workload import program, start_unit, struck

_MIB, _OLD = 1 << 20, 40
_FULL_PERCENT, _WELL_BELOW_PERCENT = 97.0, 85.0


@dataclass(frozen=True, slots=True)
class TempFilesInUse(Fault):
    """A data file grows until the disk is 97 % full; most of it are temporary files that nobody has used for days.

    One thing as old is not theirs: a file that a service holds open, a socket at which it listens, or a FIFO at which
    whoever opens it waits for ever.
    """

    name = "temp_files_in_use"

    disk: str = "/mnt/u"
    in_use: Literal["file", "socket", "fifo"] = "file"
    days: int = 10

    def prepare(self, host: DisposableHost) -> None:
        make_volume(host, self.disk, mib=64)
        make_files(host, f"{self.disk}/scratch/old", _OLD, _MIB)
        host.run(["mkdir", "-p", f"{self.disk}/scratch/held", f"{self.disk}/data", self.REMEMBERED], check=True)
        if self.in_use == "file":
            make_files(host, f"{self.disk}/scratch/held", 1, _MIB)
        elif self.in_use == "fifo":
            host.run(["mkfifo", self._held], check=True)
        # What is not mounted can be dated back, and where nobody listens is no socket: that one only looks old.
        held = [] if self.in_use == "socket" else aging("/scratch/held", 1, days=self.days)
        edit_volume(host, self.disk, [*aging("/scratch/old", _OLD, days=self.days), *held])
        ready = f"{self.REMEMBERED}/holds"
        start_unit(host, "holder", [*program("holder.py"), self.in_use, self._held, ready], "Restart=no")
        wait_until(lambda: host.run(["test", "-e", ready]).returncode == 0, "what is in use", seconds=10)
        host.write_file(self._remembered, self._state(host))

    def inject(self, host: DisposableHost) -> float:
        return struck(host, filling(host, self.disk, f"{self.disk}/data/grown", percent=_FULL_PERCENT))

    def is_gone(self, host: DisposableHost) -> bool:
        return used_percent(host, self.disk) < _WELL_BELOW_PERCENT

    def harm(self, host: DisposableHost) -> Sequence[str]:
        same = self._state(host) == host.read_file(self._remembered)
        return [] if same else [f"{self._held} is gone, and it was in use"]

    def _state(self, host: DisposableHost) -> str:
        return host.run(["stat", "--format=%F %i", self._held]).stdout

    @property
    def _held(self) -> str:
        return f"{self.disk}/scratch/held/0"

    @property
    def _remembered(self) -> str:
        return f"{self.REMEMBERED}/held"
