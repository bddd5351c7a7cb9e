"""The usual case of following: one file, read to its end before, to which somebody has added lines since."""

from __future__ import annotations

import os
import stat
from typing import Any

from zen_agents.adapters.linux_logs_files import FLAGS
from zen_agents.adapters.linux_logs_position import HEAD_BYTES, NOT_READ, TAIL_BYTES, Position, digest
from zen_agents.logs.lines import cut
from zen_agents.ports.host_logs import LogChunk, LogPiece


def grown(path: str, saved: Any, most_bytes: int) -> LogPiece | None:
    """Return what was added, by as few calls as can be; None for whatever is not that simple, of which nothing is lost."""
    before = Position.restored(saved.get("at")) if type(saved) is dict and len(saved) == 1 else None
    if before is None or before.within or before.offset == 0:
        return None
    try:
        descriptor = os.open(path, FLAGS)
    except OSError:
        return None
    try:
        return _added(path, before, descriptor, most_bytes)
    except OSError:
        return None
    finally:
        os.close(descriptor)


def _added(path: str, before: Position, descriptor: int, most_bytes: int) -> LogPiece | None:
    state, offset = os.fstat(descriptor), before.offset
    added, kept = state.st_size - offset, min(offset, TAIL_BYTES)
    if state.st_ino != before.inode or state.st_dev != before.device or not stat.S_ISREG(state.st_mode):
        return None
    if not 0 < added <= most_bytes:
        return None
    head, last = os.pread(descriptor, HEAD_BYTES, 0), os.pread(descriptor, kept, offset - kept)
    if digest(head[:offset]) != before.head or digest(last) != before.tail:
        return None
    content = os.pread(descriptor, added, offset)
    found = cut(content)
    end = offset + found.used
    at = before._replace(
        offset=end, within=found.within, head=before.head if offset >= HEAD_BYTES else digest(head[:end]),
        tail=digest((last + content[max(0, found.used - TAIL_BYTES) : found.used])[-TAIL_BYTES:]),
        size=state.st_size if len(content) == added else NOT_READ, modified_ns=state.st_mtime_ns,
    )  # fmt: skip
    checkpoint = {"files": {path: {"at": at.saved()}}, "turn": 0}
    chunks = (LogChunk(path, found.lines),) if found.lines else ()
    return LogPiece(chunks, checkpoint, shortened=found.shortened, dropped=found.dropped)
