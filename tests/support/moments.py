"""Moments for tests, so that no test reads a clock."""

from datetime import UTC, datetime

from zen_agents.clock import Instant

#: A Wednesday noon.
START = datetime(2026, 1, 7, 12, 0, tzinfo=UTC)


def at(seconds: float) -> Instant:
    """Return the moment so many seconds after START, on both timelines."""
    return Instant(START, 0.0).after(seconds)
