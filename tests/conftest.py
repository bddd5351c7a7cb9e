"""What every test leaves as it found it."""

from __future__ import annotations

import gc
import logging
import os
from collections.abc import Callable, Iterator

import pytest
from hypothesis import settings

from zen_agents.store import failpoint

# How long an example takes says how busy the machine is, and nothing of the code.
settings.register_profile("zen_agents", deadline=None)
settings.load_profile("zen_agents")

# Nearly all that a collection makes stays; looking through it again and again is a fifth of its time.
gc.disable()

#: Arms one failpoint of the test's own process.
Arm = Callable[[str | None], None]


def pytest_collection_finish() -> None:
    """Let garbage be collected again, except among the tests themselves."""
    gc.freeze()
    gc.enable()


@pytest.fixture(autouse=True)
def log_as_it_was() -> Iterator[None]:
    """Undo what a command that ran within a test said about logging: it speaks for its whole process."""
    loggers = [logging.getLogger(name) for name in ("zen_agents", "zen_agents.done")]
    before = [(logger.level, logger.propagate, logger.handlers[:]) for logger in loggers]
    yield
    for logger, (level, propagate, handlers) in zip(loggers, before, strict=True):
        logger.setLevel(level)
        logger.propagate = propagate
        logger.handlers[:] = handlers


@pytest.fixture(autouse=True)
def umask_as_it_was() -> Iterator[None]:
    """Undo the umask of an engine that ran within a test: files of later tests would be nobody else's to read."""
    before = os.umask(0o022)
    os.umask(before)
    yield
    os.umask(before)


@pytest.fixture
def arm() -> Iterator[Arm]:
    """Return what arms a failpoint of this process; none is armed afterwards."""
    yield failpoint.arm
    failpoint.arm(None)
