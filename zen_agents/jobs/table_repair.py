"""What the worker is told and asked that repairs a table, or takes that back: a conversation of two lines.

It changes the rows in a transaction, writes what undo needs, and says on standard error that it is ready. Once that is
kept, whoever asked answers with `COMMIT` on its standard input. Without that answer nothing was changed.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from zen_agents.jobs.data_repair import TableRepair

#: Module that does the job; adapters start it by this name and never import it.
WORKER = "zen_agents.workers.table_repair"
#: What it leaves in the spill directory: the rows as they were, and those that were taken out of the table.
UNDO, TAKEN = "undo.jsonl", "taken.jsonl"
#: The one word that makes it final.
COMMIT = "commit"


class _Job(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class TableRequest(_Job):
    """Which table, and what to do: look what would be changed, change it, put rows back, look what of that is possible.

    `settle`: tell whether a transaction took place whose end nobody heard of.
    """

    contract: dict[str, Any]
    verb: Literal["look", "repair", "look_back", "put_back", "settle"] = "look"
    #: So many changed rows are shown.
    shown: int = Field(0, ge=0, le=1000)
    #: `TableRepair.about` of the plan: other rows are not changed.
    about: str = ""
    #: File with the rows as they were; it is opened before root is given up.
    undo: str = ""
    #: `TableReady.mark` of the transaction in question.
    mark: str = ""
    #: An empty directory; whoever starts the worker makes and removes it.
    spill: str = ""


class TableReady(_Job):
    """A line of standard error: all is changed and counted, and waits for `COMMIT`."""

    #: What names the transaction in its database; "" where there is no such thing.
    mark: str
    ready: Literal[True] = True


class PutBack(_Job):
    """What became, or would become, of rows that are put back."""

    rows: int
    #: Rows that are as they were before the repair, now.
    back: int
    #: The names of the first of those that somebody has changed since, which are left alone.
    left: tuple[str, ...] = ()


class TableReply(_Job):
    """What came of it; `unable` says why nothing was changed."""

    repair: TableRepair | None = None
    put_back: PutBack | None = None
    #: Whether it took place: yes, no, or nobody can tell.
    settled: Literal["", "done", "not_done", "unknown"] = ""
    unable: str = ""
    #: Whether that is because other rows are there than were planned for.
    is_stale: bool = False


class TableChanged(_Job):
    """A table that was repaired."""

    #: Id in the quarantine of the rows as they were.
    kept: str
    #: Where rows lie that were taken out.
    taken_to: str = ""
    #: None where the worker could not say any more what it did.
    repair: TableRepair | None = None
