"""Where a process hangs in the kernel, and what the kernel's log says about a disk."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from zen_agents.adapters.linux_view_reading import read_kernel_file
from zen_agents.errors import HostError
from zen_agents.ports.host_processes import Process
from zen_agents.ports.host_resources import Mount

#: Of a stack and of what the kernel said so much is told.
_MOST_FRAMES, _MOST_LINES, _MOST_CHARACTERS = 24, 8, 200
#: The ring buffer holds no more records than this; a record is at most 8 KiB.
_MOST_RECORDS, _RECORD_BYTES = 200_000, 8192
#: As the kernel numbers the importance of what it says: errors and worse.
_ERROR = 3
_FRAME = re.compile(r"^\[<[0-9a-fx]*>\] (?P<function>[^\s+]+)")
_MOUNTED = re.compile(r"(?<![-\w])(?:mounted|mounting|first mount)\b", re.IGNORECASE)
_BAD = re.compile(r"error|corrupt|abort|shut ?down|fail|offline|remounting filesystem read-only|bad ", re.IGNORECASE)


class Record(NamedTuple):
    """One thing that the kernel said."""

    priority: int
    sequence: int
    text: str


def stack_of(process: Process, proc_root: str) -> Sequence[str]:
    """Return the innermost functions of the kernel that a process is in."""
    content = read_kernel_file(f"{proc_root}/{process.pid}/stack")
    if content is None:
        raise HostError(f"process {process.fingerprint} ({process.name}) is gone, or this kernel tells no stacks")
    found = map(_FRAME.match, content.decode("ascii", "replace").splitlines()[:_MOST_FRAMES])
    return tuple(frame["function"] for frame in found if frame is not None)


def errors_of(mount: Mount, *, kernel_log: str = "/dev/kmsg", sys_root: str = "/sys") -> Sequence[str]:
    """Return what the kernel said about errors of a file system, its partition and its disk since the last mount."""
    names = _device_names(mount, sys_root)
    if counted := _counted_errors(names[0], sys_root):
        # Written on the disk itself: that is enough, whether or not the log may be read.
        return (f"{names[0]} counts {counted} errors of its file system",)
    return said_about(list(records(kernel_log)), names, mount.path)


def said_about(log: Sequence[Record], names: Sequence[str], path: str) -> Sequence[str]:
    """Return the lines about errors of these devices, the first being the mounted one, since that was mounted.

    HostError if the log neither shows the mount nor reaches back to the boot: what was said before is not known.
    """
    mounted = re.compile(rf"\b{re.escape(names[0])}\b")
    about = re.compile("|".join(rf"\b{re.escape(name)}\b" for name in names))
    begins = -1
    for index, record in enumerate(log):
        text = record.text
        if mounted.search(text) and _MOUNTED.search(text):
            begins = index
    if begins < 0 and (not log or log[0].sequence > 0):
        raise HostError(f"the kernel's log no longer reaches back to the mount of {path}")
    found = [
        record.text[:_MOST_CHARACTERS]
        for record in log[begins + 1 :]
        if about.search(record.text) and (record.priority <= _ERROR or _BAD.search(record.text))
    ]
    return tuple(found[:_MOST_LINES])


def records(path: str) -> Iterator[Record]:
    """Yield all that the kernel's log holds, the oldest first; HostError if it may not be read."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise HostError(f"the kernel's log cannot be read: {error.strerror}") from error
    try:
        for _ in range(_MOST_RECORDS):
            try:
                line = os.read(descriptor, _RECORD_BYTES)
            except BrokenPipeError:
                # What was to come next has been written over; the read after this goes on behind it.
                continue
            except BlockingIOError:
                # That was the newest.
                return
            except OSError as error:
                raise HostError(f"the kernel's log cannot be read: {error.strerror}") from error
            if not line:
                return
            yield from parsed(line)
    finally:
        os.close(descriptor)


def parsed(content: bytes) -> Iterator[Record]:
    """Yield the records of /dev/kmsg: `6,1216,8801815790,-;text`, and indented lines about it; HostError for nonsense."""
    for line in content.decode("utf-8", "replace").splitlines():
        if line.startswith(" ") or not line:
            continue
        head, _, text = line.partition(";")
        try:
            priority, sequence = map(int, head.split(",")[:2])
        except ValueError as error:
            raise HostError(f"a record of the kernel's log is not as expected: {line[:80]!r}") from error
        yield Record(priority & 7, sequence, text)


def _device_names(mount: Mount, sys_root: str) -> Sequence[str]:
    """Return the kernel's names of the mounted device and of the disks below it; HostError if it is on none."""
    number = f"{os.major(mount.device)}:{os.minor(mount.device)}"
    place = os.path.realpath(f"{sys_root}/dev/block/{number}")
    if not os.path.isdir(place):
        raise HostError(f"{mount.path} ({mount.kind}) is on no disk of this host that the kernel's log names")
    names = [os.path.basename(place)]
    if os.path.exists(f"{place}/partition"):
        names.append(os.path.basename(os.path.dirname(place)))
    below = f"{place}/slaves"
    return (*names, *(sorted(os.listdir(below)) if os.path.isdir(below) else ()))


def _counted_errors(device: str, sys_root: str) -> int:
    """Return how many errors ext4 has recorded on the disk itself; 0 for other file systems."""
    text = (read_kernel_file(f"{sys_root}/fs/ext4/{device}/errors_count") or b"0").strip()
    return int(text) if text.isdigit() else 0
