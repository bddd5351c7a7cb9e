"""Blocking questions asked beside the event loop, in daemon threads: one that never comes back is left behind."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Protocol, TypeVar

from zen_agents.errors import HostError

Answer = TypeVar("Answer")

#: So many questions may hang before none is asked any more.
MOST_HUNG = 8
#: What a thread of ours needs of stack, in bytes; the default of 8 MiB is address space nobody uses.
_STACK_BYTES = 512 * 1024


class Work(Protocol):
    """Something to do in a thread."""

    def run(self) -> None: ...


class Thread(Protocol):
    """Something that does work beside the loop, one piece after the other."""

    def give(self, work: Work | None) -> None:
        """Do this next; None ends the thread."""
        ...

    def is_alive(self) -> bool:
        """Tell whether it still works, or hangs."""
        ...


class DaemonThread:
    """One thread that does what it is given; it does not keep the process from ending."""

    def __init__(self) -> None:
        self._queue: SimpleQueue[Work | None] = SimpleQueue()
        before = threading.stack_size(_STACK_BYTES)
        try:
            self._thread = threading.Thread(target=self._work, name="aside", daemon=True)
            self._thread.start()
        finally:
            threading.stack_size(before)

    def give(self, work: Work | None) -> None:
        self._queue.put(work)

    def is_alive(self) -> bool:
        return self._thread.is_alive()

    def _work(self) -> None:
        while (work := self._queue.get()) is not None:
            work.run()
            # What it looked at is not kept until the next comes.
            del work


class _Question:
    def __init__(self, ask: Callable[[], object], loop: asyncio.AbstractEventLoop) -> None:
        self._ask, self._loop = ask, loop
        self.answered: asyncio.Future[object] = loop.create_future()

    def run(self) -> None:
        try:
            answer, error = self._ask(), None
        except Exception as failure:  # handed to whoever asked
            answer, error = None, failure
        with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile: nobody waits any more
            self._loop.call_soon_threadsafe(self._tell, answer, error)

    def _tell(self, answer: object, error: Exception | None) -> None:
        if self.answered.done():
            return
        if error is not None:
            self.answered.set_exception(error)
        else:
            self.answered.set_result(answer)


class Aside:
    """Asks blocking questions one at a time, and gives up on one that takes too long."""

    def __init__(self, thread: Callable[[], Thread] = DaemonThread) -> None:
        self._thread = thread
        self._idle: list[Thread] = []
        self._hung: list[Thread] = []

    async def ask(self, question: Callable[[], Answer], *, timeout_seconds: float) -> Answer:
        """Return the answer, or raise what the question raised; HostError if it does not come back in time."""
        self._hung = [thread for thread in self._hung if thread.is_alive()]
        if len(self._hung) >= MOST_HUNG:
            raise HostError(f"{MOST_HUNG} earlier questions hang; the host is not asked")
        thread = self._idle.pop() if self._idle else self._thread()
        asked = _Question(question, asyncio.get_running_loop())
        thread.give(asked)
        try:
            # Not wait_for: before Python 3.12 it loses a cancellation that comes together with the answer.
            async with asyncio.timeout(timeout_seconds):
                answer = await asked.answered
        except TimeoutError:
            thread.give(None)  # it ends when its question comes back
            self._hung.append(thread)
            raise HostError(f"the host did not answer within {timeout_seconds:g} s") from None
        finally:
            if asked.answered.done() and not asked.answered.cancelled():
                self._idle.append(thread)
        return answer  # type: ignore[return-value]  # what the question returned

    def close(self) -> None:
        """Let idle threads end."""
        for thread in self._idle:
            thread.give(None)
        self._idle.clear()
