"""How the C library keeps memory for this process. A library that does it otherwise (musl) is left alone."""

from __future__ import annotations

import contextlib
import ctypes

#: glibc's `M_ARENA_MAX` (mallopt(3)).
_MOST_ARENAS = -8


def allocate_in_one_place() -> None:
    """Have threads that come share the heap there is: Python lets one run at a time, and each heap of its own is mostly air.

    Called before the first thread.
    """
    with contextlib.suppress(AttributeError):
        ctypes.CDLL(None).mallopt(_MOST_ARENAS, 1)


def give_back_what_is_free() -> None:
    """Give pages back to the kernel of which nothing is used any more, wherever in the heap they are."""
    with contextlib.suppress(AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
