"""Removing the oldest files of a tree, on real files."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from tests.support.changing import changing
from zen_agents.actions.oldest_first import Removal, remove_oldest
from zen_agents.adapters.linux_view_files import file_state
from zen_agents.adapters.safe_files import OpenDirectory
from zen_agents.ports.host_files import FileState


def tree(top: Path, *paths: str) -> tuple[FileState, ...]:
    """Make these files and return what is seen of them, in this order."""
    for path in paths:
        (top / path).parent.mkdir(parents=True, exist_ok=True)
        (top / path).write_bytes(b"x")
    return tuple(file_state(str(top / path), (top / path).lstat()) for path in paths)


def never(_: Removal) -> bool:
    return False


def second_time(deed: Callable[[], object]) -> Callable[[], None]:
    """Return what does this before the second file alone."""
    calls = itertools.count(1)

    def go_on() -> None:
        if next(calls) == 2:
            deed()

    return go_on


@pytest.mark.parametrize("moved", ["sub/deep", "sub"])
def test_a_directory_that_was_moved_away_meanwhile_keeps_its_files(tmp_path: Path, moved: str) -> None:
    here, top, kept = changing(tmp_path), tmp_path / "top", tmp_path / "kept"
    files = tree(top, "sub/deep/first", "sub/deep/second")
    done = remove_oldest(str(top), files, here.control(), second_time(lambda: (top / moved).rename(kept)), never)
    assert (done.files, done.left) == (1, 1)
    assert [path.name for path in kept.rglob("*") if path.is_file()] == ["second"]


def test_what_took_the_place_of_a_directory_meanwhile_keeps_its_files(tmp_path: Path) -> None:
    here, top = changing(tmp_path), tmp_path / "top"
    files = tree(top, "sub/first", "sub/second")

    def replace() -> None:
        (top / "sub").rename(tmp_path / "kept")
        tree(top, "sub/second")

    done = remove_oldest(str(top), files, here.control(), second_time(replace), never)
    assert (done.files, done.left) == (1, 1)
    assert (top / "sub/second").exists()
    assert (tmp_path / "kept/second").exists()


def test_a_directory_is_entered_once_for_all_files_that_lie_side_by_side(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, top, entered = changing(tmp_path), tmp_path / "top", []
    files = tree(top, "above", "sub/1", "sub/2", "other/deep/3", "other/deep/4", "last")
    enter = OpenDirectory.enter

    def counted(self: OpenDirectory, name: str) -> AbstractContextManager[OpenDirectory]:
        entered.append(name)
        return enter(self, name)

    monkeypatch.setattr(OpenDirectory, "enter", counted)
    done = remove_oldest(str(top), files, here.control(), lambda: None, never)
    assert (done.files, entered) == (6, ["sub", "other", "deep"])
    assert not [path for path in top.rglob("*") if path.is_file()]
    assert here.controls.quarantine.aside.notes() == [], "no private name is left to look after"
