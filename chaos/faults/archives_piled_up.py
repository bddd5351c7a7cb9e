"""A small disk of logs, full because what was rotated is kept for ever and the live log has grown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from chaos.faults.base import Fault
from chaos.host import DisposableHost
from chaos.volume import filling, make_files, make_volume, used_percent
from chaos.workload import file_bytes, struck

_MIB = 1 << 20
_FULL_PERCENT, _WELL_BELOW_PERCENT = 97.0, 88.0


@dataclass(frozen=True, slots=True)
class ArchivesPiledUp(Fault):
    """The live log grows until the disk is 97 % full; half of the disk are its archives, one for each of the last days.

    What must stay: the live log, the newest archives, one that somebody reads, an old archive that logrotate owns, and a
    file that has nothing to do with it.
    """

    name = "archives_piled_up"

    disk: str = "/var/log/app"
    mib: int = 128
    count: int = 60

    def prepare(self, host: DisposableHost) -> None:
        make_volume(host, self.disk, mib=self.mib)
        make_files(host, self.disk, self.count, _MIB)
        dated = f'cd {self.disk} && for n in $(seq 0 {self.count - 1}); do touch --date="$((n + 1)) days ago" $n; '
        host.run(["sh", "-c", f"{dated} mv $n app.log.$((n + 1)); done"], check=True)
        for kept in self._kept:
            host.write_file(kept, "kept\n")
            host.run(["touch", "--date=300 days ago", kept], check=True)
        # As where logrotate is installed, whatever this machine has.
        host.write_file("/usr/sbin/logrotate", "#!/bin/sh\n")
        host.write_file("/etc/logrotate.conf", f"{self.disk}/web.log {{\n  weekly\n}}\n")
        host.write_file(self._log, "the first line\n")
        read = f"tail -f {self._read}"
        host.run(["systemd-run", "--quiet", "--unit=reader", "--service-type=exec", "sh", "-c", read], check=True)

    def inject(self, host: DisposableHost) -> float:
        return struck(host, filling(host, self.disk, self._log, percent=_FULL_PERCENT))

    def is_gone(self, host: DisposableHost) -> bool:
        return used_percent(host, self.disk) < _WELL_BELOW_PERCENT

    def traces(self) -> Sequence[str]:
        return (f"file {self.disk}/*",)

    def harm(self, host: DisposableHost) -> Sequence[str]:
        newest = [f"{self.disk}/app.log.{number}" for number in range(1, 11)]
        gone = [f"{path} is gone" for path in (*self._kept, *newest, self._read) if not file_bytes(host, path)]
        first = host.run(["head", "-c", "14", self._log]).stdout
        return gone if first == "the first line" else [*gone, f"{self._log} was changed"]

    @property
    def _log(self) -> str:
        return f"{self.disk}/app.log"

    @property
    def _read(self) -> str:
        """The oldest of all, which somebody reads."""
        return f"{self.disk}/app.log.{self.count}"

    @property
    def _kept(self) -> tuple[str, ...]:
        return tuple(f"{self.disk}/{name}" for name in ("web.log", "web.log.1", "web.log.9.gz", "notes.txt", "worker-2.log"))
