"""A damaged state.db: the store works or says so, and no ledger passes for whole that ends otherwise."""

from __future__ import annotations

import contextlib
import struct
from functools import cache

from chaos.fuzz.given import folder, put
from chaos.fuzz.promise import promise
from chaos.fuzz.small_state import look_at_everything, whole_state
from zen_agents.adapters.ledger_audit import export, verify
from zen_agents.adapters.sqlite_store import SqliteStore
from zen_agents.errors import ZenError

_PATCH = struct.Struct("<IH")
_MOST_PATCHES = 16
SEEDS = (
    b"",
    _PATCH.pack(0, 4) + b"XXXX",
    _PATCH.pack(100, 1) + b"\xff",
    _PATCH.pack(16, 2) + b"\0\0",
    _PATCH.pack(8192, 8) + b"\xff" * 8,
    _PATCH.pack(20, 1) + b"\0" + _PATCH.pack(28, 4) + b"\0\0\0\1",
    _PATCH.pack(4096 * 5, 200) + b"\0" * 200,
)


def fuzz(data: bytes) -> None:
    """Patch a small, whole state at the places that the input says, and do with it what the engine and a person do."""
    content = _patched(data)
    path = put(folder("state-file") / "state.db", content)
    for beside in ("state.db-wal", "state.db-shm"):
        path.with_name(beside).unlink(missing_ok=True)
    with contextlib.suppress(ZenError):
        result = verify(path)
        promise(not result.ok or result.head == _whole_head(), "a ledger with another end passes for whole")
    with contextlib.suppress(ZenError):
        list(export(path))
    with contextlib.suppress(ZenError), contextlib.closing(SqliteStore(path)) as store:
        look_at_everything(store)


@cache
def _whole_head() -> str:
    return verify(put(folder("whole") / "state.db", whole_state())).head


def _patched(data: bytes) -> bytes:
    content, at = bytearray(whole_state()), 0
    for _ in range(_MOST_PATCHES):
        if at + _PATCH.size > len(data):
            break
        offset, length = _PATCH.unpack_from(data, at)
        piece = data[at + _PATCH.size : at + _PATCH.size + length]
        at += _PATCH.size + length
        offset %= len(content)
        content[offset : offset + len(piece)] = piece
    return bytes(content)
