"""Changes of files and directories, told by inotify through ctypes; no package needed.

A file may be replaced, so not the file but the directory that holds it is watched, for the one name. If that directory is
missing, the nearest one above that exists is watched for the next name on the way down.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import errno
import os
import struct
from collections.abc import Collection, Iterable
from pathlib import Path

from zen_agents.adapters.event_source import Push
from zen_agents.ports.events import Wake, Watch

_ATTRIB, _CLOSE_WRITE, _MOVED_FROM, _MOVED_TO, _CREATE, _DELETE = 0x4, 0x8, 0x40, 0x80, 0x100, 0x200
_DELETE_SELF, _MOVE_SELF, _UNMOUNT, _OVERFLOW, _IGNORED = 0x400, 0x800, 0x2000, 0x4000, 0x8000
_ONLY_DIRECTORY = 0x1000000
#: Names that come and go in a directory, and files of it that were written to and closed.
NAMES = _ATTRIB | _MOVED_FROM | _MOVED_TO | _CREATE | _DELETE | _DELETE_SELF | _MOVE_SELF | _ONLY_DIRECTORY
_MASK = NAMES | _CLOSE_WRITE
_LOST = _DELETE_SELF | _MOVE_SELF | _UNMOUNT | _IGNORED
#: So many paths are watched anew before the loop is given a turn.
_AT_ONCE = 250
EVENT = struct.Struct("@iIII")


class _Spot:
    """A name awaited in a watched directory, and the paths that it stands for: several while a directory above is missing.

    Mostly it is one, and there may be thousands of spots: one path needs no set.
    """

    __slots__ = ("_paths", "name", "watch")

    def __init__(self, watch: int, name: bytes) -> None:
        self.watch, self.name = watch, name
        self._paths: str | set[str] = ""

    def all(self) -> Collection[str]:
        return self._paths if isinstance(self._paths, set) else (self._paths,) if self._paths else ()

    def add(self, path: str) -> None:
        if isinstance(self._paths, set):
            self._paths.add(path)
        elif self._paths != path:
            self._paths = {self._paths, path} if self._paths else path

    def discard(self, path: str) -> None:
        if isinstance(self._paths, set):
            self._paths.discard(path)
        elif self._paths == path:
            self._paths = ""


class PathEvents:
    """Holds one inotify instance; its watches are directories, by watch descriptor, with the names that count in each."""

    kind = "path"
    _mask = _MASK

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._push: Push | None = None
        self._descriptor = -1
        self._libc: ctypes.CDLL | None = None
        #: Path -> where its next change is awaited, None where it cannot be; the same by watch descriptor and name.
        self._watched: dict[str, _Spot | None] = {}
        self._spots: dict[int, dict[bytes, _Spot]] = {}
        #: What is to be watched anew before it wakes, and whether that is under way.
        self._changed: set[str] = set()
        self._telling = False

    def open(self, loop: asyncio.AbstractEventLoop, push: Push) -> None:
        """Attach to the loop; without inotify nothing is ever told."""
        self._loop, self._push = loop, push
        try:
            libc = ctypes.CDLL(None, use_errno=True)
            self._descriptor = libc.inotify_init1(os.O_CLOEXEC | os.O_NONBLOCK)
        except (OSError, AttributeError):
            return  # A libc without inotify; `unwatched` counts.
        if self._descriptor >= 0:
            self._libc = libc
            loop.add_reader(self._descriptor, self._read)

    def watch(self, watches: Iterable[Watch]) -> None:
        """Replace what is watched; what could not be watched before is tried again."""
        wanted = dict.fromkeys(watch.name for watch in watches)
        for path in self._watched.keys() - wanted.keys():
            self._disarm(path)
            del self._watched[path]
        for path in wanted:
            if self._watched.setdefault(path, None) is None:
                self._arm(path)

    def close(self) -> None:
        """Close the inotify instance, and with it every watch."""
        if self._libc is not None and self._loop is not None:
            self._loop.remove_reader(self._descriptor)
            os.close(self._descriptor)
        self._libc = self._loop = self._push = None
        self._watched.clear()
        self._spots.clear()
        self._changed.clear()
        self._telling = False

    @property
    def unwatched(self) -> int:
        """Paths without a watch: no inotify, or fs.inotify.max_user_watches is used up."""
        return list(self._watched.values()).count(None)

    def _arm(self, path: str) -> None:
        """Watch the deepest directory above `path` that exists, for the next name on the way to it."""
        path_above, wanted_name = os.path.split(os.path.normpath(path))
        if self._libc is None or not wanted_name or "\0" in path:
            return
        # The missing directory may have been made just before its parent was watched: then once more, deeper.
        for _ in range(3):
            directory, name = self._watch_deepest(path_above, wanted_name, path)
            if directory == path_above or not Path(directory, name).is_dir():
                return

    def _watch_deepest(self, directory: str, name: str, path: str) -> tuple[str, str]:
        """Return the directory now watched for `path` and the name awaited there, or where it could not be."""
        while self._libc is not None and name:
            watch = self._libc.inotify_add_watch(self._descriptor, os.fsencode(directory), self._mask)
            if watch >= 0:
                before = self._watched.get(path)
                if before is not None and before.watch != watch:
                    self._disarm(path)
                spots, awaited = self._spots.setdefault(watch, {}), os.fsencode(name)
                spot = spots.get(awaited) or spots.setdefault(awaited, _Spot(watch, awaited))
                spot.add(path)
                self._watched[path] = spot
                break
            if ctypes.get_errno() not in (errno.ENOENT, errno.ENOTDIR, errno.EACCES):
                break  # No watches left; `unwatched` counts.
            directory, name = os.path.split(directory)
        return directory, name

    def _disarm(self, path: str) -> None:
        spot = self._watched[path]
        if spot is None:
            return
        self._watched[path] = None
        spot.discard(path)
        spots = self._spots.get(spot.watch, {})
        if not spot.all():
            spots.pop(spot.name, None)
        if not spots and self._spots.pop(spot.watch, None) is not None and self._libc is not None:
            # The kernel may have dropped the watch itself, with the directory; then there is nothing to remove.
            self._libc.inotify_rm_watch(self._descriptor, spot.watch)

    def _read(self) -> None:
        changed: set[str] = set()
        # Nothing to read after all, or the descriptor is just being closed.
        with contextlib.suppress(BlockingIOError, InterruptedError):
            events = os.read(self._descriptor, 65536)
            position = 0
            while position + EVENT.size <= len(events):
                watch, mask, _, length = EVENT.unpack_from(events, position)
                position += EVENT.size
                name = events[position : position + length].rstrip(b"\0")
                position += length
                changed |= self._concerned(watch, mask, name)
        self._tell(changed)

    def _concerned(self, watch: int, mask: int, name: bytes) -> set[str]:
        if mask & _OVERFLOW:
            return set(self._watched)
        spots = self._spots.get(watch, {})
        if mask & _LOST:
            return set().union(*(spot.all() for spot in spots.values()))
        return set(spots[name].all()) if name in spots else set()

    def _tell(self, changed: set[str]) -> None:
        """Watch all of them anew, and only then wake: a directory may exist only now, or be another one."""
        self._changed |= changed
        if self._changed and not self._telling:
            changed, self._changed, self._telling = self._changed, set(), True
            self._watch_anew(list(changed), 0)

    def _watch_anew(self, told: list[str], start: int) -> None:
        if self._loop is None:
            return
        for path in told[start : start + _AT_ONCE]:
            if path in self._watched:
                self._disarm(path)
                self._arm(path)
        if start + _AT_ONCE < len(told):
            # A directory with thousands of them is gone: others need the loop too.
            self._loop.call_soon(self._watch_anew, told, start + _AT_ONCE)
            return
        self._telling = False
        for path in told:
            if self._push is not None:
                self._push(Wake(f"{self.kind}:{path}", "inotify"))
        self._tell(set())
