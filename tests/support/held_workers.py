"""Workers that a test stops while they work, and that do not outlive it."""

from __future__ import annotations

import os
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

import psutil

from chaos.waiting import wait_until
from tests.support.engine_process import PATIENCE_SECONDS


def _has_begun(worker: psutil.Process) -> bool:
    """Tell whether a worker has loaded what it works with, and given root up.

    The kernel forgets to end it with its parent when it changes accounts, until it is told so again: a worker that is held
    in between would be held for good. That it may gain nothing any more is the last that it says of itself.
    """
    with suppress(OSError, psutil.Error):
        loaded = Path(f"/proc/{worker.pid}/maps").read_text(encoding="utf-8", errors="replace")
        status = Path(f"/proc/{worker.pid}/status").read_text(encoding="utf-8", errors="replace")
        return "pydantic_core" in loaded and ("NoNewPrivs:\t1" in status or os.geteuid() != 0)
    return False


class HeldWorkers:
    """Workers that are stopped while they work; none of them is left when it is over."""

    def __init__(self) -> None:
        self._held: list[psutil.Process] = []

    def hold(self, parent: int, modules: Collection[str], but: int = 0) -> int:
        """Wait until a child of a process that runs such a module has begun, another one than this, and stop it."""

        def found() -> psutil.Process | None:
            for each in psutil.Process(parent).children():
                with suppress(psutil.Error):
                    if {*modules} & {*each.cmdline()} and each.pid != but and _has_begun(each):
                        each.suspend()
                        return each
            return None

        worker = wait_until(found, "a worker", seconds=PATIENCE_SECONDS)
        assert worker is not None
        self._held.append(worker)
        return worker.pid

    def let_go(self, worker: int) -> None:
        """Let it go on, if it was not ended meanwhile."""
        for each in self._held:
            with suppress(psutil.NoSuchProcess):
                if each.pid == worker:
                    each.resume()

    def close(self) -> None:
        """Kill those that are left."""
        for each in self._held:
            with suppress(psutil.NoSuchProcess):
                each.kill()
