"""Moments for tests, so that no test reads a clock."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, tzinfo
from types import SimpleNamespace
from typing import Self

import pytest

from zen_agents import clock
from zen_agents.cli import call
from zen_agents.clock import Instant

#: A Wednesday noon.
START = datetime(2026, 1, 7, 12, 0, tzinfo=UTC)


def at(seconds: float) -> Instant:
    """Return the moment so many seconds after START, on both timelines."""
    return Instant(START, 0.0).after(seconds)


@contextmanager
def frozen(wall: datetime) -> Iterator[None]:
    """Stop the time that this process reads, in UTC, at one moment."""

    class Stopped(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Self:
            return cls.fromtimestamp(wall.timestamp(), tz)

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TZ", "UTC")
        time.tzset()
        patch.setattr(clock, "datetime", Stopped)
        patch.setattr(call, "datetime", Stopped)
        patch.setattr(clock, "time", SimpleNamespace(time=wall.timestamp))
        patch.setattr(clock, "boottime", lambda: 5000.0)
        yield
    time.tzset()
