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
    BODY_HASH,
    COLUMNS,
    HASH,
    ID,
    Forger,
    Row,
    SignedLedger,
    an_engines_day,
    rechained,
    renamed,
    rows_of,
    signed_ledger,
)
from tests.support.signed_edits import ANOTHER_KEY, PLAIN, forged_tail
from tests.support.state import START, an_entry
from zen_agents.adapters.audit_key import PublicKeys
from zen_agents.adapters.ledger_audit import Verification, verify
from zen_agents.adapters.ledger_heads import Head, heads_in
from zen_agents.adapters.sqlite_store import SqliteStore
from zen_agents.adapters.sqlite_store_signing import SIGN_WITHIN
from zen_agents.clock import ManualClock
from zen_agents.model.entry import Entry, EntryKind
from zen_agents.store.checkpoint import CHECKPOINT, MOST_UNSIGNED
from zen_agents.store.ledger import sealed

EDITS = 1000


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


def told(found: Verification) -> tuple[int | None, str, str, str]:
    """Return all that is told of the first entry that does not verify: number, problem, expected, got."""
    assert not found.ok
    return found.broken_seq, found.problem, found.expected, found.got


def signed_indices(rows: list[Row]) -> list[int]:
    return [index for index, row in enumerate(rows) if row[ID] == CHECKPOINT]


def forged(path: Path, rows: list[Row], known: PublicKeys | None) -> Verification:
    """Return what is found once the rows stand in the ledger at `path`."""
    forger = Forger(path)
    forger.write(rows)
    forger.close()
    return verified(path, known)


@pytest.fixture
def copy(whole: SignedLedger, tmp_path: Path) -> Path:
    return Path(shutil.copy(whole.path, tmp_path / "state.db"))


@pytest.mark.parametrize("edit", [*PLAIN, forged_tail])
def test_each_of_a_thousand_random_edits_is_found_with_its_place(
    edit: Callable[[list[Row], Random], int], whole: SignedLedger, copy: Path
) -> None:
    forger, known, kept, original = Forger(copy), keys(whole), heads(whole), rows_of(whole.path)
    for number in range(EDITS // (len(PLAIN) + 1) + 1):
        rows = [list(row) for row in original]
        first = edit(rows, Random(f"{edit.__name__} {number}"))
        forger.write(rows)
        found = verify(copy, keys=known, against=kept)
        which = f"{edit.__name__} {number}: first {first}, {found}"
        assert not found.ok, which
        assert found.broken_seq is not None, which
        if edit is forged_tail:
            # Between the last signature that holds and the first that does not, or is missing.
            assert found.signed_to < first <= found.broken_seq, which
        else:
            assert found.broken_seq == first, which
    forger.write(original)
    assert verified(copy, known, kept).ok
    forger.close()


def test_a_whole_ledger_verifies_with_its_key_and_with_what_was_told(whole: SignedLedger) -> None:
    found = verified(whole.path, keys(whole), heads(whole))
    assert found.ok and found.signatures_checked and found.signed_by == (whole.key.id,)
    rows = rows_of(whole.path)
    assert rows[-1][ID] == CHECKPOINT and found.signed_to == len(rows) - 1
    assert found.checkpoints == len(signed_indices(rows)) == 5
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


@pytest.mark.parametrize("between", [MOST_UNSIGNED, MOST_UNSIGNED + 1, MOST_UNSIGNED + 2])
@pytest.mark.parametrize("goes_on", [False, True], ids=["at the end", "before the next signature"])
def test_no_more_than_two_hundred_entries_stand_unsigned(between: int, goes_on: bool, tmp_path: Path) -> None:
    ledger = signed_ledger(tmp_path / "state", lambda store, clock: store.append(an_entry("dec-1", at=clock.now())))
    first, decision = rows_of(ledger.path)
    rows = [first, *([*decision[:ID], f"dec-{number}", *decision[ID + 1 :]] for number in range(between))]
    if goes_on:
        rows.append(list(first))
    found = forged(ledger.path, rechained(rows, 1, key=ledger.key), keys(ledger))
    if between == MOST_UNSIGNED:
        assert found.ok
    else:
        due = MOST_UNSIGNED + 2
        problem = "no signature stands where one has to, all up to entry 0 are signed"
        assert told(found) == (due, f"Entry {due} does not verify: {problem}.", "", "")


def test_the_first_signature_that_is_missing_is_the_one_that_is_told(whole: SignedLedger, copy: Path) -> None:
    rows = rows_of(whole.path)
    signed = signed_indices(rows)
    # The engine's own key signed all that is left: what a person did stands unsigned, twice.
    for index in signed[2:4]:
        renamed(rows[index])
    due, problem = signed[2] + 1, f"no signature stands where one has to, all up to entry {signed[1]} are signed"
    assert told(forged(copy, rechained(rows, signed[2], key=whole.key), keys(whole))) == (
        due, f"Entry {due} does not verify: {problem}.", "", "",
    )  # fmt: skip


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


def test_checkpoints_survive_retention(whole: SignedLedger, copy: Path) -> None:
    store = SqliteStore(copy)
    assert store.prune(metrics_before=0.0, decisions_before=1e9, actions_before=1e9) > 30
    store.close()
    found = verified(copy, keys(whole), heads(whole))
    assert found.ok and found.dropped_bodies > 30 and found.checkpoints == 5
    rows = rows_of(copy)
    rows[signed_indices(rows)[1]][BODY] = None
    assert "its body is gone, and not by retention" in forged(copy, rows, keys(whole)).problem


def test_a_ledger_that_was_never_signed_verifies_until_somebody_holds_a_key_of_it(
    whole: SignedLedger, tmp_path: Path
) -> None:
    store = SqliteStore(tmp_path / "state.db")
    store.append(an_entry("dec-1"))
    store.commit()
    store.close()
    assert verified(tmp_path / "state.db", None).ok
    problem = "Entry 1 does not verify: nothing is signed, though there is a key."
    assert told(verified(tmp_path / "state.db", keys(whole))) == (1, problem, whole.key.id, "")
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


def test_without_a_key_signatures_are_still_compared_with_what_they_are_over(whole: SignedLedger, copy: Path) -> None:
    assert not verified(copy, None).signatures_checked
    rows = rows_of(copy)
    renamed(rows[10])
    changed = next(index for index in signed_indices(rows) if index > 10)
    signed_hash = rows[changed - 1][HASH].hex()
    found = forged(copy, rechained(rows, 10), None)
    problem = f"Entry {changed + 1} does not verify: what was signed is not what stands before it, behind entry 2."
    assert told(found) == (changed + 1, problem, signed_hash, rows[changed - 1][HASH].hex())
    # Whoever signs it anew with a key of their own is found by those who hold the host's.
    assert forged(copy, rechained(rows, 0, key=ANOTHER_KEY), None).ok
    problem = "Entry 1 does not verify: it is signed by another key; all up to entry 0 are signed by one that counts."
    assert told(verified(copy, keys(whole))) == (1, problem, whole.key.id, ANOTHER_KEY.id)


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("[]", "list indices must be integers or slices, not str"),
        ("{}", "'seq'"),
        ('{"seq":"1","hash":"","key":"","signature":""}', "a checkpoint's values are of another type"),
        ("[" * 30_000, "maximum recursion depth exceeded"),
    ],
)
def test_an_entry_that_only_says_it_is_a_checkpoint_is_found(body: str, why: str, whole: SignedLedger, copy: Path) -> None:
    rows = rows_of(copy)
    index = signed_indices(rows)[1]
    rows[index][BODY], rows[index][BODY_HASH] = body, hashlib.sha256(body.encode()).digest()
    seq, problem, *_ = told(forged(copy, rechained(rows, index), keys(whole)))
    assert seq == index + 1
    assert problem.startswith(f"Entry {seq} does not verify: it is no checkpoint: {why}")


def test_a_checkpoint_without_its_body_is_found(whole: SignedLedger, copy: Path) -> None:
    rows = rows_of(copy)
    index = signed_indices(rows)[1]
    rows[index][BODY] = None
    problem = f"Entry {index + 1} does not verify: its body is gone, and not by retention."
    assert told(forged(copy, rechained(rows, index), keys(whole))) == (index + 1, problem, "", "")


def test_a_signature_of_another_checkpoint_is_forged(whole: SignedLedger, copy: Path) -> None:
    rows = rows_of(copy)
    earlier, later = signed_indices(rows)[1:3]
    body = json.loads(rows[later][BODY]) | {"signature": json.loads(rows[earlier][BODY])["signature"]}
    rows[later][BODY], rows[later][BODY_HASH] = sealed(body)
    problem = f"Entry {later + 1} does not verify: its signature is forged; all up to entry {earlier} are signed."
    assert told(forged(copy, rechained(rows, later), keys(whole))) == (later + 1, problem, "", "")


def test_a_checkpoint_that_is_repeated_signs_nothing(whole: SignedLedger, copy: Path) -> None:
    rows = rows_of(copy)
    earlier, later = signed_indices(rows)[1:3]
    rows[later][BODY], rows[later][BODY_HASH] = rows[earlier][BODY], rows[earlier][BODY_HASH]
    problem = f"what was signed is not what stands before it, behind entry {earlier}"
    assert told(forged(copy, rechained(rows, later), keys(whole))) == (
        later + 1, f"Entry {later + 1} does not verify: {problem}.", f"entry {later}", f"entry {earlier}",
    )  # fmt: skip


def test_a_cut_end_shows_by_the_head_that_was_kept_elsewhere(whole: SignedLedger, copy: Path) -> None:
    rows = rows_of(copy)
    signed = signed_indices(rows)
    assert forged(copy, rows[: signed[2] + 1], keys(whole)).ok, "a tail cut behind a signature leaves a ledger that verifies"
    found = verified(copy, keys(whole), heads(whole))
    last = whole.told[-1]
    assert (found.broken_seq, found.expected) == (signed[2] + 2, next(one.hash for one in whole.told if one.seq > signed[2]))
    assert "the ledger's end was cut off" in found.problem
    rows[-1][COLUMNS.index("actor")] = "nobody"
    forged(copy, rechained(rows, len(rows) - 1), keys(whole))
    assert verified(copy, keys(whole), [Head(last.seq, last.hash)]).ok, "only the checkpoint itself was changed"
    found = verified(copy, keys(whole), [Head(1, rows[0][HASH].hex()), Head(2, "0" * 64)])
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
