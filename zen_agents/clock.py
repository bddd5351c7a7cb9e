"""The only reader of time.

Two times travel together in an `Instant`: the wall clock, for people and calendars, and the steady timeline, for ages,
limits and deadlines. The steady timeline never goes back, does not jump when somebody sets the clock, counts suspended
time (CLOCK_BOOTTIME) and is carried over restarts and reboots by the anchor that the store keeps.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

from zen_agents.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Instant:
    """One moment, on both timelines."""

    #: Aware UTC wall-clock time; may jump when somebody sets the clock.
    wall: datetime
    #: Seconds on this host's steady timeline; never goes back.
    steady: float

    def after(self, seconds: float) -> Instant:
        """Return the moment `seconds` later on both timelines."""
        return Instant(self.wall + timedelta(seconds=seconds), self.steady + seconds)


@dataclass(frozen=True, slots=True)
class Anchor:
    """Where the steady timeline stood when it was last saved."""

    boot_id: str
    #: CLOCK_BOOTTIME at that moment, in seconds.
    boottime: float
    #: Unix seconds of the wall clock at that moment.
    wall: float
    steady: float


class Clock(Protocol):
    """Whoever can say what time it is."""

    def now(self) -> Instant:
        """Return the present moment."""
        ...


class SystemClock:
    """The host's own time, continued from the saved anchor.

    Within one boot the steady timeline advances by CLOCK_BOOTTIME, whatever the wall clock does. Over a reboot it advances
    by the wall clock's difference, never by less than zero: a clock set back cannot free a limit. One that was set forward
    while the host was down cannot be told from a host that was down so long: limits are then as after such a while.
    """

    def __init__(self, anchor: Anchor | None = None) -> None:
        self._boot_id = boot_id()
        booted, wall = boottime(), time.time()
        if anchor is None:
            steady = 0.0
        elif anchor.boot_id == self._boot_id:
            steady = anchor.steady + max(0.0, booted - anchor.boottime)
        else:
            steady = anchor.steady + max(0.0, wall - anchor.wall)
        self._offset = steady - booted

    def now(self) -> Instant:
        """Return the present moment."""
        return Instant(datetime.now(UTC), boottime() + self._offset)

    def anchor(self) -> Anchor:
        """Return what a later `SystemClock` needs to continue this timeline."""
        booted = boottime()
        return Anchor(self._boot_id, booted, time.time(), booted + self._offset)


class ManualClock:
    """A clock that moves only when told; for rehearsals and simulations."""

    def __init__(self, wall: datetime, steady: float = 0.0) -> None:
        self._now = Instant(wall.astimezone(UTC), steady)

    def now(self) -> Instant:
        """Return the moment this clock was last moved to."""
        return self._now

    def advance(self, seconds: float) -> Instant:
        """Let `seconds` pass on both timelines."""
        self._now = self._now.after(seconds)
        return self._now

    def jump_wall(self, seconds: float) -> Instant:
        """Set the wall clock by `seconds`, as an administrator would; the steady timeline does not move."""
        self._now = Instant(self._now.wall + timedelta(seconds=seconds), self._now.steady)
        return self._now


class ForwardSteps:
    """By how much somebody set the wall clock forward lately: by so much files look older than they are.

    Steps back are not set off against steps forward: what was written in between still looks too old.
    """

    #: Less than this is the time between reading the two clocks, or a clock that is slewed (seconds).
    _TOLERANCE = 1.0

    def __init__(self, now: Instant) -> None:
        self._last = now
        self._steps: list[tuple[float, float]] = []

    def within(self, seconds: float, now: Instant) -> float:
        """Return the sum of the steps seen within so many steady seconds; one that nobody saw yet counts as just now."""
        step = (now.wall - self._last.wall).total_seconds() - (now.steady - self._last.steady)
        self._last = now
        if step > self._TOLERANCE:
            self._steps.append((now.steady, step))
        self._steps = [(at, size) for at, size in self._steps if at > now.steady - seconds]
        return sum(size for _, size in self._steps)


class BackSteps:
    """When somebody set the wall clock back, as far as it was looked at: since then, times of before may look later."""

    #: Less than this is the time between reading the two clocks, or a clock that is slewed (seconds).
    _TOLERANCE = 1.0
    #: More are taken together.
    _MOST = 50

    def __init__(self, now: Anchor) -> None:
        self._last = now
        #: Boottime from which on it may have been, what the clock showed last before it, and by how much; oldest first.
        self._steps: list[tuple[float, float, float]] = []

    def note(self, now: Anchor) -> None:
        """Compare the clock with how it stood the last time."""
        last, self._last = self._last, now
        due = last.wall + (now.boottime - last.boottime)
        if due - now.wall <= self._TOLERANCE:
            return
        self._steps.append((last.boottime, due, due - now.wall))
        if len(self._steps) > self._MOST:
            (_, early, size), (at, late, more), *others = self._steps
            self._steps = [(at, max(early, late), size + more), *others]

    def latest(self, booted: float) -> float:
        """Return what a file's time has to be above (Unix seconds) to be surely of after a moment, `booted` after boot."""
        shown = self._last.wall - (self._last.boottime - booted)
        for at, before, size in reversed(self._steps):
            # What came after a step may be beside files of before it, with all times that the clock had shown.
            shown = max(shown, before) if booted > at else shown + size
        return shown

    def age(self, shown: float) -> float:
        """Return how many seconds ago at least a clock that was never set forward showed this (Unix seconds).

        Below 0 if that cannot be told: as far as it was looked at, the clock has not come that far.
        """
        age = self._last.wall - shown
        # As few steps as explain it: what came after a step is younger than what came before it. The oldest may be several.
        for _, _, size in reversed(self._steps[-self._MOST + 1 :]):
            if age >= 0:
                break
            age += size
        return age


def boot_id() -> str:
    """Return the kernel's id of this boot, or "" where /proc does not tell."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return ""


def boottime() -> float:
    """Return seconds since boot, suspended time included (CLOCK_BOOTTIME)."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)
