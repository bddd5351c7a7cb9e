"""Connection pools of servers: how full they are, who forgot a connection in them, and giving those back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from zen_agents.model.pool import PoolLook, PoolQuestion, PoolSession


class PoolView(Protocol):
    """Questions about pools; never remembered."""

    async def pool(self, asked: PoolQuestion, timeout_seconds: float) -> PoolLook:
        """Return what the server says, beside the loop; HostError if nobody could ask."""
        ...

    def pool_now(self, asked: PoolQuestion, timeout_seconds: float) -> PoolLook:
        """Return the same. Blocks, so it is for planning; HostError as above."""
        ...


class PoolControl(Protocol):
    """Changes to pools."""

    async def end_sessions(
        self, asked: PoolQuestion, sessions: Sequence[PoolSession], *, timeout_seconds: float
    ) -> Sequence[int]:
        """End those of the given sessions that still are what they were, and were forgotten still; return their numbers.

        The server compares all of that in the statement that ends them. ActionFailedError if it refuses, or if one stays;
        HostError if nobody knows.
        """
        ...
