"""Heads of the ledger that were kept elsewhere: found in any text, and compared with the ledger."""

from __future__ import annotations

import re
from collections.abc import Iterable

from zen_agents.adapters.ledger_signatures import BrokenError
from zen_agents.adapters.sqlite_store_file import StateFile
from zen_agents.dataclass import dataclass

#: `812:7c1e...` in a message or a line of the system's log, `812 7c1e...` in a state's `ledger.head`.
_HEAD = re.compile(r"(?<![0-9a-f])(\d{1,18})[: ]([0-9a-f]{64})(?![0-9a-f])")


@dataclass(frozen=True, order=True, slots=True)
class Head:
    """Number and hash of the entry that was the last one once."""

    seq: int
    hash: str


def heads_in(text: str) -> list[Head]:
    """Return every head that a text holds, by number; each once."""
    return sorted({Head(int(seq), hash) for seq, hash in _HEAD.findall(text)})


def compare(file: StateFile, last: int, kept: Iterable[Head]) -> None:
    """Raise BrokenError at the first kept head that is not in a ledger whose last entry has the number `last`."""
    agreed = 0
    for head in sorted(kept):
        if head.seq > last:
            raise BrokenError(last + 1, f"the ledger's end was cut off, it once went to entry {head.seq}", head.hash)
        row = file.read_one("entry_hash", (head.seq,))
        found = bytes(row[0]).hex() if row else ""
        if row and found != head.hash:
            problem = f"it is not the one that was kept elsewhere; the ledger was rewritten behind entry {agreed}"
            raise BrokenError(head.seq, problem, head.hash, found)
        agreed = head.seq
