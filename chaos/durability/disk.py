"""What a power cut may leave of a disk: of all that was not synced anything may be missing, half there, or out of order.

The model is harsher than most file systems. A file's data lasts only after a sync of that file, its name only after a sync
of its directory, whichever came first; of the rest each write is kept or lost by itself, and the last one may be torn.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from chaos.durability.disk_calls import Call

_SECTOR_BYTES = 512


@dataclass(eq=False, slots=True)
class _File:
    """One file or directory, by whatever names."""

    is_directory: bool = False
    content: bytearray = field(default_factory=bytearray)
    #: Changes of the content that were not synced yet.
    pending: list[Call] = field(default_factory=list)

    def sync(self) -> None:
        for call in self.pending:
            _apply(call, self.content)
        self.pending.clear()

    def after_cut(self, chance: Random) -> bytes:
        """Return the content with any part of what was pending."""
        content = bytearray(self.content)
        kept = [call for call in self.pending if chance.random() < 0.5]
        if chance.random() < 0.5:
            chance.shuffle(kept)
        for call in kept:
            torn = call is self.pending[-1] and call.name == "write" and chance.random() < 0.5
            _apply(call, content, most=_torn_at(len(call.data), chance) if torn else None)
        return bytes(content)


@dataclass(frozen=True, slots=True)
class _Naming:
    """One change of names that is not durable until its directory is synced."""

    gives: Mapping[str, _File] = field(default_factory=dict)
    takes: str | None = None


class Disk:
    """A disk below one directory; `feed` it calls in their order, then cut the power."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._inodes: dict[int, _File] = {}
        self._names: dict[str, _File] = {}
        #: Directory -> changes in it that were not synced yet.
        self._pending: dict[str, list[_Naming]] = {}
        for path in (root, *sorted(root.rglob("*"))) if root.exists() else ():
            if path.is_dir() or path.is_file():
                self._take_in(path)

    def _take_in(self, path: Path) -> None:
        file = _File(path.is_dir(), bytearray() if path.is_dir() else bytearray(path.read_bytes()))
        self._inodes[path.stat().st_ino] = self._names[str(path)] = file

    def feed(self, calls: Iterable[Call]) -> None:
        """Take note of calls below the root; those elsewhere are nothing to this disk."""
        for call in calls:
            if call.path == str(self._root) or call.path.startswith(f"{self._root}/"):
                self._note(call)

    def _note(self, call: Call) -> None:
        if call.name in ("create", "mkdir"):
            # A number that was free before: what bore it is gone for good.
            self._inodes[call.inode] = file = _File(is_directory=call.name == "mkdir")
            self._rename(call.path, _Naming({call.path: file}))
        elif call.name in ("unlink", "rmdir"):
            self._rename(call.path, _Naming(takes=call.path))
        elif call.name in ("rename", "link"):
            takes = call.path if call.name == "rename" else None
            self._rename(call.other, _Naming({call.other: self._inodes[call.inode]}, takes))
        elif call.name == "exchange":
            gives = {call.other: self._inodes[call.inode], call.path: self._inodes[call.offset]}
            self._rename(call.other, _Naming(gives))
        elif call.inode in self._inodes:
            self._change(self._inodes[call.inode], call)

    def _rename(self, path: str, change: _Naming) -> None:
        self._pending.setdefault(path.rpartition("/")[0], []).append(change)

    def _change(self, file: _File, call: Call) -> None:
        if call.name != "sync":
            file.pending.append(call)
        elif file.is_directory:
            for change in self._pending.pop(call.path, []):
                _rename(change, self._names)
        else:
            file.sync()

    def settle(self) -> None:
        """Let everything become durable, as it does in time."""
        for file in self._inodes.values():
            file.sync()
        for changes in self._pending.values():
            for change in changes:
                _rename(change, self._names)
        self._pending.clear()

    def cut(self, chance: Random, into: Path) -> None:
        """Write what a cut at this moment may leave into an empty directory."""
        names = self._names_after_cut(chance)
        for path in sorted(names):
            if _is_reachable(path, names, str(self._root)):
                _write(into / Path(path).relative_to(self._root), names[path], chance)

    def _names_after_cut(self, chance: Random) -> dict[str, _File]:
        names = dict(self._names)
        for changes in self._pending.values():
            # Most file systems keep the order of names, so that only the last ones are missing; some keep any.
            until = chance.randrange(len(changes) + 1)
            kept = changes[:until] if chance.random() < 0.5 else [each for each in changes if chance.random() < 0.5]
            for change in kept:
                _rename(change, names)
        return names


def _rename(change: _Naming, names: dict[str, _File]) -> None:
    if change.takes is not None:
        names.pop(change.takes, None)
    names.update(change.gives)


def _is_reachable(path: str, names: dict[str, _File], root: str) -> bool:
    while path != root:
        path = path.rpartition("/")[0]
        if path not in names:
            return False
    return True


def _write(path: Path, file: _File, chance: Random) -> None:
    if file.is_directory:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    else:
        path.write_bytes(file.after_cut(chance))
        path.chmod(0o600)


def _apply(call: Call, content: bytearray, *, most: int | None = None) -> None:
    if call.name == "truncate":
        del content[call.offset :]
    if call.name in ("truncate", "allocate"):
        content.extend(bytes(max(0, call.offset - len(content))))
        return
    data = call.data if most is None else call.data[:most]
    content.extend(bytes(max(0, call.offset - len(content))))
    content[call.offset : call.offset + len(data)] = data


def _torn_at(size: int, chance: Random) -> int:
    """Return how many bytes of a write came through: whole sectors, or any number where it is smaller than one."""
    sectors = size // _SECTOR_BYTES
    return chance.randrange(sectors + 1) * _SECTOR_BYTES if sectors else chance.randrange(size + 1)
