"""Time of a simulation: the host's clock, the process's wall clock and boot time, all moved together."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, tzinfo
from unittest import mock

import time_machine

from chaos.simulation.host import SimulatedHost


class SimulatedTime:
    """Moves the host, and with it what this process takes for the time."""

    def __init__(self, host: SimulatedHost) -> None:
        self._host = host
        self._shown: time_machine.Traveller | None = None

    @contextmanager
    def in_force(self) -> Iterator[None]:
        """Let `datetime.now`, `time.time` and the engine's boot time be the simulated ones, and work take no time."""
        with (
            time_machine.travel(self._wall(), tick=False) as shown,
            # The engine's own reader of time asks the host itself: it is asked too often for a detour.
            mock.patch("zen_agents.clock.datetime", _HostTime(self._host)),
            mock.patch("zen_agents.clock.boottime", lambda: self._host.clock.now().steady),
            mock.patch("zen_agents.engine.tick.perf_counter", _no_time),
            mock.patch("zen_agents.engine.tick.process_time", _no_time),
            mock.patch("zen_agents.engine.executor.process_time", _no_time),
            mock.patch("zen_agents.clock.boot_id", lambda: self._host.boot),
        ):
            self._shown = shown
            yield
            self._shown = None

    def passes(self, seconds: float) -> None:
        """Let time pass for everybody."""
        self._host.advance(seconds)
        self._show()

    def jump_wall(self, seconds: float) -> None:
        """Set the wall clock."""
        self._host.clock.jump_wall(seconds)
        self._show()

    def suspend(self, seconds: float) -> None:
        """Let time pass while no timer runs."""
        self.passes(seconds)

    def _show(self) -> None:
        if self._shown is not None:
            self._shown.move_to(self._wall())

    def _wall(self) -> float:
        return self._host.clock.now().wall.timestamp()


class _HostTime:
    """Stands in for `datetime` where nothing but the present is asked of it."""

    def __init__(self, host: SimulatedHost) -> None:
        self._host = host

    def now(self, zone: tzinfo) -> datetime:
        """Return the host's wall-clock time."""
        return self._host.clock.now().wall.astimezone(zone)


def _no_time() -> float:
    return 0.0
