"""What a process was at before it is ended: where its threads stand, and what it has open. Names only."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from zen_agents.adapters.linux_view_reading import read_kernel_file
from zen_agents.errors import HostError

#: Descriptors looked at: a leak may have a million.
MOST_DESCRIPTORS = 512
#: Threads that are shown, and innermost functions of the kernel of each.
MOST_THREADS, _MOST_FRAMES = 8, 6
_STATES = {
    "R": "running", "S": "sleeping", "D": "waits uninterruptibly", "T": "stopped by a signal", "t": "stopped by a debugger",
    "Z": "ended", "I": "idle",
}  # fmt: skip
_FRAME = re.compile(rb"^\[<[^>]*>\] ([\w.]+)", re.MULTILINE)


class OpenFiles(NamedTuple):
    """What a process has open."""

    #: Names of plain files, without those of /dev.
    names: Sequence[str] = ()
    #: How many of which kind: `240 socket, 12 file, 2 pipe`; "" if that cannot be told.
    kinds: str = ""


def open_files(folder: str, *, most_names: int) -> OpenFiles:
    """Return what the process of a folder of /proc has open; nothing if it is gone, or another's."""
    # Strings, not paths: the repair waits for this.
    try:
        descriptors = os.listdir(f"{folder}/fd")  # noqa: PTH208
    except OSError:
        return OpenFiles()
    names, kinds = dict[str, None](), Counter[str]()
    for descriptor in descriptors[:MOST_DESCRIPTORS]:
        try:
            name = os.readlink(f"{folder}/fd/{descriptor}")  # noqa: PTH115
        except OSError:
            continue  # closed since
        plain = name.startswith("/")
        kinds["device" if name.startswith("/dev/") else "file" if plain else name.partition(":")[0]] += 1
        if plain and not name.startswith("/dev/") and len(names) < most_names:
            names[name] = None
    said = ", ".join(f"{count} {kind}" for kind, count in kinds.most_common())
    more = f" (of the first {MOST_DESCRIPTORS} of {len(descriptors)})" if len(descriptors) > MOST_DESCRIPTORS else ""
    return OpenFiles(tuple(names), f"{said}{more}" if said else "")


def stacks(folder: str) -> Sequence[str]:
    """Return a line for each thread, the main one first: its state, and where in the kernel it waits, as far as may be seen.

    `4242 web: stopped by a signal, in do_signal_stop < get_signal < arch_do_signal_or_restart`
    """
    try:
        threads = sorted(os.listdir(f"{folder}/task"), key=lambda name: (not folder.endswith(f"/{name}"), int(name)))  # noqa: PTH208
    except (OSError, ValueError):
        return ()
    lines = [_thread(f"{folder}/task/{thread}", int(thread)) for thread in threads[:MOST_THREADS]]
    more = len(threads) - MOST_THREADS
    return (*filter(None, lines), *([f"and {more} more threads"] if more > 0 else []))


def _thread(folder: str, thread: int) -> str:
    head, _, tail = _read(f"{folder}/stat").decode("utf-8", "replace").rpartition(")")
    if not tail.strip():
        return ""
    name, state = head.partition(" (")[2], tail.split(None, 1)[0]
    # Only root is shown the stack; everybody the function at its top, "0" for none.
    top = _read(f"{folder}/wchan").decode("ascii", "replace").strip().strip("0")
    frames = [frame.decode("ascii", "replace") for frame in _FRAME.findall(_read(f"{folder}/stack"))] or [top]
    where = " < ".join(frames[:_MOST_FRAMES])
    return f"{thread} {name}: {_STATES.get(state, state)}{f', in {where}' if where else ''}"


def _read(path: str) -> bytes:
    """Return a small file of /proc, nothing if it may not be read: evidence has what there is."""
    try:
        return read_kernel_file(path, limit=4096) or b""
    except HostError:
        return b""
