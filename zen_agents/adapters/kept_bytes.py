"""How what an open file holds gets into the quarantine: as a copy, or by a second name of the file itself."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

from zen_agents.adapters.file_identity import proc_path

_CHUNK = 1 << 16


def copied(source: int, target: Path, go_on: Callable[[], None]) -> str:
    """Copy an open file to a new one, which is on its disk then, and return the hash of what was copied."""
    digest = hashlib.sha256()
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    os.lseek(source, 0, os.SEEK_SET)
    with os.fdopen(descriptor, "wb") as stream:
        while piece := os.read(source, _CHUNK):
            go_on()
            digest.update(piece)
            stream.write(piece)
        stream.flush()
        os.fsync(stream.fileno())
    return digest.hexdigest()


def linked(descriptor: int, target: Path) -> bool:
    """Give an open file a second name; False where that cannot be: on another file system, or it is somebody else's."""
    found = os.fstat(descriptor)
    if os.geteuid() not in (0, found.st_uid):
        return False
    folder = os.open(target.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        # With a directory it is linkat, which goes through to the file that is open.
        os.link(proc_path(descriptor), target.name, dst_dir_fd=folder)
    except OSError:
        return False
    finally:
        os.close(folder)
    named = target.lstat()
    if (named.st_dev, named.st_ino) == (found.st_dev, found.st_ino):
        return True
    target.unlink()  # an overlay that made a copy of it
    return False


def digest_of(descriptor: int, go_on: Callable[[], None]) -> str:
    """Return the hash of an open file, which is on its disk then."""
    digest, at = hashlib.sha256(), 0
    while piece := os.pread(descriptor, _CHUNK, at):
        go_on()
        digest.update(piece)
        at += len(piece)
    os.fsync(descriptor)
    return digest.hexdigest()


def hash_of(path: Path) -> str:
    """Return the hash of what a file holds."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
