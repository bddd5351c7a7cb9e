"""The request and the reply of the worker that repairs files of a data set, and what is said of tables. JSON."""

from __future__ import annotations

import hashlib
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

#: Module that does the job; adapters start it by this name and never import it.
WORKER = "zen_agents.workers.data_repair"
#: What it leaves in the spill directory: the whole file, and the rows that were taken out of it.
REPAIRED, TAKEN = "repaired", "taken.jsonl"


class _Job(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class DataRepairRequest(_Job):
    """Which data set, and whether only to look what would be done."""

    contract: dict[str, Any]
    #: False: its one file is written anew, to the spill directory.
    only_look: bool = True
    #: So many changed rows are shown.
    shown: int = Field(10, ge=0, le=1000)
    #: An empty directory; whoever starts the worker makes and removes it.
    spill: str = ""


class ChangedCell(_Job):
    """One cell, as text; None is null."""

    column: str
    before: str | None
    after: str | None


class ChangedRow(_Job):
    """A row that changes, and what in it."""

    #: None where rows have no number, but a name: (column, value) of each column of the key.
    number: int | None = None
    keys: tuple[tuple[str, str | None], ...] = ()
    cells: tuple[ChangedCell, ...]


class TakenRow(_Job):
    """A row that is taken out, and why: the checks that it fails, or what keeps the line from being a row."""

    #: As of a row that changes; or the number of its line, where it is no row.
    number: int | None = None
    line: int | None = None
    keys: tuple[tuple[str, str | None], ...] = ()
    why: str


class _RowsRepaired(_Job):
    """What is, or would be, done to rows. Rows in are rows kept, taken out and dropped."""

    rows: int
    kept: int
    #: Bad rows that are taken out, each with its reason.
    taken: int = 0
    #: Rows that repeat an earlier one.
    dropped: int = 0
    #: Rows that are not taken out and hold something else.
    changed: int = 0
    preview: tuple[ChangedRow, ...] = ()
    #: The first of the rows that are taken out.
    leaving: tuple[TakenRow, ...] = ()

    @property
    def share(self) -> float:
        """Return how much of the rows it is about."""
        return min(1.0, (self.changed + self.taken + self.dropped) / self.rows) if self.rows else 0.0


class FileRepair(_RowsRepaired):
    """The same of one file."""

    path: str
    #: Headers that are called otherwise: old -> new.
    renamed: dict[str, str] = {}
    #: What of the file as a whole is written otherwise, in words.
    rewritten: tuple[str, ...] = ()
    #: SHA-256 of what it is to hold, once it was written.
    sha256: str = ""
    #: Which file it was that was read: device, inode, size and time of its last change in nanoseconds.
    identity: tuple[int, int, int, int] = (0, 0, 0, 0)

    @property
    def is_needed(self) -> bool:
        """Tell whether there is anything to do."""
        return bool(self.changed or self.taken or self.dropped or self.renamed or self.rewritten)

    @property
    def about(self) -> str:
        """Return the fingerprint of which file it is about, and of what is done to it."""
        told = (self.path, self.identity, self.rows, self.changed, self.taken, sorted(self.renamed.items()), self.rewritten)
        return hashlib.sha256(repr(told).encode()).hexdigest()


class TableRepair(_RowsRepaired):
    """The same of one table."""

    place: str
    #: Triggers that it would start.
    triggers: tuple[str, ...] = ()
    #: Fingerprint of the rows that it is about, and of what is done to each.
    about: str = ""

    @property
    def is_needed(self) -> bool:
        """Tell whether there is anything to do."""
        return bool(self.changed or self.taken or self.dropped)


class Replaced(_Job):
    """A file that was put in the place of another one."""

    path: str
    #: Id in the quarantine of what was there.
    kept: str
    #: Fingerprint of what is there now: undo is refused once it is another one.
    left: str
    #: What was repaired in it, and where the rows lie that were taken out of it.
    repair: FileRepair | None = None
    taken_to: str = ""


class DataRepairReply(_Job):
    """What came of it; `unable` says why nothing could be done, and of which file."""

    files: tuple[FileRepair, ...] = ()
    #: Of a data set that is a table.
    table: TableRepair | None = None
    unable: str = ""
