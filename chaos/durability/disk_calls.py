"""The calls by which an engine makes things durable, seen and failed from outside: `disk_calls.c` is preloaded into it."""

from __future__ import annotations

import hashlib
import os
import shutil
import struct
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_SOURCE = Path(__file__).with_suffix(".c")
#: Call, inode, offset, size of the data, length of the two paths.
_HEAD = struct.Struct("=12sQqIHH")
#: The ways in which a call can go wrong: the process dies before or after it, or half done; or it fails.
MODES = ("before", "after", "torn", "enospc", "eio")


class NoCompilerError(Exception):
    """The library cannot be built here; install a C compiler (`cc`)."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call that succeeded."""

    #: create, truncate, allocate, write, sync, rename, exchange, link, unlink, mkdir, rmdir.
    name: str
    path: str
    #: The new name of what is renamed, exchanged or linked.
    other: str
    inode: int
    #: Where it writes, or the length to which it truncates or allocates (bytes); the inode that it is exchanged with.
    offset: int
    data: bytes

    @property
    def about(self) -> str:
        """The name that this call gives or changes."""
        return self.other or self.path


@dataclass(frozen=True, slots=True)
class Fault:
    """The nth such call on a path that matches goes wrong; one that fails goes on failing in that process."""

    call: str
    #: With `*` for anything but a slash.
    glob: str
    mode: str
    nth: int = 1


def environment(*roots: Path, journal: Path | None = None, fault: Fault | None = None) -> dict[str, str]:
    """Return the variables under which a process is seen below these directories; raises NoCompilerError."""
    found = {"LD_PRELOAD": str(_library()), "DISK_CALLS_ROOTS": ":".join(map(str, roots))}
    if journal is not None:
        found["DISK_CALLS_JOURNAL"] = str(journal)
    if fault is not None:
        found["DISK_CALLS_FAULT"] = f"{fault.call}|{fault.nth}|{fault.mode}|{fault.glob}"
    return found


def read_calls(journal: Path) -> Iterator[Call]:
    """Yield the calls of a journal in their order; one that was cut off by the end of the process is left out."""
    content, at = journal.read_bytes(), 0
    while at + _HEAD.size <= len(content):
        name, inode, offset, size, path, other = _HEAD.unpack_from(content, at)
        at += _HEAD.size
        ends = at + path, at + path + other, at + path + other + size
        if ends[-1] > len(content):
            return
        yield Call(
            name.rstrip(b"\0").decode(), os.fsdecode(content[at : ends[0]]), os.fsdecode(content[ends[0] : ends[1]]),
            inode, offset, content[ends[1] : ends[2]],
        )  # fmt: skip
        at = ends[-1]


@cache
def _library() -> Path:
    """Return the library, built once for each version of its source."""
    version = hashlib.sha256(_SOURCE.read_bytes()).hexdigest()[:12]
    folder = Path(tempfile.gettempdir()) / f"zen-agents-disk-calls-{os.geteuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.stat().st_uid != os.geteuid():
        raise NoCompilerError(f"{folder} belongs to somebody else; nothing of it is loaded")
    library = folder / f"{version}.so"
    if not library.exists():
        _build(library)
    return library


def _build(library: Path) -> None:
    if (compiler := shutil.which("cc")) is None:
        raise NoCompilerError("there is no C compiler (cc) on this machine")
    fresh = library.with_suffix(f".{os.getpid()}")
    command = [compiler, "-O1", "-Wall", "-Wextra", "-shared", "-fPIC", "-o", str(fresh), str(_SOURCE), "-ldl", "-lpthread"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    if done.returncode != 0:
        raise NoCompilerError(f"cc failed: {done.stderr.strip()[-500:]}")
    fresh.replace(library)
