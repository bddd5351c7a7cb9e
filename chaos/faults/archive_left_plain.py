"""A log that was rotated and not packed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from chaos.faults.base import Fault
from chaos.host import DisposableHost
from chaos.workload import file_bytes, file_state, struck

_LINES, _STATE = 200_000, "640 65534:4"


@dataclass(frozen=True, slots=True)
class ArchiveLeftPlain(Fault):
    """A program rotates its log itself, by its date, and packs nothing; no line and no right may be lost when it is."""

    name = "archive_left_plain"
    programs = ("zstd",)

    folder: str = "/var/log/app"
    archive: str = "app.log.2026-11-20"

    def prepare(self, host: DisposableHost) -> None:
        host.run(["install", "-D", "--mode=0640", "--owner=nobody", "--group=adm", "/dev/null", self._aside], check=True)
        host.run(["sh", "-c", f"seq -f 'line %.0f of what happened' {_LINES} > {self._aside}"], check=True)
        host.run(["touch", "--date=7 days ago", self._aside], check=True)
        host.write_file(f"{self.folder}/app.log", "live\n")

    def inject(self, host: DisposableHost) -> float:
        return struck(host, ("rename", self._aside, self._plain))

    def again(self, host: DisposableHost) -> None:
        host.run(["sh", "-c", f"unzstd -q --rm {self._plain}.zst"], check=True)

    def is_gone(self, host: DisposableHost) -> bool:
        return not file_bytes(host, self._plain)

    def traces(self) -> Sequence[str]:
        return (f"file {self.folder}/*",)

    def harm(self, host: DisposableHost) -> Sequence[str]:
        packed = f"{self._plain}.zst"
        if file_bytes(host, self._plain):
            return [] if file_bytes(host, self._plain) > _LINES else [f"{self._plain} was cut"]
        kept = host.run(["sh", "-c", f"unzstd -qc {packed} | grep -c 'of what happened'"]).stdout.strip()
        lost = [] if kept == str(_LINES) else [f"{kept} of {_LINES} lines are kept"]
        state = file_state(host, packed)
        return lost if state == _STATE else [*lost, f"{packed} is {state}"]

    @property
    def _aside(self) -> str:
        return f"{self.folder}/being-written"

    @property
    def _plain(self) -> str:
        return f"{self.folder}/{self.archive}"
