"""The content of an open file: copied to another, and compared with what was made of it."""

from __future__ import annotations

import contextlib
import fcntl
import gzip
import os
from collections.abc import Callable
from typing import IO

#: A piece that an allocator keeps at hand: of larger ones each would be pages that the kernel makes and clears anew (bytes).
_CHUNK = 1 << 16
#: The kernel's number of "be a clone of that file".
_FICLONE = 0x40049409


def shares(source: int, target: int) -> bool:
    """Have an empty file share the bytes of another, at once and without their room; False where that cannot be done."""
    try:
        fcntl.ioctl(target, _FICLONE, source)
    except OSError:  # another file system, or one that knows no such thing
        return False
    return True


def pour(source: int, target: IO[bytes], *, compress: bool, go_on: Callable[[], None], modified: int) -> int:
    """Copy to the end, looking at the emergency stop at each piece; return the bytes read."""
    os.lseek(source, 0, os.SEEK_SET)
    count = 0
    with contextlib.ExitStack() as stack:
        out: IO[bytes] | gzip.GzipFile = target
        if compress:
            out = stack.enter_context(gzip.GzipFile("", "wb", compresslevel=6, fileobj=target, mtime=modified))
        while piece := os.read(source, _CHUNK):
            go_on()
            out.write(piece)
            count += len(piece)
    target.flush()
    return count


def is_same(source: int, unpacked: IO[bytes], *, go_on: Callable[[], None]) -> bool:
    """Tell whether a stream gives all that an open file holds, and nothing more; what it raises is passed on."""
    os.lseek(source, 0, os.SEEK_SET)
    while piece := os.read(source, _CHUNK):
        go_on()
        if unpacked.read(len(piece)) != piece:
            return False
    return not unpacked.read(1)
