"""What every change of an intent waits for: that the intent is durable."""

from __future__ import annotations

import asyncio
import contextlib
import threading

from zen_agents.errors import HostError, RefusedError

#: How long a thread waits for its intent to become durable before it gives up.
_RELEASED_WITHIN_SECONDS = 60.0


class Gate:
    """What every change waits for; opened once, or refused for good."""

    def __init__(self) -> None:
        self._decided = threading.Event()
        self._refused = ""
        self._waiting: list[asyncio.Future[None]] = []

    def open(self) -> None:
        self._decide()

    def refuse(self, why: str) -> None:
        self._refused = self._refused or why
        self._decide()

    def check(self) -> None:
        """Raise RefusedError if it is refused."""
        if self._refused:
            raise RefusedError(f"Nothing more is done for this action: {self._refused}.")

    async def passed(self) -> None:
        """Wait in the loop until it is decided; RefusedError if it is refused."""
        if not self._decided.is_set():
            future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.append(future)
            await future
        self.check()

    def pass_blocking(self) -> None:
        """Wait in a thread until it is decided; in the loop, where waiting would be for ever, HostError."""
        if not self._decided.is_set():
            with contextlib.suppress(RuntimeError):  # no loop in this thread: it may wait
                asyncio.get_running_loop()
                raise HostError("a change was tried before its intent was durable; nothing was done")
            if not self._decided.wait(_RELEASED_WITHIN_SECONDS):
                raise HostError("the intent did not become durable in time; nothing was done")
        self.check()

    def _decide(self) -> None:
        self._decided.set()
        for future in self._waiting:
            if not future.done():
                future.set_result(None)
        self._waiting.clear()
