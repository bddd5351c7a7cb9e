"""A connection that is made and held for a moment: one that is accepted and broken off at once serves nobody."""

from __future__ import annotations

import asyncio
import errno

from zen_agents.adapters.linux_probe import connect, timed
from zen_agents.adapters.name_lookup import Resolver
from zen_agents.ports.host_probes import ProbeResult

#: How long a connection has to last (seconds).
_STAYS_SECONDS = 0.05


async def connection(host: str, port: int, timeout_seconds: float, resolver: Resolver) -> ProbeResult:
    """Return how it went; HostError where this host is short of something."""

    async def ask() -> ProbeResult:
        sock = await connect(host, port, resolver)
        try:
            async with asyncio.timeout(_STAYS_SECONDS):
                greeting = await asyncio.get_running_loop().sock_recv(sock, 1)
        except TimeoutError:
            return ProbeResult(True, "", "connected", 0.0)
        finally:
            sock.close()
        if not greeting:
            raise ConnectionResetError(errno.ECONNRESET, "it was accepted and closed at once")
        return ProbeResult(True, "", "connected and greeted", 0.0)

    return await timed(ask, timeout_seconds, lambda: resolver.is_asking(host, port))
