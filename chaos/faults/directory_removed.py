"""A directory that somebody removed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from chaos.faults.base import Fault
from chaos.host import DisposableHost
from chaos.workload import file_state, struck

_RIGHT = "750 65534:65534"


@dataclass(frozen=True, slots=True)
class DirectoryRemoved(Fault):
    """The spool of an application is removed, with all its rights; whoever makes it again is told so by the kernel, too."""

    name = "directory_removed"

    directory: str = "/srv/app/spool"

    def prepare(self, host: DisposableHost) -> None:
        owner = ["--mode=0750", "--owner=nobody", "--group=nogroup"]
        host.run(["install", "-D", "--directory", *owner, self.directory], check=True)

    def inject(self, host: DisposableHost) -> float:
        return struck(host, ("rmdir", self.directory))

    def is_gone(self, host: DisposableHost) -> bool:
        return file_state(host, self.directory) == _RIGHT

    def traces(self) -> Sequence[str]:
        return (f"file {self.directory}",)
