"""The reply of the worker that tells which files of a data set fail its checks. JSON, checked on reading.

It is asked as `jobs.data_check` is.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

#: Module that does the job; adapters start it by this name and never import it.
WORKER = "zen_agents.workers.data_failing"


class _Job(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class FailingFile(_Job):
    """One file, and which check it fails, in words."""

    path: str
    why: str
    #: Device, inode, size and time of change of the file that was looked at.
    identity: tuple[int, int, int, int] = (0, 0, 0, 0)


class DataFailingReply(_Job):
    """Which of so many files fail; `unable` says why nobody could tell."""

    failing: tuple[FailingFile, ...] = ()
    #: More fail than are named.
    more: int = 0
    files: int = 0
    unable: str = ""
