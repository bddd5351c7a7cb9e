"""What signals ask of a running engine: to end, to hurry, to read its configuration anew."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Coroutine
from typing import Any

from zen_agents.engine.engine import Engine


class Signals:
    """Listens for one engine, and knows what ended it."""

    def __init__(self, engine: Engine, reload: Callable[[], Coroutine[Any, Any, None]]) -> None:
        self.ended_by = "asked to stop"
        self._engine, self._reload = engine, reload
        self._began_at_terminal = _at_terminal()
        #: The loop itself holds no task: one that nobody holds may be collected before it has ended.
        self._reloads = set[asyncio.Task[None]]()

    def listen(self) -> None:
        """Take TERM, INT and HUP from now on."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._end, signal.Signals(number).name)
        loop.add_signal_handler(signal.SIGHUP, self._hang_up)

    def _end(self, name: str) -> None:
        if self.ended_by == name:
            # A second one of a kind: whoever sends it does not want to wait.
            self._engine.hurry()
        self.ended_by = name
        self._engine.request_stop()

    def _hang_up(self) -> None:
        if self._began_at_terminal and not _at_terminal():
            # The window was closed. Going on would be an engine that changes things and that nobody sees.
            self._end(signal.SIGHUP.name)
        else:
            reload = asyncio.get_running_loop().create_task(self._reload())
            self._reloads.add(reload)
            reload.add_done_callback(self._reloads.discard)


def _at_terminal() -> bool:
    """Tell whether one of the standard streams is a terminal that is still there."""
    return any(os.isatty(descriptor) for descriptor in range(3))
