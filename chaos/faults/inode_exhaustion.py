"""A disk with room and without inodes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from chaos.faults.base import Fault
from chaos.host import DisposableHost
from chaos.volume import aging, edit_volume, make_files, make_volume, used_inodes_percent

_WELL_BELOW_PERCENT = 80.0


@dataclass(frozen=True, slots=True)
class InodeExhaustion(Fault):
    """Session files are made until not one more can be: most of them expired days ago, and the disk is nearly empty."""

    name = "inode_exhaustion"

    disk: str = "/mnt/s"
    inodes: int = 2000
    days: int = 10

    def prepare(self, host: DisposableHost) -> None:
        make_volume(host, self.disk, mib=64, inodes=self.inodes)
        count = self.inodes * 3 // 4
        make_files(host, f"{self.disk}/sessions/old", count)
        edit_volume(host, self.disk, aging("/sessions/old", count, days=self.days))

    def inject(self, host: DisposableHost) -> float:
        at = make_files(host, self._new, self.inodes)
        host.write_file(f"{self.REMEMBERED}/new-sessions", str(self._count(host)))
        return at

    def is_gone(self, host: DisposableHost) -> bool:
        return used_inodes_percent(host, self.disk) < _WELL_BELOW_PERCENT

    def harm(self, host: DisposableHost) -> Sequence[str]:
        made = int(host.read_file(f"{self.REMEMBERED}/new-sessions"))
        gone = made - self._count(host)
        return [f"{gone} sessions that had not expired are gone"] if gone > 0 else []

    def _count(self, host: DisposableHost) -> int:
        return len(host.run(["ls", self._new]).stdout.split())

    @property
    def _new(self) -> str:
        return f"{self.disk}/sessions/new"
