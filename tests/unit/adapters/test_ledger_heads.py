"""Heads that were kept elsewhere, compared with a ledger that never was signed: nothing else tells of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.state import an_entry
from zen_agents.adapters.ledger_audit import Verification, verify
from zen_agents.adapters.ledger_heads import Head
from zen_agents.adapters.sqlite_store import SqliteStore


@pytest.fixture
def ledger(tmp_path: Path) -> tuple[Path, list[Head]]:
    """Return a ledger of three entries, and its heads."""
    store, heads = SqliteStore(tmp_path / "state.db"), []
    for number in range(3):
        store.append(an_entry(f"dec-{number}"))
        heads.append(Head(*store.head()))
    store.commit()
    store.close()
    return tmp_path / "state.db", heads


def compared(path: Path, *against: Head) -> Verification:
    return verify(path, against=against)


def test_the_last_entry_is_no_cut_off_end(ledger: tuple[Path, list[Head]]) -> None:
    path, heads = ledger
    assert compared(path, heads[-1]).ok
    assert compared(path, *heads).ok


def test_an_entry_that_is_another_one_is_named_with_both_hashes(ledger: tuple[Path, list[Head]]) -> None:
    path, heads = ledger
    kept = Head(2, "ab" * 32)
    found = compared(path, kept)
    assert (found.broken_seq, found.expected, found.got) == (2, kept.hash, heads[1].hash)
    assert found.problem.endswith("it is not the one that was kept elsewhere; the ledger was rewritten behind entry 0.")
    assert "behind entry 1" in compared(path, heads[0], kept).problem


def test_an_end_that_is_gone_is_named_by_the_first_entry_that_is(ledger: tuple[Path, list[Head]]) -> None:
    path, heads = ledger
    kept = Head(5, "cd" * 32)
    found = compared(path, heads[0], kept)
    assert (found.broken_seq, found.expected) == (4, kept.hash)
    assert "it once went to entry 5" in found.problem
