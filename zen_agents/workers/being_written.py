"""Whether somebody has a file open to write it: what is half written is not judged."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path


def writer_of(states: Iterable[os.stat_result]) -> str:
    """Return which process has one of these files open to write it, in words; "" if none does that this account can see."""
    wanted = {(state.st_dev, state.st_ino) for state in states}
    for process in _others():
        for descriptor in _descriptors(process):
            with suppress(OSError):
                # Of all processes there are thousands of descriptors, and paths would cost twice as much as texts.
                state = os.stat(f"/proc/{process}/fd/{descriptor}")  # noqa: PTH116
                if (state.st_dev, state.st_ino) in wanted and _writes(process, descriptor):
                    return f"process {process} ({_called(process)}) has it open to write it"
    return ""


def _others() -> Iterator[str]:
    own = str(os.getpid())
    return (each for each in os.listdir("/proc") if each.isdigit() and each != own)  # noqa: PTH208


def _descriptors(process: str) -> list[str]:
    try:
        return os.listdir(f"/proc/{process}/fd")  # noqa: PTH208
    except OSError:  # it has ended, or is none of ours to look at
        return []


def _writes(process: str, descriptor: str) -> bool:
    text = Path(f"/proc/{process}/fdinfo/{descriptor}").read_text(encoding="ascii")
    flags = next(int(line.split()[1], 8) for line in text.splitlines() if line.startswith("flags:"))
    return flags & os.O_ACCMODE != os.O_RDONLY and not flags & os.O_PATH


def _called(process: str) -> str:
    name = Path(f"/proc/{process}/comm").read_text(encoding="utf-8", errors="replace").strip()
    return "".join(each if each.isprintable() else "?" for each in name)
