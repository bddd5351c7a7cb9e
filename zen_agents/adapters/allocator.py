"""How memory is kept for this process. A C library that does it otherwise than glibc (musl) is left alone."""

from __future__ import annotations

import contextlib
import ctypes
import os
from collections.abc import Iterator
from pathlib import Path

#: glibc's `M_ARENA_MAX` (mallopt(3)).
_MOST_ARENAS = -8
#: Linux's `MADV_DONTNEED` (madvise(2)).
_DONT_NEED = 4
#: In `GLIBC_TUNABLES`: the heap is in huge pages (see scripts/engine.env).
_IN_HUGE_PAGES = "glibc.malloc.hugetlb="


def allocate_in_one_place() -> None:
    """Have threads that come share the heap there is: Python lets one run at a time, and each heap of its own is mostly air.

    Called before the first thread.
    """
    with contextlib.suppress(AttributeError):
        ctypes.CDLL(None).mallopt(_MOST_ARENAS, 1)


def give_back_what_is_free() -> None:
    """Give pages back to the kernel of which nothing is used any more, wherever in the heap they are.

    Not of huge pages: each hole would break one up, until the kernel puts it together again.
    """
    if _IN_HUGE_PAGES in os.environ.get("GLIBC_TUNABLES", ""):
        return
    with contextlib.suppress(AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


def let_go_of_programs() -> None:
    """Let the kernel take back what is mapped of programs and libraries: most of it only a start needs.

    What is used again is there again at once, from the kernel's copy of the file. Only what may not be written to and was
    never written to is let go of, so that nothing can be lost by it. A kernel that does not tell which that is has it kept.
    """
    try:
        smaps = Path("/proc/self/smaps").read_text("utf-8", "replace")
    except OSError:  # not built into every kernel, nor shown in every container; it costs a few MiB and is no reason to end
        return
    madvise = ctypes.CDLL(None).madvise
    for address, size in _programs(smaps):
        # A mapping that is locked stays; that is no error.
        madvise(ctypes.c_void_p(address), ctypes.c_size_t(size), _DONT_NEED)


def _programs(smaps: str) -> Iterator[tuple[int, int]]:
    """Yield address and size of each mapping of a file that cannot be written to and has no page of its own."""
    address = size = 0
    for line in smaps.splitlines():
        first, _, rest = line.partition(" ")
        if not first.endswith(":"):
            mode, _, place = rest.partition(" ")
            begin, _, end = first.partition("-")
            address = int(begin, 16) if "w" not in mode and "/" in place else 0
            size = int(end, 16) - address
        elif first == "Anonymous:" and address and rest.split() == ["0", "kB"]:
            yield address, size
