"""A ledger that is walked in legs: they find what one walk finds, and whatever is odd about one is left to the one walk."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import BrokenExecutor
from multiprocessing import get_context
from multiprocessing.context import BaseContext
from pathlib import Path
from typing import Any, ClassVar

import pytest

from tests.support.signed import Forger, SignedLedger, an_engines_day, rows_of, signed_ledger
from zen_agents.adapters import ledger_walk
from zen_agents.adapters.audit_key import PublicKeys
from zen_agents.adapters.ledger_walk import Known, Walk, walk_in_legs
from zen_agents.adapters.sqlite_store_file import open_read_only


class OneAfterAnother:
    """Walks the legs in this process, where what they do is seen."""

    #: How many processes were asked for, each time.
    asked: ClassVar[list[int]] = []

    def __init__(self, most: int, *, mp_context: BaseContext) -> None:
        assert mp_context is get_context("fork"), "what a leg needs is in memory already"
        self.asked.append(most)

    def __enter__(self) -> OneAfterAnother:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def map(self, walk: Callable[..., Walk | None], *ends: Sequence[int]) -> Iterator[Walk | None]:
        return map(walk, *ends)


@pytest.fixture(params=["processes", "here"])
def legs(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "here":
        monkeypatch.setattr(ledger_walk, "ProcessPoolExecutor", OneAfterAnother)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> SignedLedger:
    return signed_ledger(tmp_path_factory.mktemp("signed") / "state", an_engines_day)


def known(ledger: SignedLedger) -> Known:
    return Known(keys=PublicKeys.read(ledger.folder / "audit.pub"))


def alone(ledger: SignedLedger) -> Walk:
    walk, file = Walk(known(ledger)), open_read_only(ledger.path)
    walk.along(file)
    file.close()
    return walk


def found(walk: Walk) -> dict[str, Any]:
    """Return all that a walk tells."""
    signed = walk.signatures
    told = {"signed": (signed.upto, signed.count, signed.by), "open": walk.open, "alone": walk.alone}
    return told | {name: getattr(walk, name) for name in ("count", "head", "dropped", "first", "last")}


@pytest.mark.usefixtures("legs")
def test_legs_find_what_one_walk_finds(whole: SignedLedger) -> None:
    count = len(rows_of(whole.path))
    for inner in ((), (1,), (9,), (10, 11, 12, 30), (count - 1,)):
        walk = walk_in_legs(whole.path, known(whole), [0, *inner, count])
        assert walk is not None, inner
        assert found(walk) == found(alone(whole))


def test_each_leg_has_a_process_of_its_own(whole: SignedLedger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger_walk, "ProcessPoolExecutor", OneAfterAnother)
    OneAfterAnother.asked.clear()
    walk_in_legs(whole.path, known(whole), [0, 10, 20, 40])
    assert OneAfterAnother.asked == [3]


@pytest.mark.usefixtures("legs")
def test_a_leg_that_does_not_reach_its_end_is_left_to_one_walk(whole: SignedLedger) -> None:
    count = len(rows_of(whole.path))
    assert walk_in_legs(whole.path, known(whole), [0, 20, count + 1]) is None
    assert walk_in_legs(whole.path, known(whole), [1, 20, count]) is None, "it does not begin with the first entry"


@pytest.mark.usefixtures("legs")
@pytest.mark.parametrize("seq", [1, 10, 20, 21, 40])
def test_a_broken_leg_is_left_to_one_walk(seq: int, whole: SignedLedger, tmp_path: Path) -> None:
    path = Path(shutil.copy(whole.path, tmp_path / "state.db"))
    Forger(path).close()
    connection = sqlite3.connect(path)
    connection.execute("UPDATE ledger SET actor = 'mallory' WHERE seq = ?", (seq,))
    connection.commit()
    connection.close()
    assert walk_in_legs(path, known(whole), [0, 20, 40]) is None


@pytest.mark.usefixtures("legs")
def test_legs_of_a_state_that_is_gone_are_left_to_one_walk(whole: SignedLedger, tmp_path: Path) -> None:
    assert walk_in_legs(tmp_path / "gone.db", known(whole), [0, 20, 40]) is None


@pytest.mark.parametrize("error", [OSError("no process can be had"), BrokenExecutor("one was killed")])
def test_without_processes_it_is_left_to_one_walk(
    error: Exception, whole: SignedLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(ledger_walk, "ProcessPoolExecutor", refuse)
    assert walk_in_legs(whole.path, known(whole), [0, 20, 40]) is None
