"""What is signed at the end of the ledger, when, and who is told of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import Arm
from tests.support.signed import SignedLedger, rows_of, signed_ledger
from tests.support.state import START, an_entry
from zen_agents.adapters.audit_key import AuditKey
from zen_agents.adapters.sqlite_store import SqliteStore
from zen_agents.adapters.sqlite_store_signing import SIGN_WITHIN
from zen_agents.clock import ManualClock
from zen_agents.errors import StoreError
from zen_agents.model.entry import EntryKind
from zen_agents.store.checkpoint import CHECKPOINT


def test_a_commit_without_a_checkpoint_tells_nobody(tmp_path: Path) -> None:
    ledger = signed_ledger(tmp_path / "state", lambda store, clock: None)
    told = len(ledger.told)
    store = ledger.opened(ManualClock(START, 200.0))
    store.append(an_entry("dec-1"))
    store.commit()
    assert len(ledger.told) == told
    store.close()


def test_what_was_rolled_back_is_forgotten_and_what_comes_then_is_signed_as_always(tmp_path: Path) -> None:
    ledger = signed_ledger(tmp_path / "state", lambda store, clock: None)
    told = len(ledger.told)
    store = ledger.opened(ManualClock(START, 200.0))
    store.append(an_entry("pause", kind=EntryKind.HUMAN))
    store._file.rollback()
    store.append(an_entry("dec-1"))
    store.commit()
    assert len(ledger.told) == told, "what it signed is gone"
    store.append(an_entry("pause", kind=EntryKind.HUMAN))
    store.commit()
    assert [checkpoint.seq for checkpoint in ledger.told[told:]] == [3]
    store.close()


def test_a_beginning_that_does_not_last_is_an_error_and_tells_nobody(tmp_path: Path, arm: Arm) -> None:
    SqliteStore(tmp_path / "state.db").close()
    ledger = SignedLedger(tmp_path, AuditKey.of(tmp_path))
    arm("store.batch.before_commit:eio")
    with pytest.raises(StoreError, match="Input/output error"):
        ledger.opened(ManualClock(START, 200.0))
    assert (ledger.told, rows_of(ledger.path)) == ([], [])


def test_it_is_the_engine_that_signs(tmp_path: Path) -> None:
    ledger = signed_ledger(tmp_path / "state", lambda store, clock: None)
    (row,) = rows_of(ledger.path)
    assert row[1:3] == [EntryKind.ENGINE.value, CHECKPOINT]
    assert row[5] == "engine"


def test_what_waits_is_signed_to_the_second_however_long_the_engine_has_run(tmp_path: Path) -> None:
    ledger = signed_ledger(tmp_path / "state", lambda store, clock: None)
    clock = ManualClock(START, 1e7)
    store = ledger.opened(clock)
    store.append(an_entry("dec-1", at=clock.now()))
    store.sign_waiting(clock.advance(SIGN_WITHIN - 1))
    assert store.head()[0] == 2
    store.close()


def test_an_older_ledger_of_a_single_entry_is_signed_at_once(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    folder.mkdir(mode=0o700)
    store = SqliteStore(folder / "state.db")
    store.append(an_entry("dec-1"))
    store.commit()
    store.close()
    ledger = SignedLedger(folder, AuditKey.of(folder))
    store = ledger.opened(ManualClock(START, 200.0))
    store.commit()
    assert [checkpoint.seq for checkpoint in ledger.told] == [1]
    store.close()
