"""An asyncio loop in virtual time: nobody sleeps, time jumps to the next timer."""

from __future__ import annotations

import asyncio
import logging
import selectors
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import Context
from typing import Any

from zen_agents.engine.aside import Work

log = logging.getLogger("chaos.simulation")


#: No wait is shorter (seconds).
SHORTEST_WAIT = 0.001
#: Timers that are due within this are called at once by asyncio (seconds).
_TOLD_APART = 1e-6


class StandstillError(Exception):
    """Nothing is left that could ever happen in the loop."""


class _Jump(selectors.BaseSelector):
    """Waits for nothing: what it was told to wait passes at once."""

    def __init__(self, let_pass: Callable[[float], None]) -> None:
        self._let_pass = let_pass

    def select(self, timeout: float | None = None) -> list[Any]:
        if timeout is None:
            raise StandstillError
        if timeout > 0:
            self._let_pass(timeout)
        return []

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return selectors.SelectorKey(fileobj, 0, events, data)

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        return selectors.SelectorKey(fileobj, 0, 0, None)

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return {}


class VirtualLoop(asyncio.SelectorEventLoop):
    """Runs callbacks in the order of their times; `passes` is told of each jump, in seconds."""

    def __init__(self, passes: Callable[[float], None]) -> None:
        self._virtual_seconds, self._passes = 0.0, passes
        super().__init__(_Jump(self._jump))

    def time(self) -> float:
        """Return virtual monotonic seconds; suspended time is not among them."""
        return self._virtual_seconds

    def call_at(  # type: ignore[override]
        self, when: float, callback: Callable[..., Any], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """Call back at a time; what is too near to be told apart from now comes later, or time would stand still."""
        if 0.0 < when - self._virtual_seconds < _TOLD_APART:
            when = self._virtual_seconds + SHORTEST_WAIT
        return super().call_at(when, callback, *args, context=context)

    def _jump(self, seconds: float) -> None:
        # As a kernel's timers do: time that is too short to be told apart from none would never pass.
        passed = max(seconds, SHORTEST_WAIT)
        self._virtual_seconds += passed
        self._passes(passed)

    def run_in_executor(self, executor: Any, func: Callable[..., Any], *args: Any) -> asyncio.Future[Any]:  # type: ignore[override]
        """Run it at once; the future of one that hangs is never done."""
        del executor
        answer = self.create_future()
        VirtualThread.working += 1
        try:
            answer.set_result(func(*args))
        except Exception as error:
            answer.set_exception(error)
        except HungError:
            log.debug("a question hangs")
        finally:
            VirtualThread.working -= 1
        return answer

    def _write_to_self(self) -> None:
        """Wake nobody: there is one thread only."""


class HungError(BaseException):
    """Raised by a simulated question that never comes back; nothing but the thread of it may catch it."""


class VirtualThread:
    """Does its work at once and in the loop's own thread; one that hangs stays alive until `released`."""

    #: How many of them work at this moment: only in a thread may something hang.
    working = 0

    def __init__(self, released: Callable[[], bool]) -> None:
        self._released, self._hangs = released, False

    def give(self, work: Work | None) -> None:
        """Do it now, or never come back from it."""
        if work is None or self._hangs:
            return
        VirtualThread.working += 1
        try:
            work.run()
        except HungError:
            self._hangs = True
        finally:
            VirtualThread.working -= 1

    def is_alive(self) -> bool:
        """Tell whether it hangs."""
        return self._hangs and not self._released()


def bury(loops: Iterable[VirtualLoop]) -> None:
    """Close the loops of engines that were killed, whatever they still do or complain of."""
    with _unheard("apscheduler"):
        for loop in loops:
            tasks = asyncio.all_tasks(loop)
            for task in tasks:
                task.cancel()
            if tasks:
                loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
            loop.close()


@contextmanager
def _unheard(name: str) -> Iterator[None]:
    """Have a logger say nothing: of a run that was due when its engine died, the scheduler says that it was cancelled."""
    logger = logging.getLogger(name)
    level = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        logger.setLevel(level)
