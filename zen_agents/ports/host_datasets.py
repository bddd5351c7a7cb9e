"""Data sets of the host: whether they are what is expected of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from zen_agents.ports.host_files import FileState


#: Is told what is looked at, in words, and how much of it was (0 to 1; None: nobody can tell).
LookTold = Callable[[str, float | None], None]


class DataQuestion(NamedTuple):
    """One data set, and what looking at it may take."""

    dataset: str
    #: A `jobs.data_check.DataCheckRequest`, whose `spill` whoever asks fills in.
    request_json: str
    memory_bytes: int
    threads: int
    #: Longer than this it may not take.
    seconds: float
    #: What does not fit into memory is written below here (""; the usual place), at most so much.
    spill_dir: str
    spill_bytes: int


class RepairLook(NamedTuple):
    """What is to be found out before something is repaired, or before that is taken back."""

    asked: DataQuestion
    #: What the answer is: a `jobs.data_repair.DataRepairReply`, a `jobs.table_repair.TableReply`, a `PutBack` of how many
    #: rows are as they were when the quarantine kept them, or a `jobs.data_failing.DataFailingReply`.
    kind: Literal["files", "table", "rows_back", "failing"]
    #: Id of the rows that were kept.
    kept: str = ""


class SnapshotQuestion(NamedTuple):
    """Of which file a good copy is to be kept."""

    #: A look at it. A database is copied as one state of it, and that copy is asked this once more.
    look: DataQuestion
    is_database: bool
    #: The file as it was before the look that found it good.
    seen: FileState
    #: Where copies lie; "" is in the engine's own state.
    directory: str
    #: So many, of so many bytes together, none older; the newest is always kept. No sooner after the last one.
    copies: int
    most_bytes: int
    age_seconds: float
    every_seconds: float
    #: Seconds since the epoch.
    now: float


class DatasetView(Protocol):
    """Questions about data sets; looks leave copies of what was good, and what repairs would do, and nothing else."""

    async def keep_snapshot(self, asked: SnapshotQuestion) -> bool:
        """Keep a copy of a file that was found good, if it is due and none of the same is there; tell whether it was made.

        Mode and owner are those of the file. HostError if it cannot be kept: it changed since, somebody writes it, no room.
        """
        ...

    def snapshots(self, dataset: str, path: str, directory: str) -> Sequence[FileState]:
        """Return the copies of a file that were kept, the newest first."""
        ...

    async def check_data(self, asked: DataQuestion, told: LookTold | None = None) -> str:
        """Return a `jobs.data_check.DataCheckReply`, found out beside the loop; HostError if nobody could look.

        How far it is goes to `told`, once it has begun: it may have to wait for others.
        """
        ...

    async def look_at_repair(self, look: RepairLook, told: LookTold) -> None:
        """Have a worker find out what would be done, for `repair_known`, unless what is known still holds.

        It takes as long as the question says, and ends with whoever waits for it. How far it is goes to `told`, where
        somebody can tell. HostError if nobody could look.
        """
        ...

    def repair_known(self, look: RepairLook) -> str:
        """Return what was found; StalePlanError if nobody has looked, or other files are there than were looked at."""
        ...

    def forget_repair(self, dataset: str) -> None:
        """Forget what was found of a data set whose rows were changed."""
        ...


class DatasetControl(Protocol):
    """Changes to files of data sets: one takes the place of another in one step, and that goes to the quarantine.

    Each returns a `jobs.data_repair.Replaced`. StalePlanError if the file is not what was expected or somebody has it open,
    HostError if there is no room; then nothing was changed.
    """

    async def repair_data(
        self, asked: DataQuestion, expected: FileState, about: str, taken_to: str, *, action: str
    ) -> str:  # fmt: skip
        """Have a worker repair the one file of a question, if that is what was looked at (`FileRepair.about`).

        What is taken out is written to a new file in a directory.
        """
        ...

    async def repair_table(self, asked: DataQuestion, about: str, taken_to: str, *, action: str) -> str:
        """Have a worker repair a table in one transaction, if it is about those rows; return a `TableChanged`.

        It is made final once the rows as they were are in the quarantine, and those that are taken out in a new file of a
        directory. StalePlanError, HostError as above; any other error: nobody knows whether it took place.
        """
        ...

    async def put_back_rows(self, asked: DataQuestion, id: str, *, action: str) -> str:
        """Put the rows that the quarantine has kept back where nobody has changed them since; return a `PutBack`."""
        ...

    async def restore_data(self, expected: FileState, copy: FileState, *, action: str) -> str:
        """Put a copy of another file in the place of a file, with the mode and owner that this one has."""
        ...

    async def put_back_data(self, expected: FileState, id: str, *, action: str) -> str:
        """Put what the quarantine kept of a file in its place again, with the mode and owner that it had."""
        ...
