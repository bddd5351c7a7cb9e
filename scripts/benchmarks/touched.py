"""How many pages of its own memory a process comes by in some time.

On a host that has laid memory aside (a virtual machine on a busy or nested hypervisor) a page that nobody came by for some
seconds costs its next user microseconds, whatever its size. What a process does every few seconds then costs what it
touches, and that can be counted exactly, whatever else the machine does. What several processes share (programs, libraries)
cannot be told apart.
"""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from pathlib import Path

_PAGE_KIB = 4
_HUGE_PAGE_KIB = 2048
#: Has the kernel forget which pages were come by.
_FORGET = "1"
_MAPPING = re.compile(r"^[0-9a-f]+-[0-9a-f]+ (?P<mode>\S{4}) ")
_AMOUNT = re.compile(r"^(?P<name>Referenced|AnonHugePages): +(?P<kib>\d+) kB")


def pages_touched(pids: Sequence[int], seconds: float) -> list[int]:
    """Return how many pages that each of these processes may write to it has read or written within so many seconds.

    A huge page counts once. Exact where fewer than 512 small pages of a mapping with huge ones were come by, else a few too
    few.
    """
    for pid in pids:
        Path(f"/proc/{pid}/clear_refs").write_text(_FORGET, encoding="ascii")
    time.sleep(seconds)
    return [_referenced(Path(f"/proc/{pid}/smaps").read_text("utf-8", "replace")) for pid in pids]


def _referenced(smaps: str) -> int:
    pages, own, referenced_kib = 0, False, 0
    for line in smaps.splitlines():
        if mapping := _MAPPING.match(line):
            own = mapping["mode"] in ("rw-p", "rwxp")
        elif own and (found := _AMOUNT.match(line)):
            if found["name"] == "Referenced":
                referenced_kib = int(found["kib"])
            else:  # the last of each mapping
                pages += _pages(referenced_kib, int(found["kib"]))
    return pages


def _pages(referenced_kib: int, in_huge_pages_kib: int) -> int:
    huge = min(referenced_kib, in_huge_pages_kib) // _HUGE_PAGE_KIB
    return huge + (referenced_kib - huge * _HUGE_PAGE_KIB) // _PAGE_KIB
