"""A data file in which some bytes are not what was written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from chaos.faults.base import Fault
from chaos.host import DisposableHost
from chaos.workload import files_below, lacking, program, program_with_libraries, struck

#: The middle of a file with a row on each line lies near the beginning of one.
_INTO_ROW = 40
_JUNK = "\x01\x02 no record \x03\x04"


@dataclass(frozen=True, slots=True)
class CorruptedData(Fault):
    """Bytes in the middle of an application's records are flipped, as by a bad disk; yesterday's snapshot is good.

    Of Parquet the second half is missing, as after a copy that was broken off.

    Gone means: what the file holds is as it was written, and all rows are either there or in the quarantine.
    """

    name = "corrupted_data"

    format: Literal["json", "csv", "db", "parquet"] = "db"
    rows: int = 500
    folder: str = "/srv/app"
    snapshots: str = "/srv/snapshots"
    #: Whether the good copy is the application's own; else it is whoever keeps copies that has to have made one.
    own_copy: bool = True
    #: Where rows that were taken out lie, a line each, with the reason.
    quarantine: str = "/srv/quarantine"

    def why_not(self) -> str:
        return lacking("duckdb") if self.format == "parquet" else ""

    def prepare(self, host: DisposableHost) -> None:
        folders = [self.folder, self.quarantine, *([self.snapshots] if self.own_copy else [])]
        host.run(["mkdir", "-p", *folders], check=True)
        start = program_with_libraries if self.format == "parquet" else program
        host.run([*start("records.py"), "make", self._file, str(self.rows)], check=True)
        host.write_file(f"{self.REMEMBERED}/junk", _JUNK)
        kept = self.snapshots if self.own_copy else self.REMEMBERED
        host.run(["cp", "--preserve", self._file, kept], check=True)

    def may_happen(self, host: DisposableHost) -> bool:
        return self.own_copy or any(each.endswith(".good") for each in files_below(host, self.snapshots))

    def inject(self, host: DisposableHost) -> float:
        into_row = 0 if self.format == "db" else _INTO_ROW
        middle = int(host.run(["stat", "--format=%s", self._file], check=True).stdout) // 2 + into_row
        if self.format == "parquet":
            return struck(host, ("run", "truncate", f"--size={middle}", self._file))
        flip = [
            "dd",
            f"if={self.REMEMBERED}/junk",
            f"of={self._file}",
            "bs=1",
            f"seek={middle}",
            "conv=notrunc",
            "status=none",
        ]
        return struck(host, ("run", *flip))

    def is_gone(self, host: DisposableHost) -> bool:
        return self._right(host) + self._quarantined(host) == self.rows

    def traces(self) -> Sequence[str]:
        return (f"file {self._file}",)

    def harm(self, host: DisposableHost) -> Sequence[str]:
        right = self._right(host)
        lost = self.rows - right - self._quarantined(host)
        return [f"{lost} rows are neither there nor in the quarantine"] if right >= 0 and lost > 0 else []

    def _right(self, host: DisposableHost) -> int:
        """Return how many rows the file holds, -1 while it is damaged."""
        if self.format == "parquet":  # the library takes long to start, and only the snapshot is as good
            is_good = host.run(["cmp", "--silent", self._file, f"{self.snapshots}/orders.parquet"]).returncode == 0
            return self.rows if is_good else -1
        checked = host.run([*program("records.py"), "check", self._file])
        return int(checked.stdout) if checked.returncode == 0 else -1

    def _quarantined(self, host: DisposableHost) -> int:
        return len(host.run(["sh", "-c", f"cat {self.quarantine}/* 2>/dev/null"]).stdout.splitlines())

    @property
    def _file(self) -> str:
        return f"{self.folder}/orders.{self.format}"
