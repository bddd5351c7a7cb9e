"""A disk that lets nobody write any more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from chaos.faults.base import Fault
from chaos.host import DisposableHost
from chaos.volume import edit_volume, image_of, is_read_only, make_volume, mount_volume
from chaos.waiting import wait_until
from chaos.workload import struck


@dataclass(frozen=True, slots=True)
class ReadOnlyRemount(Fault):
    """A data disk is mounted read-only while it is in use: by somebody's hand, or with `damaged` by the kernel itself.

    Then its structure is broken, and writing to it again would break it further.
    """

    name = "read_only_remount"

    disk: str = "/mnt/r"
    damaged: bool = False

    def prepare(self, host: DisposableHost) -> None:
        make_volume(host, self.disk, mib=64)
        host.write_file(f"{self.disk}/kept", "kept\n")
        if self.damaged:
            host.write_file(f"{self.disk}/lost", "its directory entry leads nowhere soon\n")
            edit_volume(host, self.disk, ["clri /lost"])
            host.run(["umount", self.disk], check=True)
            mount_volume(host, self.disk, options="noatime,errors=remount-ro")

    def inject(self, host: DisposableHost) -> float:
        # The kernel finds the damage when somebody looks for the file.
        damage = ("run", "sh", "-c", f"stat {self.disk}/lost || true")
        at = struck(host, damage if self.damaged else ("run", "mount", "-o", "remount,ro", self.disk))
        wait_until(lambda: is_read_only(host, self.disk), "that it is read-only", seconds=10)
        return at

    def is_gone(self, host: DisposableHost) -> bool:
        return not is_read_only(host, self.disk)

    def harm(self, host: DisposableHost) -> Sequence[str]:
        if self.damaged and not is_read_only(host, self.disk) and self._is_unchecked(host):
            return [f"{self.disk} is written to again, and its structure is damaged"]
        return []

    def _is_unchecked(self, host: DisposableHost) -> bool:
        """Tell whether the disk still says itself that it is damaged: nobody has checked it since."""
        return "with errors" in host.run(["dumpe2fs", "-h", image_of(self.disk)]).stdout
