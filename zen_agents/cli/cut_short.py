"""A command that is ended half-way says what it left as it was, and how to go on, before it goes."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Callable, Iterator
from typing import NoReturn

from zen_agents.cli.render import note


@contextlib.contextmanager
def said_if_cut_short(words: Callable[[], str]) -> Iterator[None]:
    """Have SIGTERM end the block as Ctrl-C does, after what is cleaned up, and say these words in either case."""
    before = signal.signal(signal.SIGTERM, _ended)
    try:
        yield
    except (KeyboardInterrupt, SystemExit):
        note(words())
        raise
    finally:
        signal.signal(signal.SIGTERM, before)


def _ended(number: int, _: object) -> NoReturn:
    # As shells say it of what a signal ended.
    raise SystemExit(128 + number)
