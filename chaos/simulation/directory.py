"""An open directory of a simulated host, by which alone its files are changed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from chaos.simulation.world import SimulatedWorld
from zen_agents.errors import StalePlanError, UnsafePathError
from zen_agents.ports.host_files import FileState
from zen_agents.ports.log_archives import PACKED, Packing

if TYPE_CHECKING:
    from chaos.simulation.control import SimulatedControl


class SimulatedDirectory:
    """Implements `ports.host_directories.DirectoryHandle`."""

    def __init__(self, host: SimulatedWorld, control: SimulatedControl, path: str) -> None:
        self._files = host.files
        self._host = host
        self._control = control
        self._staged = 0
        self.path = path

    def directory(self) -> FileState:
        return self._files.states[self.path]

    def entries(self) -> Sequence[FileState]:
        return self._files.entries(self.path)

    def is_in_place(self) -> bool:
        return self.path in self._files.states

    def in_use(self, expected: FileState) -> bool:
        self._file(expected)
        return False

    def enter(self, name: str) -> AbstractContextManager[SimulatedDirectory]:
        return opened(self._host, self._control, self._join(name), device=self._files.states[self.path].device)

    def remove(self, expected: FileState) -> None:
        self._change("remove", self._file(expected))
        self._files.remove(expected.path)

    def remove_directory(self, expected: FileState) -> None:
        self._expected(expected)
        if self._files.entries(expected.path):
            raise StalePlanError(f"{expected.path} is not empty")
        self._change("remove directory", expected)
        self._files.remove(expected.path)

    def rename(self, expected: FileState, new_name: str) -> None:
        new = self._free(new_name)
        self._change(f"rename to {new_name}", self._expected(expected))
        self._files.rename(expected.path, new)

    def create_directory(self, name: str, *, mode: int, owner: int, group: int) -> None:
        path = self._free(name)
        self._control.note(f"create directory {path}", path)
        self._files.add_directory(path, mode=mode, owner=owner, group=group)
        self._tell(path)

    def set_mode_and_owner(self, expected: FileState, *, mode: int | None, owner: int | None, group: int | None) -> None:
        given = {"mode": mode, "owner": owner, "group": group}
        self._change("set mode and owner", self._expected(expected))
        self._files.change(expected.path, **{key: value for key, value in given.items() if value is not None})

    def truncate(self, expected: FileState, *, to: int = 0) -> None:
        self._change("truncate", self._expected(expected))
        self._files.contents[expected.path] = self._files.contents.get(expected.path, "")[:to]
        self._files.change(expected.path, size=to)

    def copy_out(self, expected: FileState, new_name: str, *, compress: bool = False) -> int:
        new = self._free(new_name)
        found = self._expected(expected)
        self._change(f"copy to {new_name}", found)
        size = found.size // 10 if compress else found.size
        content = self._files.contents.get(found.path, "")
        self._files.add_file(new, content, size=size, mode=found.mode, owner=found.owner, group=found.group)
        return found.size

    def compress(self, expected: FileState, packing: Packing = "gzip") -> int:
        found = self._file(expected)
        name = PurePosixPath(found.path).name + PACKED[packing]
        self.copy_out(found, name, compress=True)
        self._files.remove(found.path)
        return self._files.change(self._join(name), modified=found.modified).size

    def quarantine(self, expected: FileState, *, action: str) -> str:
        self._change(f"quarantine for {action}", self._file(expected))
        return self._files.quarantine(expected.path)

    def give_back(self, id: str, name: str) -> FileState:
        new, kept = self._free(name), self._files.kept(id)
        self._control.note(f"give back {new}", new)
        self._files.give_back(kept, new)
        self._tell(new)
        return self._files.states[new]

    def stage(self, content: bytes, like: FileState) -> FileState:
        self._control.check_stop()
        self._staged += 1
        # The directory may have been closed and opened again since.
        while (path := self._join(f".staged-{self._staged}")) in self._files.states:
            self._staged += 1
        return self._files.add_file(path, content.decode(), mode=like.mode & 0o777, owner=like.owner, group=like.group)

    def swap(self, candidate: FileState, expected: FileState | None, name: str, *, action: str) -> str:
        new = self._join(name)
        kept = self.quarantine(expected, action=action) if expected is not None else ""
        if not kept:
            self._control.note(f"put {new}", self._free(name))
        self._files.rename(candidate.path, new)
        self._tell(new)
        return kept

    def discard(self, candidate: FileState) -> None:
        self._files.remove(candidate.path)

    def _expected(self, expected: FileState) -> FileState:
        found = self._files.states.get(expected.path)
        if str(PurePosixPath(expected.path).parent) != self.path:
            raise UnsafePathError(f"{expected.path} is not in {self.path}")
        if found is None or (found.inode, found.modified, found.size) != (expected.inode, expected.modified, expected.size):
            raise StalePlanError(f"{expected.path} has changed since it was seen")
        return found

    def _file(self, expected: FileState) -> FileState:
        found = self._expected(expected)
        if found.kind != "file" or found.links != 1:
            raise UnsafePathError(f"{found.path} is not a regular file with one link")
        return found

    def _free(self, name: str) -> str:
        path = self._join(name)
        if path in self._files.states:
            raise StalePlanError(f"{path} is there already")
        return path

    def _join(self, name: str) -> str:
        if not name or "/" in name or name in (".", ".."):
            raise UnsafePathError(f"{name!r} is not the plain name of a file")
        return f"{self.path.rstrip('/')}/{name}"

    def _change(self, what: str, state: FileState) -> None:
        self._control.note(f"{what} {state.path}", state.path)
        self._tell(state.path)

    def _tell(self, path: str) -> None:
        self._host.events.tell(f"path:{path}", "inotify")


@contextmanager
def opened(
    host: SimulatedWorld, control: SimulatedControl, path: str, device: int | None = None
) -> Iterator[SimulatedDirectory]:
    """Open a directory that is one, on the file system that is expected."""
    state = host.files.states.get(path)
    if state is None:
        raise StalePlanError(f"{path} is not there")
    if state.kind != "directory" or (device is not None and state.device != device):
        raise UnsafePathError(f"{path} is a link, another mount or no directory")
    yield SimulatedDirectory(host, control, path)
