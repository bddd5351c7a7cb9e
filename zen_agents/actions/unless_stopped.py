"""What takes its time and is never kept by itself is broken off as soon as the emergency stop is set (R9)."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from zen_agents.ports.host import HostControl

T = TypeVar("T")

#: How often the stop is looked at meanwhile (seconds).
_LOOK_EVERY_SECONDS = 0.5


async def unless_stopped(work: Coroutine[Any, Any, T], control: HostControl) -> T:
    """Return what comes of it; RefusedError once the stop is set, when it was cancelled and has ended."""
    begun = asyncio.ensure_future(work)
    try:
        while not (await asyncio.wait((begun,), timeout=_LOOK_EVERY_SECONDS))[0]:
            control.check_stop()
        return begun.result()
    finally:
        if not begun.done():
            begun.cancel()
            await asyncio.wait((begun,))
