"""A worker that is started before its request is there: loading is most of what a short job takes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

#: Runs a worker module with a JSON request, or with what will be one, and returns its JSON reply; raises WorkerError.
RunWorker = Callable[..., Awaitable[str]]

#: So long one waits for a request (seconds); then there was nothing to ask.
_WAITS_SECONDS = 5.0


class WorkerAhead:
    """Runs one kind of worker, each for one request; one may wait for a request that is being made."""

    def __init__(self, run: RunWorker, module: str, *, timeout_seconds: float) -> None:
        self._run, self._module, self._timeout = run, module, timeout_seconds
        self._waiting: tuple[asyncio.Future[str], asyncio.Task[str]] | None = None

    def start(self) -> None:
        """Start one that waits a few seconds for its request; nothing if one waits already."""
        if self._waiting is not None:
            return
        loop = asyncio.get_running_loop()
        request = loop.create_future()
        answer = loop.create_task(self._answer(request))
        # Nobody may come to ask for it.
        answer.add_done_callback(lambda ended: ended.cancelled() or ended.exception())
        self._waiting = waiting = request, answer
        loop.call_later(_WAITS_SECONDS, lambda: self.dismiss() if self._waiting is waiting else None)

    async def ask(self, request: str) -> str:
        """Have the one that waits answer, or a new one. Raises what running it raises."""
        waiting, self._waiting = self._waiting, None
        if waiting is None or any(each.done() for each in waiting):
            # It has ended, or is about to: its request is not waited for any more.
            return await self._answer(request)
        waiting[0].set_result(request)
        return await waiting[1]

    def dismiss(self) -> None:
        """End the one that waits; nothing if none does."""
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            waiting[1].cancel()

    async def _answer(self, request: str | Awaitable[str]) -> str:
        return await self._run(self._module, request, timeout_seconds=self._timeout)
