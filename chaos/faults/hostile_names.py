"""Old files whose names ask to be obeyed."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from chaos.faults.base import Fault
from chaos.host import DisposableHost
from chaos.volume import edit_volume, make_volume
from chaos.workload import has_files, program, struck

_OBEYED = "/run/chaos/obeyed"
_DAY_SECONDS = 86400


@dataclass(frozen=True, slots=True)
class HostileNames(Fault):
    """A temporary directory fills with files that are called like commands, beside links that lead out of it."""

    name = "hostile_names"
    programs = ("mkfs.ext4", "debugfs")

    disk: str = "/mnt/h"
    days: int = 10

    def prepare(self, host: DisposableHost) -> None:
        make_volume(host, self.disk, mib=16)
        aside = f"{self.disk}/aside/old"
        host.run(["mkdir", "-p", f"{self.disk}/scratch", self.REMEMBERED], check=True)
        host.write_file(self._kept, "kept as it is\n")
        host.run([*program("hostile.py"), "names", aside], check=True)
        for link, target in (("rm -rf kept", f"{self.disk}/kept"), ("record; reboot", self._kept)):
            host.run(["ln", "--symbolic", target, f"{aside}/{link}"], check=True)
        inodes = host.run(["find", aside, "-type", "f", "-printf", "%i "], check=True).stdout.split()
        then = f"@{int(time.time()) - self.days * _DAY_SECONDS}"
        kinds = ("atime", "mtime", "ctime")
        edit_volume(host, self.disk, [f"set_inode_field <{inode}> {kind} {then}" for inode in inodes for kind in kinds])

    def inject(self, host: DisposableHost) -> float:
        # What is in a directory that moves keeps its age.
        return struck(host, ("rename", f"{self.disk}/aside/old", f"{self.disk}/scratch/old"))

    def is_gone(self, host: DisposableHost) -> bool:
        return not has_files(host, f"{self.disk}/scratch")

    def harm(self, host: DisposableHost) -> Sequence[str]:
        found = ["a name was obeyed"] if host.run(["test", "-e", _OBEYED]).returncode == 0 else []
        kept = host.run(["cat", self._kept]).stdout == "kept as it is\n"
        return found if kept else [*found, "a file outside the directory is not there any more"]

    @property
    def _kept(self) -> str:
        return f"{self.disk}/kept/record"
