"""A file system of dictionaries: what is there, on which mount, and how full that is.

Directories and links are entries like any other; a parent that is missing is made when a file is put. Nothing touches the
real disk. Inodes are handed out in order, so that a run with the same steps always looks the same.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from zen_agents.clock import Clock
from zen_agents.errors import HostError, StalePlanError
from zen_agents.ports.host_files import FileState, KeptFile
from zen_agents.ports.host_resources import DiskUse, Mount

ROOT = "/"
_QUARANTINE = "/var/lib/zen-agents/quarantine"


@dataclass(slots=True)
class SimulatedDisk:
    """One mounted file system. `foreign_bytes` stands for everything on it that is not a simulated file."""

    mount: Mount
    total_bytes: int
    foreign_bytes: int = 0
    total_inodes: int = 1_000_000
    foreign_inodes: int = 0
    #: What somebody else writes to it, each second.
    grows_per_second: float = 0.0


class SimulatedFiles:
    """The files of one simulated host."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._inodes = itertools.count(2)
        self.states: dict[str, FileState] = {}
        self.contents: dict[str, str] = {}
        #: Where each file of the quarantine was, by its id there.
        self._origins: dict[str, str] = {}
        self.disks: dict[str, SimulatedDisk] = {}
        self.add_disk(ROOT, total_bytes=100 << 30)
        self.add_directory(ROOT)

    # -- making the world ---------------------------------------------------------------------------------------------
    def add_disk(self, path: str, *, total_bytes: int, read_only: bool = False, kind: str = "ext4") -> SimulatedDisk:
        """Mount a new empty file system."""
        device = 0x800 + len(self.disks)
        disk = SimulatedDisk(Mount(path, f"/dev/sd{device:x}", kind, read_only, device), total_bytes)
        self.disks[path] = disk
        return disk

    def fill(self, path: str, percent: float) -> None:
        """Let somebody else fill a mount until df would show this percentage."""
        disk = self.disks[path]
        disk.foreign_bytes = max(0, round(disk.total_bytes * percent / 100) - self._own_bytes(disk))

    def add_file(self, path: str, content: str = "", *, size: int | None = None, **changes: object) -> FileState:
        """Put a regular file, with its content or only its size, replacing what was there."""
        self.contents[path] = content
        return self._add(path, "file", 0o644, len(content.encode()) if size is None else size, changes)

    def add_directory(self, path: str, **changes: object) -> FileState:
        """Make a directory; with `mode`, `owner`, `group` as given."""
        return self._add(path, "directory", 0o755, 4096, changes)

    def add_link(self, path: str, to: str) -> FileState:
        """Make a symbolic link; where it leads is its content."""
        self.contents[path] = to
        return self._add(path, "link", 0o777, len(to), {})

    def change(self, path: str, **changes: object) -> FileState:
        """Change fields of what is at `path` and set its change time, as chmod, chown or a write would."""
        self.states[path] = self.states[path]._replace(**{"changed": self._now(), **changes})  # type: ignore[arg-type]
        return self.states[path]

    def append(self, path: str, content: str) -> FileState:
        """Write to the end of a file; it is made if it is not there."""
        if path not in self.states:
            return self.add_file(path, content)
        self.contents[path] = self.contents.get(path, "") + content
        return self.change(path, size=self.states[path].size + len(content.encode()), modified=self._now())

    def truncate(self, path: str) -> FileState:
        """Make a file empty; it keeps its inode."""
        self.contents[path] = ""
        return self.change(path, size=0, modified=self._now())

    def remove(self, path: str) -> None:
        """Remove a path and everything below it."""
        for entry in [path, *self._below(path)]:
            self.states.pop(entry, None)
            self.contents.pop(entry, None)

    def rename(self, old: str, new: str) -> None:
        """Move one entry; it keeps its inode."""
        self.states[new] = self.states.pop(old)._replace(path=new, changed=self._now())
        if old in self.contents:
            self.contents[new] = self.contents.pop(old)

    def quarantine(self, path: str) -> str:
        """Move a file into the quarantine; return its id there."""
        if _QUARANTINE not in self.states:
            self.add_directory(_QUARANTINE, mode=0o700)
        found = self.states[path]
        id = str(found.inode)
        self._origins[id] = path
        self.rename(path, f"{_QUARANTINE}/{id}")
        return id

    def give_back(self, kept: KeptFile, path: str) -> None:
        """Copy a file out of the quarantine."""
        content = self.contents.get(f"{_QUARANTINE}/{kept.id}", "")
        self.add_file(
            path, content, size=kept.size, mode=kept.mode, owner=kept.owner, group=kept.group, modified=kept.modified
        )

    # -- looking at it ------------------------------------------------------------------------------------------------
    def kept(self, id: str) -> KeptFile:
        """Return a file of the quarantine; StalePlanError if it is not there."""
        found = self.states.get(f"{_QUARANTINE}/{id}")
        if found is None:
            raise StalePlanError(f"{id} is not in the quarantine")
        content = hashlib.sha256(self.contents.get(found.path, "").encode()).hexdigest()
        mode = found.mode & 0o777
        return KeptFile(id, self._origins[id], content, found.size, mode, found.owner, found.group, found.modified)

    def mounts(self) -> tuple[Mount, ...]:
        """Return what is mounted."""
        return tuple(disk.mount for disk in self.disks.values())

    def disk_use(self, path: str) -> DiskUse:
        """Return the use of the mount that holds `path`."""
        if path not in self.states and path not in self.disks:
            raise HostError(f"cannot tell the free space of {path}: No such file or directory")
        disk = self.disk_of(path)
        grown = round(disk.grows_per_second * self._clock.now().steady)
        used = disk.foreign_bytes + grown + self._own_bytes(disk)
        inodes = disk.foreign_inodes + sum(1 for _ in self._on(disk))
        return DiskUse(
            disk.total_bytes, max(0, disk.total_bytes - used), disk.total_inodes, max(0, disk.total_inodes - inodes)
        )

    def entries(self, path: str) -> list[FileState]:
        """Return the direct entries of a directory, in order of name; HostError if it is none."""
        found = self.states.get(path)
        if found is None or found.kind != "directory":
            raise HostError(f"cannot list {path}: it is not a directory")
        return [
            self.states[entry] for entry in sorted(self.states) if entry != ROOT and str(PurePosixPath(entry).parent) == path
        ]

    def read(self, path: str, limit: int) -> str:
        """Return up to `limit` bytes of a regular file."""
        found = self.states.get(path)
        if found is None or found.kind != "file":
            raise HostError(f"{path} does not exist or is not a regular file")
        return self.contents.get(path, "").encode()[:limit].decode("utf-8", "replace")

    def content(self, path: str) -> bytes | None:
        """Return all that a regular file holds, None if there is nothing."""
        found = self.states.get(path)
        if found is not None and found.kind != "file":
            raise HostError(f"{path} is not a regular file and is not read")
        return self.contents.get(path, "").encode() if found is not None else None

    def kept_content(self, id: str) -> bytes:
        """Return what a file of the quarantine holds; StalePlanError if it is not there."""
        self.kept(id)
        return self.contents.get(f"{_QUARANTINE}/{id}", "").encode()

    def disk_of(self, path: str) -> SimulatedDisk:
        """Return the disk on which a path lies."""
        return self.disks[max((mount for mount in self.disks if _is_within(path, mount)), key=len)]

    def snapshot(self) -> Mapping[str, tuple[FileState, str]]:
        """Return everything that is there, to compare before and after."""
        return {path: (state, self.contents.get(path, "")) for path, state in self.states.items()}

    def _add(self, path: str, kind: str, mode: int, size: int, changes: Mapping[str, object]) -> FileState:
        parent = str(PurePosixPath(path).parent)
        if path != ROOT and parent not in self.states:
            self.add_directory(parent)
        now = self._now()
        state = FileState(
            path, kind, mode, 0, 0, size, now, now, now, self.disk_of(path).mount.device, next(self._inodes), 1
        )
        self.states[path] = state._replace(**changes)  # type: ignore[arg-type]
        return self.states[path]

    def _now(self) -> float:
        return self._clock.now().wall.timestamp()

    def _below(self, path: str) -> list[str]:
        return [entry for entry in self.states if entry != path and _is_within(entry, path)]

    def _on(self, disk: SimulatedDisk) -> Iterator[FileState]:
        return (state for state in self.states.values() if state.device == disk.mount.device)

    def _own_bytes(self, disk: SimulatedDisk) -> int:
        return sum(state.size for state in self._on(disk) if state.kind == "file")


def _is_within(path: str, directory: str) -> bool:
    return path == directory or path.startswith(directory.rstrip("/") + "/")
