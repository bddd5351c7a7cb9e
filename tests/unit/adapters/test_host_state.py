"""A state belongs to its host (R34): from another machine, gone back in time, or lost, it is only observed on."""

import os
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.state import an_entry
from zen_agents.adapters.host_state import accept, keep_head, why_foreign
from zen_agents.adapters.sqlite_store import SqliteStore


def opened(path: Path, entries: int = 0) -> SqliteStore:
    store = SqliteStore(path / "state.db")
    for number in range(entries):
        store.append(an_entry(f"dec-{number:06}"))
    store.commit()
    return store


def test_a_new_state_is_this_hosts_own(tmp_path: Path) -> None:
    store = opened(tmp_path)
    assert why_foreign(store, tmp_path, "here") == ""
    accept(store, tmp_path, "here", host_state=tmp_path / "none" / "host-state")
    store.commit()
    assert why_foreign(store, tmp_path, "here") == ""


def test_a_state_of_another_machine_is_foreign_until_it_is_accepted(tmp_path: Path) -> None:
    store = opened(tmp_path)
    accept(store, tmp_path, "there")
    assert "another machine" in why_foreign(store, tmp_path, "here")
    accept(store, tmp_path, "here")
    assert why_foreign(store, tmp_path, "here") == ""


def test_a_restored_copy_is_foreign(tmp_path: Path) -> None:
    store = opened(tmp_path, entries=3)
    accept(store, tmp_path, "here")
    store.commit()
    store.close()
    shutil.copy(tmp_path / "state.db", tmp_path / "copy")
    store = opened(tmp_path, entries=4)
    keep_head(store, tmp_path)
    store.close()
    shutil.copy(tmp_path / "copy", tmp_path / "state.db")
    for rest in ("-wal", "-shm"):
        (tmp_path / f"state.db{rest}").unlink(missing_ok=True)
    assert "a copy was restored" in why_foreign(opened(tmp_path), tmp_path, "here")


@settings(max_examples=20)
@given(st.integers(1, 4), st.integers(0, 4), st.sampled_from(["here", "there"]), st.booleans())
def test_whatever_went_on_since_only_the_newest_state_of_this_machine_is_its_own(
    before: int, since: int, machine: str, goes_back: bool
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder)
        store = opened(path, entries=before)
        accept(store, path, machine)
        store.close()
        shutil.copy(path / "state.db", path / "copy")
        store = opened(path)
        for number in range(since):
            store.append(an_entry(f"dec-since-{number}"))
        store.commit()
        keep_head(store, path)
        store.close()
        if goes_back:
            shutil.copy(path / "copy", path / "state.db")
            for rest in ("-wal", "-shm"):
                (path / f"state.db{rest}").unlink(missing_ok=True)
        found = opened(path)
        assert bool(why_foreign(found, path, "here")) == (machine != "here" or (goes_back and since > 0))
        found.close()


def test_a_ledger_that_was_rewritten_and_is_no_shorter_is_foreign(tmp_path: Path) -> None:
    store = opened(tmp_path, entries=3)
    accept(store, tmp_path, "here", host_state=tmp_path / "none" / "host-state")
    store.close()
    (tmp_path / "state.db").unlink()
    other = opened(tmp_path, entries=2)
    other.append(an_entry("dec-another"))
    other.append(an_entry("dec-more"))
    other.put("machine_id", "here")
    other.commit()
    assert "rewritten" in why_foreign(other, tmp_path, "here")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root keeps a record of a host's state")
def test_a_store_that_was_there_and_is_new_is_foreign(tmp_path: Path) -> None:
    record = tmp_path / "host-state"
    record.write_text(f"{tmp_path}\n", encoding="utf-8")
    assert "is new" in why_foreign(opened(tmp_path), tmp_path, "here", host_state=record)
    assert why_foreign(opened(tmp_path), tmp_path / "elsewhere", "here", host_state=record) == ""


def test_what_is_accepted_with_a_batch_that_a_crash_loses_is_still_this_hosts_own(tmp_path: Path) -> None:
    store = opened(tmp_path, entries=1)
    store.append(an_entry("dec-000002"))
    accept(store, tmp_path, "here", host_state=tmp_path / "none" / "host-state")
    store.append(an_entry("dec-000003"))
    # Closing drops what was not committed, as a crash does.
    store.close()
    assert why_foreign(opened(tmp_path), tmp_path, "here") == ""


def test_a_head_that_cannot_be_read_says_nothing_in_the_states_favour(tmp_path: Path) -> None:
    store = opened(tmp_path, entries=1)
    accept(store, tmp_path, "here", host_state=tmp_path / "none" / "host-state")
    (tmp_path / "ledger.head").write_bytes(b"")
    assert "cannot be read" in why_foreign(store, tmp_path, "here")
