"""Tells, while a query of DuckDB runs, how much of it is done."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from zen_agents.jobs.data_check import DataCheckProgress

if TYPE_CHECKING:  # a look at a database needs no DuckDB
    from zen_agents.workers.duck import Duck

#: Is told how far it is.
Told = Callable[[DataCheckProgress], None]

_TELL_EVERY: Final = 0.5


class Watched:
    """Tells, while a query runs, how much of it is done."""

    def __init__(self, duck: Duck, told: Told) -> None:
        self._duck, self._told, self._over = duck, told, threading.Event()
        self._now = DataCheckProgress(doing="all rows", done=0, of=1)
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def told(self, doing: str, done: int, of: int) -> None:
        """Note what is done now."""
        self._now = DataCheckProgress(doing=doing, done=done, of=of)

    def __enter__(self) -> Watched:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(_TELL_EVERY):
            self._told(self._now.model_copy(update={"share": self._duck.share_done()}))


def tell(progress: DataCheckProgress) -> None:
    """Write a line about it to standard error, if anybody listens."""
    with suppress(OSError):
        sys.stderr.write(progress.model_dump_json() + "\n")
        sys.stderr.flush()
