"""A signed ledger: what is forged without the key shows with its place, and what is whole verifies."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from tests.support.signed import (
    BODY,
    COLUMNS,
    HASH,
    ID,
    SEQ,
    Forger,
    Row,
    SignedLedger,
    an_engines_day,
    rechained,
    renamed,
    rows_of,
    signed_ledger,
)
from tests.support.state import START, an_entry
from zen_agents.adapters.audit_key import AuditKey, PublicKeys
from zen_agents.adapters.ledger_audit import Verification, verify
from zen_agents.adapters.ledger_heads import Head, heads_in
from zen_agents.adapters.sqlite_store import SqliteStore
from zen_agents.adapters.sqlite_store_signing import SIGN_WITHIN
from zen_agents.clock import ManualClock
from zen_agents.model.entry import Entry, EntryKind
from zen_agents.store.checkpoint import CHECKPOINT, MOST_UNSIGNED
from zen_agents.store.ledger import sealed

EDITS = 1000
#: Somebody's own key: 32 bytes that are not the host's.
ANOTHER = AuditKey(b"another key, of 32 bytes exactly")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> SignedLedger:
    return signed_ledger(tmp_path_factory.mktemp("signed") / "state", an_engines_day)


def keys(ledger: SignedLedger) -> PublicKeys:
    return PublicKeys.read(ledger.folder / "audit.pub")


def heads(ledger: SignedLedger) -> list[Head]:
    return heads_in("\n".join(checkpoint.head for checkpoint in ledger.told))


def verified(path: Path, known: PublicKeys | None, against: list[Head] | None = None) -> Verification:
    """Return what one process finds, which is what several find that share the way."""
    alone = verify(path, keys=known, against=against or ())
    assert verify(path, keys=known, against=against or (), leg=7) == alone
    return alone


# -- edits: each changes the rows and returns the number of the first entry that is not what it was ---------------------
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
    rechained(rows, index, key=ANOTHER if signing == "own" else None)
    return index + 1


PLAIN = (changed_byte, deleted, swapped, truncated, inserted)


@pytest.mark.parametrize("edit", [*PLAIN, forged_tail])
def test_each_of_a_thousand_random_edits_is_found_with_its_place(
    edit: Callable[[list[Row], Random], int], whole: SignedLedger, tmp_path: Path
) -> None:
    path = Path(shutil.copy(whole.path, tmp_path / "state.db"))
    forger, known, kept, original = Forger(path), keys(whole), heads(whole), rows_of(whole.path)
    for number in range(EDITS // (len(PLAIN) + 1) + 1):
        rows = [list(row) for row in original]
        first = edit(rows, Random(f"{edit.__name__} {number}"))
        forger.write(rows)
        found = verify(path, keys=known, against=kept)
        told = f"{edit.__name__} {number}: first {first}, {found}"
        assert not found.ok, told
        assert found.broken_seq is not None, told
        if edit is forged_tail:
            # Between the last signature that holds and the first that does not, or is missing.
            assert found.signed_to < first <= found.broken_seq, told
        else:
            assert found.broken_seq == first, told
    forger.write(original)
    assert verified(path, known, kept).ok
    forger.close()


def test_a_whole_ledger_verifies_with_its_key_and_with_what_was_told(whole: SignedLedger) -> None:
    found = verified(whole.path, keys(whole), heads(whole))
    assert found.ok and found.signatures_checked and found.signed_by == (whole.key.id,)
    rows = rows_of(whole.path)
    assert rows[-1][ID] == CHECKPOINT and found.signed_to == len(rows) - 1
    assert found.checkpoints == len([row for row in rows if row[ID] == CHECKPOINT]) == 5
    # The first entry signs that there was nothing before it, the others follow what has to be signed at once.
    assert [rows[index - 1][ID] for index, row in enumerate(rows) if row[ID] == CHECKPOINT and index] == [
        "started", "pause", "pause", "stopped",
    ]  # fmt: skip


def test_only_what_is_durable_is_told(whole: SignedLedger, tmp_path: Path) -> None:
    ledger = signed_ledger(tmp_path / "state", lambda store, clock: None)
    clock = ManualClock(START, 200.0)
    store = ledger.opened(clock)
    before = list(ledger.told)
    store.append(an_entry("pause", kind=EntryKind.HUMAN, at=clock.now()))
    assert ledger.told == before
    store.commit()
    assert [checkpoint.seq for checkpoint in ledger.told[len(before) :]] == [2]
    assert store.last_checkpoint() == ledger.told[-1]
    store.append(an_entry("pause", kind=EntryKind.HUMAN, at=clock.now()))
    store.close()  # drops it, as a crash does
    assert len(ledger.told) == len(before) + 1
    assert verified(ledger.path, keys(ledger), heads(ledger)).ok


def many(store: SqliteStore, clock: ManualClock) -> None:
    for number in range(2 * MOST_UNSIGNED + 50):
        store.append(an_entry(f"dec-{number}", at=clock.advance(1.0)))
        if number % 90 == 0:
            store.commit()


def test_many_entries_are_signed_in_between(tmp_path: Path) -> None:
    ledger = signed_ledger(tmp_path / "state", many)
    found = verified(ledger.path, keys(ledger))
    assert found.ok and found.checkpoints == 3
    assert found.entries - found.signed_to == 51
    rows = rows_of(ledger.path)
    place = next(index for index, row in enumerate(rows) if index and row[ID] == CHECKPOINT)
    del rows[place:]
    for number in range(MOST_UNSIGNED + 1):
        rows.append(list(rows[1]))
        renamed(rows[-1])
        rows[-1][ID] = f"dec-new{number}"
    forger = Forger(ledger.path)
    forger.write(rechained(rows, place))
    forger.close()
    found = verified(ledger.path, keys(ledger))
    assert not found.ok and found.broken_seq == MOST_UNSIGNED + 2
    assert found.problem == (
        f"Entry {MOST_UNSIGNED + 2} does not verify: no signature stands where one has to, all up to entry 0 are signed."
    )


def test_what_waits_is_signed_after_ten_minutes(tmp_path: Path) -> None:
    ledger = signed_ledger(tmp_path / "state", lambda store, clock: None)
    clock = ManualClock(START, 200.0)
    store = ledger.opened(clock)
    store.sign_waiting(clock.advance(10 * SIGN_WITHIN))
    assert store.head()[0] == 1, "nothing waits"
    store.append(an_entry("dec-1", at=clock.now()))
    store.sign_waiting(clock.advance(SIGN_WITHIN - 1))
    assert store.head()[0] == 2
    store.sign_waiting(clock.advance(1.0))
    store.commit()
    assert (store.head()[0], ledger.told[-1].seq) == (3, 2)
    store.close()


def test_checkpoints_survive_retention(whole: SignedLedger, tmp_path: Path) -> None:
    path = Path(shutil.copy(whole.path, tmp_path / "state.db"))
    store = SqliteStore(path)
    assert store.prune(metrics_before=0.0, decisions_before=1e9, actions_before=1e9) > 30
    store.close()
    found = verified(path, keys(whole), heads(whole))
    assert found.ok and found.dropped_bodies > 30 and found.checkpoints == 5
    rows = rows_of(path)
    rows[next(index for index, row in enumerate(rows) if index and row[ID] == CHECKPOINT)][BODY] = None
    forger = Forger(path)
    forger.write(rows)
    forger.close()
    assert "its body is gone, and not by retention" in verified(path, keys(whole)).problem


def test_a_ledger_that_was_never_signed_verifies_until_somebody_holds_a_key_of_it(
    whole: SignedLedger, tmp_path: Path
) -> None:
    store = SqliteStore(tmp_path / "state.db")
    store.append(an_entry("dec-1"))
    store.commit()
    store.close()
    assert verified(tmp_path / "state.db", None).ok
    found = verified(tmp_path / "state.db", keys(whole))
    assert (found.ok, found.broken_seq, found.expected) == (False, 1, whole.key.id)
    known = PublicKeys({"key-1": b"", "key-2": b""})
    assert verified(tmp_path / "state.db", known).expected == "key-1 or key-2"


def test_an_older_ledger_is_signed_as_it_is_from_the_first_start_on(tmp_path: Path) -> None:
    older = SqliteStore(tmp_path / "state.db")
    older.append(an_entry("pause", kind=EntryKind.HUMAN))
    older.append(an_entry("dec-1"))
    older.commit()
    older.close()
    ledger = signed_ledger(tmp_path, an_engines_day)
    found = verified(ledger.path, keys(ledger), heads(ledger))
    assert found.ok and found.checkpoints == 5 and ledger.told[0].seq == 2


def test_without_a_key_signatures_are_still_compared_with_what_they_are_over(whole: SignedLedger, tmp_path: Path) -> None:
    path = Path(shutil.copy(whole.path, tmp_path / "state.db"))
    assert not verified(path, None).signatures_checked
    rows, forger = rows_of(path), Forger(path)
    renamed(rows[10])
    forger.write(rechained(rows, 10))
    found = verified(path, None)
    assert not found.ok and "what was signed is not what stands before it, behind entry 2" in found.problem
    # Whoever signs it anew with a key of their own is found by those who hold the host's.
    forger.write(rechained(rows, 0, key=ANOTHER))
    forger.close()
    assert verified(path, None).ok
    found = verified(path, keys(whole))
    assert not found.ok and "signed by another key" in found.problem
    assert (found.broken_seq, found.expected, found.got) == (1, whole.key.id, ANOTHER.id)


@pytest.mark.parametrize("body", [None, "[]", "{}", '{"seq":"1","hash":"","key":"","signature":""}', "[" * 30_000])
def test_an_entry_that_only_says_it_is_a_checkpoint_is_found(body: str | None, whole: SignedLedger, tmp_path: Path) -> None:
    path = Path(shutil.copy(whole.path, tmp_path / "state.db"))
    rows, forger = rows_of(path), Forger(path)
    index = next(index for index, row in enumerate(rows) if index and row[ID] == CHECKPOINT)
    rows[index][BODY] = body
    if body is not None:
        rows[index][BODY + 1] = hashlib.sha256(body.encode()).digest()
    forger.write(rechained(rows, index))
    forger.close()
    assert verified(path, keys(whole)).broken_seq == index + 1


def test_a_signature_of_another_checkpoint_is_forged(whole: SignedLedger, tmp_path: Path) -> None:
    path = Path(shutil.copy(whole.path, tmp_path / "state.db"))
    rows, forger = rows_of(path), Forger(path)
    signed = [index for index, row in enumerate(rows) if row[ID] == CHECKPOINT]
    body = json.loads(rows[signed[2]][BODY]) | {"signature": json.loads(rows[signed[1]][BODY])["signature"]}
    rows[signed[2]][BODY], rows[signed[2]][BODY + 1] = sealed(body)
    forger.write(rechained(rows, signed[2]))
    forger.close()
    found = verified(path, keys(whole))
    assert found.broken_seq == signed[2] + 1 and "its signature is forged" in found.problem


def test_a_cut_end_shows_by_the_head_that_was_kept_elsewhere(whole: SignedLedger, tmp_path: Path) -> None:
    path = Path(shutil.copy(whole.path, tmp_path / "state.db"))
    rows, forger = rows_of(path), Forger(path)
    signed = [index for index, row in enumerate(rows) if row[ID] == CHECKPOINT]
    forger.write(rows[: signed[2] + 1])
    assert verified(path, keys(whole)).ok, "a tail cut behind a signature leaves a ledger that verifies"
    found = verified(path, keys(whole), heads(whole))
    last = whole.told[-1]
    assert (found.broken_seq, found.expected) == (signed[2] + 2, next(one.hash for one in whole.told if one.seq > signed[2]))
    assert "the ledger's end was cut off" in found.problem
    rows[-1][COLUMNS.index("actor")] = "nobody"
    forger.write(rechained(rows, len(rows) - 1))
    forger.close()
    assert verified(path, keys(whole), [Head(last.seq, last.hash)]).ok, "only the checkpoint itself was changed"
    found = verified(path, keys(whole), [Head(1, rows[0][HASH].hex()), Head(2, "0" * 64)])
    assert (found.broken_seq, found.got) == (2, rows[1][HASH].hex())
    assert "rewritten behind entry 1" in found.problem


def test_heads_are_found_in_any_text() -> None:
    hash = "7c1e9a" + 58 * "0"
    text = f"Jan  4 03:20 web1 zen-agents[7]: ledger head 812:{hash} key 0123456789abcdef\n12 {hash}\nx1:{hash}0 {hash}:3"
    assert heads_in(text) == [Head(12, hash), Head(812, hash)]
    assert heads_in("nothing") == []


def test_a_person_and_the_engine_at_its_ends_are_signed_at_once(tmp_path: Path) -> None:
    def acts(store: SqliteStore, clock: ManualClock) -> None:
        for what in ("resume_emergency", "safe_mode", "breaker_reset", "act", "approve"):
            store.append(an_entry(what, kind=EntryKind.HUMAN, at=clock.now()))
        store.append(Entry(EntryKind.ENGINE, "misfire", clock.now(), "engine", body={}))

    rows = rows_of(signed_ledger(tmp_path / "state", acts).path)
    assert [row[ID] for row in rows] == [
        CHECKPOINT, "resume_emergency", CHECKPOINT, "safe_mode", CHECKPOINT, "breaker_reset", CHECKPOINT, "act", CHECKPOINT,
        "approve", CHECKPOINT, "misfire",
    ]  # fmt: skip
