"""A disk that is full, mostly of temporary files that nobody has used for days."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from chaos.faults.base import Fault
from chaos.host import DisposableHost
from chaos.volume import aging, edit_volume, filling, make_files, make_volume, used_percent
from chaos.workload import struck

_MIB = 1 << 20
_FULL_PERCENT, _WELL_BELOW_PERCENT = 97.0, 85.0


@dataclass(frozen=True, slots=True)
class OldTempFiles(Fault):
    """A data file grows until the disk is 97 % full; three quarters of the disk are old temporary files.

    Their access, change and modification times are all days back. Besides them there are files that must stay: new ones,
    one that looks old but was put there today, and one outside that a link in the directory leads to.
    """

    name = "old_temp_files"

    disk: str = "/mnt/t"
    mib: int = 512
    days: int = 10

    def prepare(self, host: DisposableHost) -> None:
        make_volume(host, self.disk, mib=self.mib)
        count = self.mib * 3 // 4
        make_files(host, f"{self.disk}/scratch/old", count, _MIB)
        edit_volume(host, self.disk, aging("/scratch/old", count, days=self.days))
        for kept in (*self._kept, self._grown):
            host.write_file(kept, "kept\n")
        host.run(["touch", f"--date={self.days} days ago", f"{self.disk}/scratch/moved"], check=True)
        host.run(["ln", "-s", f"{self.disk}/data/kept", f"{self.disk}/scratch/link"], check=True)

    def inject(self, host: DisposableHost) -> float:
        return struck(host, filling(host, self.disk, self._grown, percent=_FULL_PERCENT))

    def is_gone(self, host: DisposableHost) -> bool:
        return used_percent(host, self.disk) < _WELL_BELOW_PERCENT

    def harm(self, host: DisposableHost) -> Sequence[str]:
        kept = (*self._kept, self._grown, f"{self.disk}/scratch/link")
        return [f"{path} is gone" for path in kept if host.run(["test", "-e", path]).returncode]

    @property
    def _kept(self) -> tuple[str, ...]:
        return tuple(f"{self.disk}/{path}" for path in ("scratch/new", "scratch/moved", "scratch/old/new", "data/kept"))

    @property
    def _grown(self) -> str:
        return f"{self.disk}/data/grown"
