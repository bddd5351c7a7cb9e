"""The exit of processes, told by pidfd the moment it happens."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import resource
from collections.abc import Iterable

from zen_agents.adapters.event_source import Push
from zen_agents.ports.events import Wake, Watch

#: Descriptors that the rest of the engine may need beside the pidfds.
_OTHER_DESCRIPTORS = 512

#: (pid, start time): names a process for good.
Key = tuple[int, int]


class ProcessEvents:
    """Holds one pidfd for each watched process; a process that is gone already wakes at once, and only once."""

    kind = "process"

    def __init__(self, proc_root: str = "/proc") -> None:
        self._proc = proc_root
        self._loop: asyncio.AbstractEventLoop | None = None
        self._push: Push | None = None
        self._wanted: frozenset[Key] = frozenset()
        self._open: dict[Key, int] = {}
        #: Told already. A zombie stays wanted for as long as its parent leaves it, and must not wake tick after tick.
        self._told: set[Key] = set()

    def open(self, loop: asyncio.AbstractEventLoop, push: Push) -> None:
        """Attach to the loop."""
        self._loop, self._push = loop, push

    def watch(self, watches: Iterable[Watch]) -> None:
        """Replace what is watched; what could not be watched before is tried again."""
        wanted = frozenset((watch.pid, watch.start_time) for watch in watches if watch.pid > 0)
        if wanted != self._wanted:
            for key in self._open.keys() - wanted:
                self._drop(key)
            self._told &= wanted
            self._wanted = wanted
        missing = wanted - self._open.keys() - self._told
        if missing:
            make_room(len(wanted) + _OTHER_DESCRIPTORS)
            for key in missing:
                self._begin(key)

    def close(self) -> None:
        """Close every pidfd."""
        for key in tuple(self._open):
            self._drop(key)
        self._wanted = frozenset()
        self._told.clear()
        self._loop = self._push = None

    @property
    def unwatched(self) -> int:
        """Processes without a pidfd: out of descriptors, or a kernel without them."""
        return len(self._wanted) - len(self._open) - len(self._told)

    def _begin(self, key: Key) -> None:
        if self._loop is None or not hasattr(os, "pidfd_open"):
            return
        try:
            descriptor = os.pidfd_open(key[0])
        except OSError as error:
            if error.errno == errno.ESRCH:
                self._tell(key)
            # Anything else (no descriptors left, a kernel before 5.3): counted by `unwatched`, seen by the poll.
            return
        # The start time is read once the pidfd is held: from here on the number cannot change its owner unseen.
        if self._start_time(key[0]) != key[1]:
            os.close(descriptor)
            self._tell(key)
            return
        try:
            self._loop.add_reader(descriptor, self._exited, key)
        except OSError:
            os.close(descriptor)  # epoll is out of watches (fs.epoll.max_user_watches): again the poll's.
            return
        self._open[key] = descriptor

    def _start_time(self, pid: int) -> int | None:
        # A short read of its own rather than the view's: this must not fail for a process that is just ending.
        with contextlib.suppress(OSError, ValueError, IndexError):
            descriptor = os.open(f"{self._proc}/{pid}/stat", os.O_RDONLY | os.O_CLOEXEC)
            try:
                return int(os.read(descriptor, 4096).rpartition(b")")[2].split(None, 20)[19])
            finally:
                os.close(descriptor)
        return None

    def _exited(self, key: Key) -> None:
        self._drop(key)
        self._tell(key)

    def _tell(self, key: Key) -> None:
        self._told.add(key)
        if self._push is not None:
            self._push(Wake(f"process:{key[0]}:{key[1]}", "pidfd"))

    def _drop(self, key: Key) -> None:
        descriptor = self._open.pop(key)
        if self._loop is not None:
            self._loop.remove_reader(descriptor)
        os.close(descriptor)


def make_room(needed: int) -> None:
    """Raise the soft limit of open descriptors to at least `needed`, as far as the hard limit lets it.

    It is raised only when needed, because programs that use select(2) rely on the usual 1024; children get it back from
    whoever starts them.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= needed:
        return
    target = needed * 2 if hard == resource.RLIM_INFINITY else min(hard, needed * 2)
    if target > soft:
        # Refused in some sandboxes; then fewer processes are watched, and counted.
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (target, hard))
