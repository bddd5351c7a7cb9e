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
from fnmatch import fnmatchcase
from math import ceil

from zen_agents.adapters.event_path import EVENT, NAMES, PathEvents
from zen_agents.adapters.local_file_systems import is_own, is_remote, kinds_of
from zen_agents.ports.events import Glance, Wake, Watch

#: Asks a glance about the host as it is now.
Ask = Callable[[Glance], bool]

_MODIFY, _DONT_FOLLOW = 0x2, 0x2000000
#: What makes a name of a pattern stand for a file that it did not stand for.
_NEW_NAME = 0x80 | 0x100
_WILD = frozenset(b"*?[")
#: In place of a watch: events were lost.
_OVERFLOWN = -1
#: A file that is written to all the time is glanced at so often (seconds): what is written in the pause after a glance is
#: found only by the next. One may come so much earlier if the last was late: who was held up writes twice at once.
_ROUND, _EARLIER = 0.007, 0.005
#: Glances take a third of a core at most. How long others were let run meanwhile is no reason to wait as long again.
_PAUSE_PER_CPU_SECOND = 2.0
_STACK_BYTES = 512 * 1024


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
        #: Those of the others that nobody but this host writes to.
        self._own: frozenset[str] = frozenset()

    def watch(self, watches: Iterable[Watch]) -> None:
        """Replace what is watched; several may want to glance at one file."""
        glances: dict[str, tuple[Glance | None, ...]] = {}
        every = list(watches)
        kinds = kinds_of({watch.name for watch in every}) if every else {}
        wanted = [watch for watch in every if not is_remote(kinds[watch.name])]
        self._own = frozenset(name for name, kind in kinds.items() if is_own(kind))
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

    def tells_of(self, watch: Watch) -> bool:
        """Tell whether all that happens to it is told: to its name, or those that a pattern stands for, and each write."""
        if self._watched.get(watch.name) is None or self._writes is None or watch.name not in self._own:
            return False
        is_pattern = watch.glance is None and _is_wild(os.fsencode(watch.name))
        return is_pattern or self._writes.tells_of(watch.name)

    def _concerned(self, watch: int, mask: int, name: bytes) -> set[str]:
        concerned = super()._concerned(watch, mask, name)
        if mask & _NEW_NAME:
            spots = self._spots.get(watch, {})
            concerned.update(*(spots[each].all() for each in spots if _is_wild(each) and fnmatchcase(name, each)))
        return concerned

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

    def tells_of(self, path: str) -> bool:
        """Tell whether it waits for writes to this file."""
        return path in self._watches

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
        pause = due = 0.0
        while not end.poll(ceil(pause * 1000)):
            either.poll()
            due, cpu = max(due, time.monotonic()) + _ROUND, time.thread_time()
            for path in self._written():
                self._told(path)
            pause = max(due - _EARLIER - time.monotonic(), (time.thread_time() - cpu) * _PAUSE_PER_CPU_SECOND, 0.0)
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


def _is_wild(name: bytes) -> bool:
    return not _WILD.isdisjoint(name)


def _is_file(path: str) -> bool:
    try:
        return stat.S_ISREG(os.lstat(path).st_mode)
    except OSError:
        return False
