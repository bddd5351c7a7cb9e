"""Waiting for what others do."""

from __future__ import annotations

import select
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class NotInTimeError(Exception):
    """Something did not come true in its time; the text says what."""


def pause(seconds: float) -> None:
    """Let others go on for a while."""
    select.select([], [], [], seconds)


def wait_until(condition: Callable[[], T], what: str, *, seconds: float, every: float = 0.005) -> T:
    """Return the condition's first true answer; NotInTimeError, naming `what`, if there is none within `seconds`."""
    give_up = time.monotonic() + seconds
    while not (answer := condition()):
        if time.monotonic() > give_up:
            raise NotInTimeError(f"{what} did not come true within {seconds:g} s")
        pause(every)
    return answer
