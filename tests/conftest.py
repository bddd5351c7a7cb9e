"""What every test leaves as it found it."""

from __future__ import annotations

import contextlib
import gc
import logging
import os
import shutil
import signal
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from weakref import WeakSet

import pytest
from hypothesis import settings

from zen_agents.adapters import sqlite_store_file
from zen_agents.adapters.sqlite_store_file import StateFile
from zen_agents.errors import StoreError
from zen_agents.store import failpoint

# How long an example takes says how busy the machine is, and nothing of the code.
settings.register_profile("zen_agents", deadline=None)
settings.load_profile("zen_agents")

# Who starts the tests in the background of a script has Ctrl-C ignored, and so would all that they start.
signal.signal(signal.SIGINT, signal.default_int_handler)

# Nearly all that a collection makes stays; looking through it again and again is a fifth of its time.
gc.disable()

#: Arms one failpoint of the test's own process.
Arm = Callable[[str | None], None]

#: The states that are open in this process, and such as were closed and are still referred to.
_states: WeakSet[StateFile] = WeakSet()


class _KnownState(StateFile):
    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        _states.add(self)


sqlite_store_file.StateFile = _KnownState  # type: ignore[misc]


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Give a run its own place for temporary directories, unless somebody names one with `--basetemp`.

    The one that all runs share is closed to other accounts whenever another run begins, and tests let workers in that have
    given root up.
    """
    if config.option.basetemp is None and not hasattr(config, "workerinput"):
        place = Path(tempfile.mkdtemp(prefix="zen-tests-"))
        config.option.basetemp = place / "run"
        config.add_cleanup(lambda: shutil.rmtree(place, ignore_errors=True))


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


@pytest.fixture(autouse=True)
def states_as_they_were() -> Iterator[None]:
    """Close the states that a test left open: each holds three descriptors until its garbage is collected."""
    before = set(_states)
    yield
    for state in set(_states) - before:
        # One of another thread may not be closed from here.
        with contextlib.suppress(sqlite3.Error, StoreError):
            state.close()


@pytest.fixture
def arm() -> Iterator[Arm]:
    """Return what arms a failpoint of this process; none is armed afterwards."""
    yield failpoint.arm
    failpoint.arm(None)
