"""The request and the reply of the worker that compares two data sets; progress is told as by the one that checks."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

#: Module that does the job; adapters start it by this name and never import it.
WORKER = "zen_agents.workers.data_diff"


class _Job(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class DataDiffRequest(_Job):
    """Which two to compare: contracts that differ in their source."""

    before: dict[str, Any]
    after: dict[str, Any]
    #: The columns that rows are matched by; () for all of them.
    key: tuple[str, ...] = Field((), max_length=100)
    #: An empty directory for what does not fit into memory; whoever starts the worker makes and removes it.
    spill: str = ""


class DataDiffReply(_Job):
    """What came of it."""

    #: None if nobody could tell, and why.
    difference: dict[str, Any] | None = None
    unable: str = ""
