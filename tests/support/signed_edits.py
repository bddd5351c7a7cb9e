"""Edits of a signed ledger's rows, by chance: each returns the number of the first entry that is not what it was."""

from __future__ import annotations

from random import Random

from tests.support.signed import COLUMNS, HASH, ID, SEQ, Row, rechained, renamed
from zen_agents.adapters.audit_key import AuditKey
from zen_agents.store.checkpoint import CHECKPOINT

#: Somebody's own key: 32 bytes that are not the host's.
ANOTHER_KEY = AuditKey(b"another key, of 32 bytes exactly")


def changed_byte(rows: list[Row], chance: Random) -> int:
    index, column = chance.randrange(len(rows)), chance.randrange(1, len(COLUMNS))
    old = rows[index][column]
    if isinstance(old, int):
        new: object = old ^ (1 << chance.randrange(40))
    elif isinstance(old, bytes):
        place = chance.randrange(len(old))
        new = old[:place] + bytes((old[place] ^ chance.randrange(1, 256),)) + old[place + 1 :]
    else:
        text = old or "-"
        place = chance.randrange(len(text))
        new = text[:place] + chr(ord(text[place]) ^ 1) + text[place + 1 :]
    rows[index][column] = new
    return index + 1


def deleted(rows: list[Row], chance: Random) -> int:
    index = chance.randrange(len(rows) - 1)
    del rows[index]
    if chance.random() < 0.5:
        for number, row in enumerate(rows, start=1):
            row[SEQ] = number
    return index + 1


def swapped(rows: list[Row], chance: Random) -> int:
    one, other = sorted(chance.sample(range(len(rows)), 2))
    rows[one], rows[other] = rows[other], rows[one]
    rows[one][SEQ], rows[other][SEQ] = one + 1, other + 1
    return one + 1


def truncated(rows: list[Row], chance: Random) -> int:
    index = chance.randrange(len(rows))
    del rows[index:]
    return index + 1


def inserted(rows: list[Row], chance: Random) -> int:
    index = chance.randrange(len(rows))
    rows.insert(index, list(rows[chance.randrange(len(rows))]))
    rows[index][HASH] = chance.randbytes(32)
    for number, row in enumerate(rows, start=1):
        row[SEQ] = number
    return index + 1


def forged_tail(rows: list[Row], chance: Random) -> int:
    """An entry is changed, removed or put in, and all behind it is made right again: but for the key."""
    index = chance.randrange(len(rows) - 1)
    how = chance.choice(("change", "remove", "insert"))
    if how == "change" and rows[index][ID] != CHECKPOINT:
        renamed(rows[index])
    elif how == "insert":
        rows.insert(index, list(rows[index]))
        renamed(rows[index])
    else:
        del rows[index]
    signing = chance.choice(("kept", "own", "dropped"))
    if signing == "dropped":
        for row in rows[index:]:
            if row[ID] == CHECKPOINT:
                renamed(row)
    rechained(rows, index, key=ANOTHER_KEY if signing == "own" else None)
    return index + 1


PLAIN = (changed_byte, deleted, swapped, truncated, inserted)
