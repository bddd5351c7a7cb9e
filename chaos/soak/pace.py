"""How time is accelerated: everything that recurs recurs N times as often as on the host that is stood for.

The engine's clock is the real one; nothing waits less because of it. What grows with time does so by what happens: looks,
decisions, faults, repairs, messages. The host that is stood for has the shipped periods (below) and one fault of every kind
in ten minutes, which is a very bad day. At speed N each of these periods is divided by N, so one minute of the run does what
that host does in N minutes: `host_days` is the time of the run times N. What is bounded by the clock itself (the hourly
budgets, one-minute ages, breakers' windows) holds N times as much as it would, and is full after an hour of the run.
"""

from __future__ import annotations

from dataclasses import dataclass

_DAY_SECONDS = 86_400.0
#: The fastest that the settings allow for the interval of an agent, in seconds.
_FASTEST_INTERVAL = 1.0


@dataclass(frozen=True, slots=True)
class Pace:
    """One speed: how many times as often as on the host that is stood for everything happens."""

    speed: float

    #: Seconds on the host that is stood for.
    sample_seconds = 15.0
    interval_seconds = 300.0
    service_seconds = 30.0
    path_seconds = 60.0
    walk_seconds = 300.0
    fault_seconds = 600.0

    def scaled(self, seconds: float) -> float:
        """Return what this many seconds of the host that is stood for take in the run."""
        return seconds / self.speed

    def yaml(self, seconds: float, *, at_least: float = 0.05) -> str:
        """Return a scaled duration as the configuration writes it."""
        return f"{max(at_least, self.scaled(seconds)) * 1000:.0f}ms"

    @property
    def interval(self) -> str:
        """The agent's interval, never below what the settings take."""
        return self.yaml(self.interval_seconds, at_least=_FASTEST_INTERVAL)

    def host_days(self, run_seconds: float) -> float:
        """Return the host time, in days, that so many seconds of the run stand for."""
        return run_seconds * self.speed / _DAY_SECONDS
