"""Nobody changes, removes, adds or reorders an entry without `verify` naming the first one."""

from __future__ import annotations

import csv
import hashlib
import json
import os
import shutil
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, given, settings

from tests.support.state import START, an_entry, an_intent, an_outcome
from zen_agents.adapters import ledger_audit
from zen_agents.adapters.ledger_audit import Verification, export, verify
from zen_agents.adapters.ledger_walk import Known, Walk
from zen_agents.adapters.sqlite_store import SqliteStore
from zen_agents.adapters.sqlite_store_file import open_read_only
from zen_agents.clock import Instant, ManualClock
from zen_agents.errors import StoreError
from zen_agents.model.action import OutcomeKind
from zen_agents.model.entry import EntryKind
from zen_agents.store.ledger import GENESIS, entry_hash

COLUMNS = ("kind", "id", "wall_us", "steady_us", "actor", "incident", "action", "body", "body_hash", "hash")
COUNT = 20


def verified(path: Path) -> Verification:
    """Return what one process finds, which is what several find that share the way."""
    alone = verify(path)
    assert verify(path, leg=3) == alone
    return alone


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ledger of 20 entries: decisions, an act and its outcome, a human act."""
    path = tmp_path_factory.mktemp("ledger") / "state.db"
    clock = ManualClock(START, 100.0)
    store = SqliteStore(path)
    for number in range(COUNT - 5):
        incident = "inc-1" if number % 2 else None
        store.append(an_entry(f"dec-{number}", at=clock.advance(60.0), incident=incident, body={"n": number, "ü": "é"}))
    store.reserve(an_intent("act-1", clock.now()), hourly_limit=5)
    store.finish(an_outcome("act-1", OutcomeKind.VERIFYING, clock.now()))
    store.finish(an_outcome("act-1", OutcomeKind.VERIFIED, clock.now()))
    store.append(an_entry("pause", kind=EntryKind.HUMAN, at=clock.now()))
    store.reserve(an_intent("act-2", clock.now()), hourly_limit=5)
    store.close()
    return path


@pytest.fixture
def copy(whole: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(whole, tmp_path / "state.db"))


def forge(path: Path, *statements: tuple[str, tuple[Any, ...]]) -> None:
    """Change the ledger as somebody with root and sqlite3 would."""
    connection = sqlite3.connect(path)
    connection.execute("DROP TRIGGER ledger_keeps_entries")
    connection.execute("DROP TRIGGER ledger_drops_only_bodies")
    for sql, params in statements:
        connection.execute(sql, params)
    connection.commit()
    connection.close()


def test_an_untouched_ledger_verifies(whole: Path) -> None:
    store = SqliteStore.open_read_only(whole)
    head = store.head()
    store.close()
    found = verified(whole)
    assert found.ok and found.entries == COUNT and (found.entries, found.head) == head
    assert found.first_at is not None and found.first_at.wall == START + timedelta(seconds=60)
    assert found.last_at is not None and found.last_at.steady == 1000.0
    assert found.unpaired_intents == ("act-2",) and found.unpaired_outcomes == ()
    assert found.dropped_bodies == 0 and found.broken_seq is None


def test_an_empty_ledger_verifies(tmp_path: Path) -> None:
    SqliteStore(tmp_path / "state.db").close()
    assert verified(tmp_path / "state.db") == Verification(True, 0, None, None, GENESIS.hex())


def changed(value: Any, data: st.DataObject) -> Any:
    """Return the value with one byte of it, or all of it, other than it was."""
    if value is None:
        return data.draw(st.text())
    if data.draw(st.booleans()) and not isinstance(value, bytes):
        return data.draw(
            st.one_of(st.none(), st.text(), st.integers(-(2**62), 2**62), st.binary()).filter(lambda new: new != value)
        )
    if isinstance(value, int):
        return value ^ (1 << data.draw(st.integers(0, 40)))
    raw = bytearray(value.encode() if isinstance(value, str) else value)
    place = data.draw(st.integers(0, len(raw) - 1))
    raw[place] ^= data.draw(st.integers(1, 255))
    return bytes(raw)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_changed_byte_of_any_entry_is_found(
    data: st.DataObject, whole: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    copy = Path(shutil.copy(whole, tmp_path_factory.mktemp("forged") / "state.db"))
    seq, column = data.draw(st.integers(1, COUNT)), data.draw(st.sampled_from(COLUMNS))
    connection = sqlite3.connect(copy)
    ((old,),) = connection.execute(f"SELECT {column} FROM ledger WHERE seq = ?", (seq,)).fetchall()
    connection.close()
    new = changed(old, data)
    # What was text is written as text again, also where it is no UTF-8 any more.
    cast = "CAST(? AS TEXT)" if isinstance(old, str) and isinstance(new, bytes) else "?"
    try:
        forge(copy, (f"UPDATE ledger SET {column} = {cast} WHERE seq = ?", (new, seq)))
    except sqlite3.IntegrityError:
        return  # the schema itself refuses it
    connection = sqlite3.connect(copy)
    connection.text_factory = bytes
    ((kept,),) = connection.execute(f"SELECT {column} FROM ledger WHERE seq = ?", (seq,)).fetchall()
    connection.close()
    # Each takes processes of its own to share the way: some of the examples are enough for that.
    found = verified(copy) if data.draw(st.integers(0, 4)) == 0 else verify(copy)
    if kept == (old.encode() if isinstance(old, str) else old):
        assert found.ok  # the column's affinity made the same value of it
    else:
        assert not found.ok and found.broken_seq == seq
        assert found.problem.startswith(f"Entry {seq} does not verify")


@pytest.mark.parametrize("seq", [1, 7, COUNT - 1])
def test_a_removed_entry_is_found(seq: int, copy: Path) -> None:
    forge(copy, ("DELETE FROM ledger WHERE seq = ?", (seq,)))
    found = verified(copy)
    assert (found.ok, found.broken_seq, found.entries) == (False, seq, seq - 1)
    assert found.problem == f"Entry {seq} does not verify: an entry is missing."
    assert (found.expected, found.got) == (f"entry {seq}", f"entry {seq + 1}")


def test_a_removed_entry_is_found_also_when_the_rest_is_renumbered(copy: Path) -> None:
    forge(
        copy,
        ("DELETE FROM ledger WHERE seq = 7", ()),
        ("UPDATE ledger SET seq = -seq WHERE seq > 7", ()),
        ("UPDATE ledger SET seq = -seq - 1 WHERE seq < 0", ()),
    )
    assert verified(copy).broken_seq == 7


@pytest.mark.parametrize("seq", [0, -5, -(2**63)])
def test_an_entry_laid_before_the_first_is_found(seq: int, copy: Path) -> None:
    forge(copy, ("INSERT INTO ledger SELECT ?, " + ", ".join(COLUMNS) + " FROM ledger WHERE seq = 1", (seq,)))
    assert verified(copy).broken_seq == 1


def test_two_exchanged_entries_are_found(copy: Path) -> None:
    forge(copy, *((f"UPDATE ledger SET seq = {new} WHERE seq = {old}", ()) for old, new in ((3, 99), (4, 3), (99, 4))))
    assert verified(copy).broken_seq == 3


def test_an_end_that_was_cut_off_is_found_by_the_actions_it_held(copy: Path) -> None:
    forge(copy, ("DELETE FROM ledger WHERE seq >= ?", (COUNT - 4,)))
    found = verified(copy)
    assert not found.ok and found.broken_seq is None and found.unrecorded_actions == ("act-1", "act-2")
    assert found.problem == "2 actions have no entry, the first is act-1: the ledger's end was cut off."


@pytest.mark.parametrize("seq", [1, 5])
def test_a_body_removed_by_hand_is_no_retention(copy: Path, seq: int) -> None:
    forge(copy, ("UPDATE ledger SET body = NULL WHERE seq = ?", (seq,)))
    found = verified(copy)
    assert (found.ok, found.broken_seq) == (False, seq)
    assert found.problem == f"Entry {seq} does not verify: its body is gone, and not by retention."
    assert (found.expected, found.got, found.dropped_bodies) == ("", "", 0)


def test_a_body_removed_behind_what_retention_dropped_is_found(tmp_path: Path) -> None:
    clock, path = ManualClock(START, 0.0), tmp_path / "state.db"
    store = SqliteStore(path)
    for number in range(6):
        store.append(an_entry(f"dec-{number}", at=clock.advance(10.0)))
        store.append(an_entry("pause", kind=EntryKind.HUMAN, at=clock.now()))
    # Decisions 1, 3 and 5 go; of human acts none.
    store.prune(metrics_before=0.0, decisions_before=35.0, actions_before=0.0)
    store.close()
    assert (verified(path).ok, verified(path).dropped_bodies) == (True, 3)
    assert [json.loads(line)["body"] is None for line in export(path)].count(True) == 3
    for seq in (2, 7):
        other = Path(shutil.copy(path, tmp_path / f"{seq}.db"))
        forge(other, (f"UPDATE ledger SET body = NULL WHERE seq = {seq}", ()))
        assert verified(other).broken_seq == seq


@pytest.fixture
def pruned_twice(tmp_path: Path) -> Path:
    """A ledger of decisions 1 to 6, of which 1 to 3 and then 4 lost their bodies; entries 7 and 8 say so."""
    clock, path = ManualClock(START, 0.0), tmp_path / "pruned.db"
    store = SqliteStore(path)
    for number in range(6):
        store.append(an_entry(f"dec-{number}", at=clock.advance(10.0)))
    for before in (35.0, 45.0):
        store.prune(metrics_before=0.0, decisions_before=before, actions_before=0.0)
    store.close()
    assert (verified(path).ok, verified(path).entries, verified(path).dropped_bodies) == (True, 8, 4)
    return path


@pytest.mark.parametrize("body", ["[", "[]", "{}", '{"decisions_to_seq":"x"}'])
def test_a_changed_word_of_retention_is_what_is_found_while_a_later_one_covers_it(pruned_twice: Path, body: str) -> None:
    forge(pruned_twice, ("UPDATE ledger SET body = ? WHERE seq = 7", (body,)))
    assert verified(pruned_twice).problem == "Entry 7 does not verify: its body was changed."


def test_without_the_last_word_of_retention_only_what_it_dropped_is_missing(pruned_twice: Path) -> None:
    forge(pruned_twice, ("UPDATE ledger SET body = '{}' WHERE seq = 8", ()))
    assert verified(pruned_twice).problem == "Entry 4 does not verify: its body is gone, and not by retention."


def test_an_outcome_without_an_intent_is_told(tmp_path: Path) -> None:
    clock = ManualClock(START, 1.0)
    store = SqliteStore(tmp_path / "state.db")
    store.reserve(an_intent("act-1", clock.now()), hourly_limit=5)
    store.finish(an_outcome("act-1", OutcomeKind.VERIFIED, clock.now()))
    store.finish(an_outcome("act-1", OutcomeKind.UNDONE, clock.now()))
    store.finish(an_outcome("act-1", OutcomeKind.FAILED, clock.now()))
    store.reserve(an_intent("act-2", clock.now()), hourly_limit=5)
    store.finish(an_outcome("act-2", OutcomeKind.VERIFIED, clock.now()))
    store.finish(an_outcome("act-2", OutcomeKind.UNDONE, clock.now()))
    store.close()
    found = verified(tmp_path / "state.db")
    assert found.ok and found.unpaired_intents == () and found.unpaired_outcomes == ("act-1",)


def test_the_triggers_refuse_accidents(copy: Path) -> None:
    connection = sqlite3.connect(copy)
    for sql in ("DELETE FROM ledger WHERE seq = 1", "UPDATE ledger SET actor = 'x'", "UPDATE ledger SET body = '{}'"):
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            connection.execute(sql)
    connection.close()


def test_verify_while_the_engine_writes(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "state.db")
    for number in range(5):
        store.append(an_entry(f"dec-{number}"))
        assert verified(tmp_path / "state.db").entries == number
        store.commit()
    store.close()


def test_verify_without_a_state(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="There is no state"):
        verified(tmp_path / "state.db")


def test_export_as_json_lines(whole: Path) -> None:
    lines = [json.loads(line) for line in export(whole)]
    assert [line["seq"] for line in lines] == list(range(1, COUNT + 1))
    assert lines[0]["body"] == {"n": 0, "ü": "é"} and lines[0]["at"] == "2026-01-04T03:21:00+00:00"
    assert lines[-1]["hash"] == verified(whole).head
    assert lines[COUNT - 5]["body"]["steps"] == ['["systemctl", "restart", "web.service"]']


def test_export_since(whole: Path) -> None:
    since = datetime(2026, 1, 4, 3, 30, tzinfo=UTC)
    lines = list(export(whole, since=since))
    assert 0 < len(lines) < COUNT and all(datetime.fromisoformat(json.loads(line)["at"]) >= since for line in lines)


@pytest.mark.parametrize("wall", [datetime(1970, 1, 1, tzinfo=UTC), datetime(1969, 12, 31, 23, tzinfo=UTC)])
def test_an_export_holds_what_a_host_wrote_that_did_not_know_the_time(tmp_path: Path, wall: datetime) -> None:
    store = SqliteStore(tmp_path / "state.db")
    store.append(an_entry("dec-1", at=Instant(wall, 1.0)))
    store.append(an_entry("dec-2"))
    store.commit()
    store.close()
    assert [json.loads(line)["id"] for line in export(tmp_path / "state.db")] == ["dec-1", "dec-2"]
    late = export(tmp_path / "state.db", since=datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC))
    assert [json.loads(line)["id"] for line in late] == ["dec-2"]


def test_a_state_with_another_ledger_is_told_by_its_path(copy: Path) -> None:
    forge(copy, ("ALTER TABLE ledger RENAME COLUMN steady_us TO other", ()))
    with pytest.raises(StoreError, match=r"/state\.db: no such column: steady_us\. "):
        list(export(copy))
    with pytest.raises(StoreError, match=r"/state\.db: no such column: steady_us\. "):
        verify(copy)


def test_export_as_csv(whole: Path) -> None:
    rows = list(csv.DictReader(export(whole, format="csv")))
    assert len(rows) == COUNT and rows[0]["kind"] == "decision" and json.loads(rows[0]["body"])["n"] == 0
    assert list(rows[0]) == ["at", "seq", *COLUMNS]
    assert rows[0]["at"] == "2026-01-04T03:21:00+00:00"
    assert rows[0]["body_hash"] == hashlib.sha256(rows[0]["body"].encode()).hexdigest()
    assert rows[-1]["hash"] == verified(whole).head


def test_a_broken_ledger_is_let_go_of_once_it_is_told(copy: Path) -> None:
    forge(copy, ("UPDATE ledger SET id = 'dec-x' WHERE seq = 3", ()))
    told = verified(copy)
    assert told.broken_seq == 3
    other = sqlite3.connect(copy, timeout=0, isolation_level=None)
    # Fails while anybody still reads.
    assert other.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0
    other.close()


@pytest.mark.parametrize(
    ("column", "value"), [("body", "["), ("body", "[" * 30_000), ("hash", "text"), ("body_hash", 5), ("wall_us", 2**63 - 1)]
)
def test_an_entry_that_nobody_wrote_is_told_and_exported_as_damaged(copy: Path, column: str, value: object) -> None:
    forge(copy, (f"UPDATE ledger SET {column} = ? WHERE seq = 3", (value,)))
    assert verified(copy).broken_seq == 3
    with pytest.raises(StoreError, match=r"is damaged \(an entry of the ledger cannot be read: [^N]"):
        list(export(copy))


def rechain(path: Path) -> None:
    """Make every hash right again, as somebody would who knows how the chain is made."""
    connection, head = sqlite3.connect(path), GENESIS
    header = "seq, kind, id, wall_us, steady_us, actor, incident, action, body_hash"
    for row in connection.execute(f"SELECT {header} FROM ledger ORDER BY seq").fetchall():
        head = entry_hash(head, *row)
        connection.execute("UPDATE ledger SET hash = ? WHERE seq = ?", (head, row[0]))
    connection.commit()
    connection.close()


def test_a_deeply_nested_outcome_whose_hashes_are_right_is_no_crash(copy: Path) -> None:
    body = "[" * 30_000
    forge(copy, ("UPDATE ledger SET body = ?, body_hash = ? WHERE seq = 17", (body, hashlib.sha256(body.encode()).digest())))
    rechain(copy)
    told = verified(copy)
    assert told.broken_seq == 17
    assert "cannot be read" in told.problem


def test_an_export_of_a_file_with_damaged_pages_says_which(copy: Path) -> None:
    content = bytearray(copy.read_bytes())
    content[-4096 * 3 :] = b"\xff" * 4096 * 3
    copy.write_bytes(content)
    with pytest.raises(StoreError, match=r"state\.db"):
        list(export(copy))


def test_what_was_changed_is_told_with_both_hashes(copy: Path) -> None:
    first, second, third = [json.loads(line) for line in export(copy)][:3]
    forge(copy, ("UPDATE ledger SET body = '{}' WHERE seq = 3", ()))
    found = verified(copy)
    assert found.problem == "Entry 3 does not verify: its body was changed."
    assert (found.expected, found.got) == (third["body_hash"], hashlib.sha256(b"{}").hexdigest())
    forge_again = Path(shutil.copy(copy, copy.with_name("other.db")))
    connection = sqlite3.connect(forge_again)
    connection.execute("UPDATE ledger SET actor = 'nobody' WHERE seq = 2")
    ((stored,),) = connection.execute("SELECT hash FROM ledger WHERE seq = 2").fetchall()
    connection.commit()
    connection.close()
    found = verified(forge_again)
    assert found.problem == "Entry 2 does not verify: it, or the one before, was changed."
    header = (second[name] for name in ("wall_us", "steady_us"))
    due = entry_hash(
        bytes.fromhex(first["hash"]), 2, second["kind"], second["id"], *header, "nobody", second["incident"],
        second["action"], bytes.fromhex(second["body_hash"]),
    )  # fmt: skip
    assert (found.expected, found.got) == (due.hex(), stored.hex())


def test_a_long_ledger_is_walked_in_as_many_legs_as_there_are_processors_and_not_once_more(
    whole: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[dict[str, int], list[int]]] = []

    def in_legs(path: Path, known: Known, ends: list[int]) -> Walk:
        asked.append((dict(known.dropped_to), ends))
        walk, file = Walk(known), open_read_only(path)
        walked(walk, file)
        file.close()
        return walk

    walked = Walk.along
    monkeypatch.setattr(ledger_audit, "walk_in_legs", in_legs)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1})
    monkeypatch.setattr(Walk, "along", lambda *_: pytest.fail("it was walked once more"))
    entries = verify(whole, leg=2).entries
    ((dropped_to, ends),) = asked
    assert ends == [0, entries // 2, entries]
    assert set(dropped_to.values()) <= set(range(entries + 1))
