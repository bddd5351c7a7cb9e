"""Logs that are written to. Who is told of each write asks first whether it says anything: most wake nobody.

Names that come and go are watched in their directories, as for paths. Writes are watched at the files themselves, so that
those of other files beside them cost nothing, and in a thread: what is new is read there, and the loop hears of news alone.
What lies on a file system of another host is left to the looks: of its writes the kernel tells this host's own at most, and
a server that is gone would hold up, in the one thread, the glances at all others.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import select
import stat
import threading
import time
from collections.abc import Callable, Iterable
from math import ceil

from zen_agents.adapters.event_path import EVENT, NAMES, PathEvents
from zen_agents.adapters.linux_view_files import read_mounts
from zen_agents.errors import HostError
from zen_agents.ports.events import Glance, Wake, Watch

#: Asks a glance about the host as it is now.
Ask = Callable[[Glance], bool]

_MODIFY, _DONT_FOLLOW = 0x2, 0x2000000
#: In place of a watch: events were lost.
_OVERFLOWN = -1
#: A file that is written to all the time is glanced at no more often than this (seconds), and glances take a fifth of the
#: time at most.
_SHORTEST_PAUSE, _PAUSE_PER_SECOND = 0.007, 4.0
_STACK_BYTES = 512 * 1024
#: File systems that wait for somebody else: another host, or a program.
_REMOTE = frozenset(
    {"9p", "afs", "autofs", "ceph", "cifs", "coda", "fuse", "glusterfs", "lustre", "nfs", "nfs4", "smb3", "smbfs"}
)


class LogEvents(PathEvents):
    """Wakes for a log that is renamed or made, and for one that is written to, unless all its glances say no."""

    kind = "log"
    _mask = NAMES

    def __init__(self, ask: Ask | None = None) -> None:
        super().__init__()
        self._ask = ask
        self._glances: dict[str, tuple[Glance | None, ...]] = {}
        self._writes: _Writes | None = None
        #: How many are left to the looks.
        self._remote = 0

    def watch(self, watches: Iterable[Watch]) -> None:
        """Replace what is watched; several may want to glance at one file."""
        glances: dict[str, tuple[Glance | None, ...]] = {}
        every = list(watches)
        wanted = _local(every)
        self._remote = len(every) - len(wanted)
        for watch in wanted:
            glances[watch.name] = (*glances.get(watch.name, ()), watch.glance)
        if wanted and self._writes is None and self._libc is not None:
            self._writes = _Writes(self._libc, self._written)
        if self._writes is not None:
            for path in self._glances.keys() - glances.keys():
                self._writes.leave(path)
        self._glances = glances
        super().watch(wanted)

    def close(self) -> None:
        """Stop, without waiting for a glance that may hang."""
        if self._writes is not None:
            self._writes.close()
        self._writes = None
        super().close()

    @property
    def unwatched(self) -> int:
        """Logs of which names or writes are not told."""
        return super().unwatched + self._remote + (len(self._writes.refused) if self._writes is not None else 0)

    def _arm(self, path: str) -> None:
        super()._arm(path)
        if self._writes is not None:
            self._writes.follow(path)

    def _written(self, path: str) -> None:
        """Glance at what was written; called in the thread."""
        loop, worth = self._loop, [self._is_worth(glance) for glance in self._glances.get(path, ())]
        if loop is not None and any(worth):
            with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
                loop.call_soon_threadsafe(self._wake, path)

    def _is_worth(self, glance: Glance | None) -> bool:
        try:
            return glance is None or self._ask is None or self._ask(glance)
        except Exception:  # whatever is wrong, the look that follows tells
            return True

    def _wake(self, path: str) -> None:
        if self._push is not None:
            self._push(Wake(f"{self.kind}:{path}", "inotify"))


class _Writes:
    """An inotify instance for the files, and the thread that waits for it; started with the first of them."""

    def __init__(self, libc: ctypes.CDLL, told: Callable[[str], None]) -> None:
        self._libc, self._told = libc, told
        self._descriptor = libc.inotify_init1(os.O_CLOEXEC | os.O_NONBLOCK)
        self._end = os.eventfd(0, os.EFD_CLOEXEC)
        self._thread: threading.Thread | None = None
        #: Path -> its watch; watch -> its paths: one file may have several.
        self._watches: dict[str, int] = {}
        self._paths: dict[int, tuple[str, ...]] = {}
        #: Files that are there and cannot be watched.
        self.refused: set[str] = set()

    def follow(self, path: str) -> None:
        """Wait for writes to the file that has this name now."""
        is_file = _is_file(path)
        watch = self._libc.inotify_add_watch(self._descriptor, os.fsencode(path), _MODIFY | _DONT_FOLLOW) if is_file else -1
        if self._watches.get(path, watch) != watch or watch < 0:
            self.leave(path)
        if watch < 0:
            if is_file:
                self.refused.add(path)
            return
        self.refused.discard(path)
        self._watches[path] = watch
        self._paths[watch] = tuple({*self._paths.get(watch, ()), path})
        self._start()

    def leave(self, path: str) -> None:
        """Wait for it no more."""
        self.refused.discard(path)
        watch = self._watches.pop(path, -1)
        left = tuple(each for each in self._paths.pop(watch, ()) if each != path)
        if left:
            self._paths[watch] = left
        elif watch >= 0:
            # The kernel may have dropped it already, with the file; then there is nothing to remove.
            self._libc.inotify_rm_watch(self._descriptor, watch)

    def close(self) -> None:
        """Have the thread end; it closes what it reads."""
        if self._thread is None:
            self._close()
        else:
            os.eventfd_write(self._end, 1)

    def _start(self) -> None:
        if self._thread is not None:
            return
        before = threading.stack_size(_STACK_BYTES)
        try:
            self._thread = threading.Thread(target=self._wait, name="log-events", daemon=True)
            self._thread.start()
        finally:
            threading.stack_size(before)

    def _wait(self) -> None:
        end, either = select.poll(), select.poll()
        end.register(self._end, select.POLLIN)
        either.register(self._end, select.POLLIN)
        either.register(self._descriptor, select.POLLIN)
        pause = 0.0
        while not end.poll(ceil(pause * 1000)):
            either.poll()
            began = time.monotonic()
            for path in self._written():
                self._told(path)
            pause = max(_SHORTEST_PAUSE, (time.monotonic() - began) * _PAUSE_PER_SECOND)
        self._close()

    def _written(self) -> Iterable[str]:
        with contextlib.suppress(BlockingIOError, InterruptedError):
            # What is watched are files: no event has a name.
            found = {watch for watch, *_ in EVENT.iter_unpack(os.read(self._descriptor, 256 * EVENT.size))}
            if _OVERFLOWN in found:
                return tuple(self._watches)
            return [path for watch in found for path in self._paths.get(watch, ())]
        return ()

    def _close(self) -> None:
        for descriptor in (self._descriptor, self._end):
            with contextlib.suppress(OSError):  # there was none: too many are in use
                os.close(descriptor)


def _is_file(path: str) -> bool:
    try:
        return stat.S_ISREG(os.lstat(path).st_mode)
    except OSError:
        return False


def _local(watches: list[Watch]) -> list[Watch]:
    """Return those that lie on a file system of this host, as their paths say: nothing there is touched to find out."""
    try:
        mounts = read_mounts("/proc") if watches else ()
    except HostError:
        return watches
    # Where the root itself is such a one, nothing goes on without it anyway.
    remote = {f"{mount.path}/" for mount in mounts if mount.path != "/" and _is_remote(mount.kind)}
    if not remote:
        return watches
    # The longest path that one lies below is where it is mounted.
    paths = sorted((f"{mount.path.rstrip('/')}/" for mount in mounts), key=len, reverse=True)
    return [each for each in watches if next((path for path in paths if each.name.startswith(path)), "/") not in remote]


def _is_remote(kind: str) -> bool:
    return kind in _REMOTE or kind.startswith("fuse.")
