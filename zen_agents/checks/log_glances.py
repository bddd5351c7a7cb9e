"""Glances at a log between two looks: never while a look is under way, and with what they take."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from time import thread_time

#: A glance waits for a look that is under way so long (seconds).
_WAITS = 0.05


class Glances:
    """Those of one check, made in a thread of whoever hears of each write."""

    def __init__(self) -> None:
        #: Held by a look, and by each glance.
        self.looking = Lock()
        self._taken_seconds = 0.0

    def ask(self, is_news: Callable[[], bool]) -> bool:
        """Return what a glance finds; True where only a look can tell, for one is under way."""
        if not self.looking.acquire(timeout=_WAITS):
            return True
        began = thread_time()
        try:
            return is_news()
        finally:
            self._taken_seconds += thread_time() - began
            self.looking.release()

    def taken_seconds(self) -> float:
        """Return the CPU seconds that glances took since this was last asked; never waits for one.

        What one took that ends at this very moment may be left out, or told once more.
        """
        seconds, self._taken_seconds = self._taken_seconds, 0.0
        return seconds
