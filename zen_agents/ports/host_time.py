"""What time it is elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from zen_agents.ports.time_answer import TimeAnswer


class TimeView(Protocol):
    """The question for the time of a server."""

    async def server_time(self, server: str, timeout_seconds: float) -> TimeAnswer:
        """Ask `HOST:PORT` by SNTP, once; never remembered. HostError for a shortage of this side."""
        ...
