"""Small files that are whole whenever the process or the power fails: the old content or the new one, never half of it."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from pathlib import Path

_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


def replace_durably(path: Path, content: bytes, *, mode: int = 0o600) -> None:
    """Give a file this content at once and for good; OSError if that is not certain: it is the old or the new one then.

    What a crash leaves besides is `unfinished(path)`, which the next call takes away.
    """
    _replace(path, content, mode, os.fsync)
    sync(path.parent)


def replace_at_once(path: Path, content: bytes) -> None:
    """Give a file that everybody may read this content at once; raises OSError. After a power cut it may be the old one."""
    _replace(path, content, 0o644, lambda descriptor: os.fchmod(descriptor, 0o644))


def _replace(path: Path, content: bytes, mode: int, before_it_counts: Callable[[int], None]) -> None:
    fresh = unfinished(path)
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, _NEW, mode)
    try:
        write_whole(descriptor, content)
        before_it_counts(descriptor)
        fresh.rename(path)
    except OSError:
        with contextlib.suppress(OSError):
            fresh.unlink()
        raise
    finally:
        os.close(descriptor)


def unfinished(path: Path) -> Path:
    """Return where the new content of a file lies until it is whole."""
    return path.with_name(f".{path.name}.new")


def append_line(path: Path, line: bytes) -> int:
    """Append a line, made durable by nobody yet, and return an open descriptor of the file; raises OSError.

    It begins a line of its own also where a crash or a full disk left half of one.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        size = os.fstat(descriptor).st_size
        torn = size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"
        write_whole(descriptor, b"\n" + line if torn else line)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def write_whole(descriptor: int, content: bytes) -> None:
    """Write all of it; raises OSError. A disk that is nearly full takes the beginning and says nothing."""
    while content:
        content = content[os.write(descriptor, content) :]


def sync(path: Path) -> None:
    """Make a file's content, or the names in a directory, durable; raises OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
