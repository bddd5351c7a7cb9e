"""Data sets of the host: whether they are what is expected of them."""

from __future__ import annotations

from typing import NamedTuple, Protocol


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


class DatasetView(Protocol):
    """Questions about data sets; never remembered."""

    async def check_data(self, asked: DataQuestion) -> str:
        """Return a `jobs.data_check.DataCheckReply`, found out beside the loop; HostError if nobody could look."""
        ...
