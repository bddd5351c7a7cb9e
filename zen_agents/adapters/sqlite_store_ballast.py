"""Room kept for the state on a full disk.

The intent to clean a disk must be durable before the cleaning, and that takes room on what may be that very disk. So a file
of `BALLAST_BYTES` lies beside the state; the first write that finds the disk full fails and removes it, and the next one
has room. `prune` makes it anew when there is plenty.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

#: Enough for some hundred intents with their outcomes.
BALLAST_BYTES = 4 * 1024 * 1024

#: The file is made only while this many times its size is free.
_PLENTY = 4


def ballast_of(path: Path) -> Path:
    """Return where the ballast of a state lies."""
    return path.with_name(f"{path.name}.ballast")


def drop_ballast(path: Path) -> bool:
    """Give the ballast's room to the state; True if there was one."""
    try:
        ballast_of(path).unlink()
    except OSError:
        return False  # absent, or the file system is read-only: either way there is no room to give
    return True


def lay_ballast(path: Path) -> None:
    """Make the ballast if it is absent and there is plenty of room; does nothing where that does not work."""
    ballast = ballast_of(path)
    # It is a precaution: a file system without room or without allocation must not stop what called us.
    with contextlib.suppress(OSError):
        free = os.statvfs(path.parent)
        if ballast.exists() or free.f_bavail * free.f_frsize < _PLENTY * BALLAST_BYTES:
            return
        descriptor = os.open(ballast, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            os.posix_fallocate(descriptor, 0, BALLAST_BYTES)
        finally:
            os.close(descriptor)
