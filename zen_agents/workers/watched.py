"""Tells, while a query of DuckDB runs, how much of it is done."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from zen_agents.jobs.data_check import DataCheckProgress

if TYPE_CHECKING:  # a look at a database needs no DuckDB
    from zen_agents.workers.duck import Duck

#: Is told how far it is.
Told = Callable[[DataCheckProgress], None]

_TELL_EVERY: Final = 0.5


class Watched:
    """Tells, while a query runs, how much of it is done."""

    def __init__(self, duck: Duck, told: Told, pass_bytes: int = 0) -> None:
        """Begin; `pass_bytes` is what a step that takes several reads once from its beginning to its end (0: unknown)."""
        self._duck, self._told, self._over, self._pass_bytes = duck, told, threading.Event(), pass_bytes
        #: What is done now, how much was read when it was begun, and how much it reads (bytes): one tuple, all of one step.
        self._now = DataCheckProgress(doing="all rows", done=0, of=1), 0, 0
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def told(self, doing: str, done: int, of: int, takes: int = 1, reads: int = 0) -> None:
        """Note what is done now; `reads` is how many bytes it reads, where that tells more than the database can."""
        reads = reads or (self._pass_bytes if takes > 1 else 0)
        self._now = DataCheckProgress(doing=doing, done=done, of=of, takes=takes), _bytes_read(), reads

    def __enter__(self) -> Watched:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(_TELL_EVERY):
            step, read_before, reads = self._now
            self._told(step.model_copy(update={"share": self._share_of(read_before, reads)}))

    def _share_of(self, read_before: int, reads: int) -> float:
        share = self._duck.share_done()
        if reads:  # the database counts grouping what it read as much as reading it, and nothing that is done beside it
            share = max(share, (_bytes_read() - read_before) / reads)
        return min(1.0, share)


def _bytes_read() -> int:
    """Return how many bytes this process has read, from wherever; 0 where nobody can tell."""
    with suppress(OSError):
        for line in Path("/proc/self/io").read_text(encoding="ascii").splitlines():
            if line.startswith("rchar:"):
                return int(line.partition(":")[2])
    return 0


def tell(progress: DataCheckProgress) -> None:
    """Write a line about it to standard error, if anybody listens."""
    with suppress(OSError):
        sys.stderr.write(progress.model_dump_json() + "\n")
        sys.stderr.flush()
