"""What a simulated life needs of the process that it shares with others: its garbage to itself, and what its engine says."""

from __future__ import annotations

import gc
import logging
from collections.abc import Iterator
from contextlib import contextmanager

from chaos.invariants import Violation


@contextmanager
def heard(found: list[Violation]) -> Iterator[None]:
    """Add each exception that the engine did not expect to `found`; nothing that it says is printed."""
    listener, logger = _Heard(found), logging.getLogger("zen_agents")
    before = logger.level, logger.propagate
    logger.setLevel(logging.ERROR)
    logger.propagate = False
    logger.addHandler(listener)
    try:
        yield
    finally:
        logger.removeHandler(listener)
        logger.setLevel(before[0])
        logger.propagate = before[1]


@contextmanager
def only_its_own_garbage() -> Iterator[None]:
    """Collect what is garbage when the engine says so, and look then at nothing that was there before the life."""
    automatic = gc.isenabled()
    gc.disable()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
        if automatic:
            gc.enable()


class _Heard(logging.Handler):
    """Takes an exception that the engine did not expect for what it is, however well it was contained."""

    def __init__(self, found: list[Violation]) -> None:
        super().__init__(logging.ERROR)
        self._found = found

    def emit(self, record: logging.LogRecord) -> None:
        if record.exc_info and record.exc_info[1] is not None:
            error = record.exc_info[1]
            self._found.append(Violation("unexpected", f"{record.getMessage()}: {type(error).__name__}: {error}"))
