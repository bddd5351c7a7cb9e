"""The request, the progress and the reply of the worker that checks data sets. JSON, checked on reading.

Contracts and reports travel as `datasets.plain` writes them, and are checked by whoever reads them.
"""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

#: Module that does the job; adapters start it by this name and never import it.
WORKER = "zen_agents.workers.data_check"


class _Job(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class DataCheckRequest(_Job):
    """Which data set to look at, and what with."""

    contract: dict[str, Any]
    #: Contracts of the data sets that its keys refer to, by name.
    others: dict[str, dict[str, Any]] = Field({}, max_length=100)
    #: What the last good run left.
    before: dict[str, Any] | None = None
    #: What the clock says (seconds since the epoch).
    now: float
    #: An empty directory for what does not fit into memory; whoever starts the worker makes and removes it.
    spill: str = ""


class DataCheckProgress(_Job):
    """How far it is: a line of standard error, in JSON."""

    #: The check, or `all rows`.
    doing: str
    #: Steps that are done, and all of them.
    done: int
    of: int
    #: Of so many steps this one takes the time.
    takes: int = 1
    #: How much of this step is done, from 0 to 1.
    share: float = 0.0

    @property
    def share_of_all(self) -> float:
        """Return how much of all steps is done, from 0 to 1."""
        return (self.done + self.share * self.takes) / max(1, self.of)


class DataCheckReply(_Job):
    """What came of it."""

    report: dict[str, Any]
