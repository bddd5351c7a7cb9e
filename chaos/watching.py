"""Since when all is well, seen from outside every few milliseconds, also while the fault is still being injected."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Protocol

from chaos.waiting import pause

_LOOK_EVERY_SECONDS = 0.003


@dataclass(frozen=True, slots=True)
class Look:
    """What one look showed, at a moment of the monotonic clock."""

    at: float
    well: bool
    #: When it was begun: what it found well was well then or later.
    begun_at: float = field(default=0.0, compare=False)


class Looking(Protocol):
    """Looks whether all is well, more closely where it was not well the last time."""

    def __call__(self, *, was_well: bool = False) -> Look: ...


class Watcher:
    """Looks from a thread of its own for as long as it is entered, and keeps the first and the last look of each state."""

    def __init__(self, look: Looking) -> None:
        self._look = look
        self._changes: list[Look] = []
        self._last: Look | None = None
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="watcher", daemon=True)

    def __enter__(self) -> Watcher:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._over.set()
        self._thread.join()

    def changes(self) -> Sequence[Look]:
        """Return the first look at each state and the last one, oldest first."""
        last = [] if self._last is None or self._last is self._changes[-1] else [self._last]
        return (*self._changes, *last)

    def _watch(self) -> None:
        while not self._over.wait(_LOOK_EVERY_SECONDS):
            begun_at = time.monotonic()
            try:
                look = self._look(was_well=self._last is not None and self._last.well)
            except Exception:  # what is half broken may have no answer yet, and that is not well
                look = Look(time.monotonic(), well=False, begun_at=begun_at)
            if self._last is None or self._last.well != look.well:
                self._changes = [*self.changes(), look]
            self._last = look


def shown_at(changes: Sequence[Look], *, after: float) -> float | None:
    """Return until when it certainly was still well, or `after` if no look said so; None if none showed it broken."""
    for before, now in itertools.pairwise(changes):
        if now.at > after and not now.well:
            return max(before.begun_at, after) if before.well else after
    return None


def recoveries(changes: Sequence[Look], *, after: float) -> tuple[float, ...]:
    """Return the moments after `after` at which it became well, having been seen not well; each as soon as it was seen."""
    later = [change for change in changes if change.at > after]
    return tuple(now.at for before, now in itertools.pairwise(later) if now.well and not before.well)


def seconds_within(spans: Sequence[tuple[float, float]], begin: float, end: float) -> float:
    """Return for how long of the time from `begin` to `end` at least one of the spans lasted."""
    covered, until = 0.0, begin
    for first, last in sorted(spans):
        covered += max(0.0, min(last, end) - max(first, until))
        until = max(until, min(last, end))
    return covered


def until_it_holds(
    look: Callable[[], Look], holds: Callable[[], bool], *, since: float | None, give_up: float
) -> tuple[float, float] | None:
    """Look until it is well and `holds`; return since when and when that was certain, None if not before `give_up`.

    `since` is the moment at which it was already seen to have become well, if it was; if it breaks again it counts anew.
    """
    while time.monotonic() < give_up:
        now = look()
        if not now.well:
            since = None
        else:
            since = now.at if since is None else since
            if holds():
                return since, time.monotonic()
            since = None
        pause(_LOOK_EVERY_SECONDS)
    return None
