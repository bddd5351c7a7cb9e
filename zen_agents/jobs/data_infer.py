"""The request and the reply of the worker that proposes a contract for a file. JSON, checked on reading."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

#: Module that does the job; adapters start it by this name and never import it.
WORKER = "zen_agents.workers.data_infer"


class _Job(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class DataInferRequest(_Job):
    """Which file to look at: a contract that says where it lies and what looking may take, and nothing else."""

    contract: dict[str, Any]
    #: So many rows from its beginning are looked at; 0: all.
    rows: int = Field(ge=0)
    #: An empty directory for what does not fit into memory; whoever starts the worker makes and removes it.
    spill: str = ""


class DataInferReply(_Job):
    """The contract, as the text of a file; or why there is none."""

    text: str = ""
    columns: int = 0
    #: So many rows were looked at, and whether those are all.
    rows: int = 0
    is_all: bool = True
    unable: str = ""
