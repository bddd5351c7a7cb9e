"""The request and the reply of the worker that copies a database. JSON, checked on reading."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict

#: Module that does the job; adapters start it by this name and never import it.
WORKER = "zen_agents.workers.data_snapshot"
#: What it leaves in the spill directory.
COPY = "snapshot"


class _Job(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class DataSnapshotRequest(_Job):
    """Which database."""

    contract: dict[str, Any]
    #: An empty directory; whoever starts the worker makes and removes it.
    spill: str = ""


class DataSnapshotReply(_Job):
    """Whether there is a copy; `unable` says why not."""

    unable: str = ""
