"""Time of a simulation: the host's clock, the process's wall clock and boot time, all moved together."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from unittest import mock

import time_machine

from chaos.simulation.host import SimulatedHost
from zen_agents.clock import Instant, SystemClock


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
            mock.patch.object(SystemClock, "now", _present(self._host)),
            mock.patch("zen_agents.clock.boottime", lambda: self._host.clock.now().steady),
            mock.patch("zen_agents.engine.tick.perf_counter", _no_time),
            mock.patch("zen_agents.engine.tick.process_time", _no_time),
            mock.patch("zen_agents.engine.executor.process_time", _no_time),
            mock.patch("zen_agents.clock.boot_id", lambda: self._host.boot),
            # What this process has become by the lives before is no cost of this engine.
            mock.patch("zen_agents.runtime.runtime.resident_bytes", _no_memory),
            mock.patch("zen_agents.wiring.parts.resident_bytes", _no_memory),
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


def _present(host: SimulatedHost) -> Callable[[SystemClock], Instant]:
    """Return what stands in for `SystemClock.now`; a moment is made once, however often it is asked for."""
    seen, offset, present = host.clock.now(), 0.0, host.clock.now()

    def now(clock: SystemClock) -> Instant:
        nonlocal seen, offset, present
        at = host.clock.now()
        if at is not seen or clock._offset != offset:
            seen, offset, present = at, clock._offset, Instant(at.wall, at.steady + clock._offset)
        return present

    return now


def _no_time() -> float:
    return 0.0


def _no_memory() -> int:
    return 0
