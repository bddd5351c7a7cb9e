"""Entries are chained whoever writes, and found again: by id, by when they were written, by why nothing was done."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from tests.support.signed import SEQ, Forger, rows_of
from tests.support.state import START, an_entry
from zen_agents.adapters.sqlite_store import SqliteStore
from zen_agents.clock import Instant
from zen_agents.errors import StoreError
from zen_agents.model.entry import EntryKind
from zen_agents.model.redaction import MARK, Redaction

#: Reasons of the decisions that are written, one each ten seconds from 100 on; None: the engine acted.
REASONS = ["cooldown", "rate_limit", None, "rate_limit", "mode_observe", "rate_limit", "cooldown"]


def moment(steady: float) -> Instant:
    return Instant(START + timedelta(seconds=steady), steady)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    """A ledger of seven decisions, every second one about an incident, and then of what a person did."""
    store = SqliteStore(tmp_path / "state.db")
    for number, reason in enumerate(REASONS):
        body = {"outcome": "act"} if reason is None else {"outcome": "skip", "reason": reason}
        incident = None if number % 2 else "inc-1"
        store.append(an_entry(f"dec-{number}", at=moment(100.0 + 10 * number), incident=incident, body=body))
    store.append(an_entry("dec-pause", kind=EntryKind.HUMAN, at=moment(170.0), incident="inc-1"))
    store.commit()
    yield store
    store.close()


def test_a_decision_is_found_by_its_id_with_its_place_in_the_chain(store: SqliteStore) -> None:
    before, wanted = store.entries(limit=2)

    found = store.decision("dec-1")
    assert found == wanted
    assert found is not None and (found.seq, found.entry.id, found.prev_hash) == (2, "dec-1", before.hash)
    first = store.decision("dec-0")
    assert first is not None and first.prev_hash == store.entries(limit=1)[0].prev_hash


@pytest.mark.parametrize("id", ["dec-9", "dec-pause", ""])
def test_what_is_no_decision_is_not_found(store: SqliteStore, id: str) -> None:
    assert store.decision(id) is None


@pytest.mark.parametrize(
    ("steady", "last"),
    [(0.0, 0), (100.0, 0), (100.000001, 1), (110.0, 1), (111.0, 2), (135.0, 4), (170.0, 7), (170.000001, 8), (1e6, 8)],
)
def test_the_last_entry_before_a_moment_is_the_last_that_was_written_earlier(
    store: SqliteStore, steady: float, last: int
) -> None:
    assert store.entries_before(steady) == last


def test_an_entry_that_somebody_removed_is_passed_over(store: SqliteStore, tmp_path: Path) -> None:
    forger = Forger(tmp_path / "state.db")
    forger.write([row for row in rows_of(tmp_path / "state.db") if row[SEQ] != 5])
    forger.close()
    assert store.entries_before(155.0) == 6


def test_before_any_moment_of_an_empty_ledger_stands_nothing(tmp_path: Path) -> None:
    empty = SqliteStore(tmp_path / "empty.db")
    assert (empty.entries_before(1e9), empty.skipped(0, 100), empty.decision("dec-1")) == (0, {}, None)
    empty.close()


@pytest.mark.parametrize(
    ("after", "upto", "counts"),
    [
        (0, 8, [("rate_limit", 3), ("cooldown", 2), ("mode_observe", 1)]),
        (1, 6, [("rate_limit", 3), ("mode_observe", 1)]),
        (2, 3, []),
        (4, 4, []),
    ],
)
def test_reasons_are_counted_between_two_entries_the_most_frequent_first(
    store: SqliteStore, after: int, upto: int, counts: list[tuple[str, int]]
) -> None:
    assert list(store.skipped(after, upto).items()) == counts


@pytest.mark.parametrize(
    ("since", "until", "after", "limit", "ids"),
    [
        (0.0, 1000.0, 0, 1000, ["dec-0", "dec-2", "dec-4", "dec-6"]),
        (120.0, 140.0, 0, 1000, ["dec-2", "dec-4"]),
        (120.000001, 159.999999, 0, 1000, ["dec-4"]),
        (0.0, 1000.0, 3, 1000, ["dec-4", "dec-6"]),
        (0.0, 1000.0, 0, 2, ["dec-0", "dec-2"]),
        (200.0, 300.0, 0, 1000, []),
    ],
)
def test_decisions_of_a_time_are_those_about_incidents(
    store: SqliteStore, since: float, until: float, after: int, limit: int, ids: list[str]
) -> None:
    found = store.decisions_between(since, until, after=after, limit=limit)
    assert [each.entry.id for each in found] == ids
    assert list(found) == [each for each in store.entries() if each.entry.id in ids]


def test_a_thousand_of_the_oldest_are_returned_where_nobody_says_how_many(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "many.db")
    for number in range(1001):
        store.append(an_entry(f"dec-{number}", at=moment(float(number)), incident="inc-1"))
    store.commit()
    for found in (store.entries(), store.decisions_between(0.0, 1e6)):
        assert [each.seq for each in found] == list(range(1, 1001))
    store.close()


def test_what_is_to_be_left_out_is_in_no_entry_and_all_else_is(store: SqliteStore) -> None:
    store.redact_with(Redaction(["hunter[0-9]"]))
    written = an_entry("dec-x", at=moment(180.0), incident="inc-1", body={"said": "it is hunter2", "n": 1})
    store.append(written)
    store.commit()

    (found,) = store.entries(since=8)
    assert found.entry == replace(written, body={"said": f"it is {MARK}", "n": 1})


def test_an_entry_follows_what_another_process_wrote_meanwhile(store: SqliteStore, tmp_path: Path) -> None:
    other = SqliteStore(tmp_path / "state.db")
    other.append(an_entry("dec-other", at=moment(180.0)))
    other.commit()
    other.close()

    store.append(an_entry("dec-own", at=moment(190.0)))
    store.commit()

    before, *added = store.entries(since=7)
    assert [(each.seq, each.entry.id) for each in added] == [(9, "dec-other"), (10, "dec-own")]
    assert [each.prev_hash for each in added] == [before.hash, added[0].hash]


def test_an_entry_that_the_state_does_not_take_is_an_error(store: SqliteStore, tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    other = sqlite3.connect(path)
    other.execute("CREATE TRIGGER keeps_quiet BEFORE INSERT ON ledger BEGIN SELECT RAISE(IGNORE); END")
    other.close()
    with pytest.raises(StoreError) as caught:
        store.append(an_entry("dec-new"))
    assert str(caught.value).startswith(f"{path} is damaged (the ledger's numbers do not follow each other). ")
