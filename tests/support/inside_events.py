"""Run inside a disposable host: watches units, does what it is told, prints the wakes that came, as JSON.

Arguments: the units watched, comma-separated, then the argument list of what changes one of them. No look is taken: what
is printed came over the bus, after the first wakes that follow each connection.
"""

import asyncio
import json
import sys

from zen_agents.adapters.event_sources import EventSources
from zen_agents.ports.events import Wake, Watch

PATIENCE_SECONDS = 20.0
#: With nothing for so long, all that belongs to the connection has been told.
QUIET_SECONDS = 0.3


async def next_wake(wakes: asyncio.Queue[Wake], seconds: float) -> list[Wake]:
    try:
        return [await asyncio.wait_for(wakes.get(), seconds)]
    except TimeoutError:
        return []


async def wakes_after(units: list[str], argv: list[str]) -> dict[str, object]:
    wakes: asyncio.Queue[Wake] = asyncio.Queue()
    sources = EventSources()
    sources.open(wakes.put_nowait)
    sources.watch([Watch("unit", unit) for unit in units])
    connected = [wake for _ in units for wake in await next_wake(wakes, PATIENCE_SECONDS)]
    while await next_wake(wakes, QUIET_SECONDS):
        pass
    unwatched = sources.unwatched["unit"]
    process = await asyncio.create_subprocess_exec(*argv)
    await process.wait()
    woken = await next_wake(wakes, PATIENCE_SECONDS)
    while more := await next_wake(wakes, QUIET_SECONDS):
        woken += more
    sources.close()
    return {
        "connected": sorted(wake.subject for wake in connected),
        "unwatched": unwatched,
        "woken": sorted({f"{wake.subject} by {wake.source}" for wake in woken}),
    }


sys.stdout.write(json.dumps(asyncio.run(wakes_after(sys.argv[1].split(","), sys.argv[2:]))))
