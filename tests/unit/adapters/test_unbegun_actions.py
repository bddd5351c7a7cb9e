"""What has certainly not begun: known while the kernel goes on, and to nobody after that."""

from __future__ import annotations

from pathlib import Path

import pytest

from zen_agents.adapters.unbegun_actions import UnbegunActions
from zen_agents.errors import HostError

ACTION, BOOT = "act-7m3x9k", "0b5f1d86-8f0a-4a3e-a2a5-4be1a1f3d2c7"


@pytest.fixture
def state(tmp_path: Path) -> Path:
    (tmp_path / "running").mkdir()
    return tmp_path


def test_what_was_noted_has_not_begun_also_for_the_next_engine_of_this_boot(state: Path) -> None:
    UnbegunActions(state, BOOT).note(ACTION)
    assert UnbegunActions(state, BOOT).holds(ACTION)
    assert not UnbegunActions(state, BOOT).holds("act-another")


def test_what_may_have_begun_is_not_told_apart_from_what_was_done(state: Path) -> None:
    marks = UnbegunActions(state, BOOT)
    marks.note(ACTION)
    marks.begin(ACTION)
    assert not marks.holds(ACTION)
    marks.begin(ACTION)


@pytest.mark.parametrize("boot", ["1c6f2e97-8f0a-4a3e-a2a5-4be1a1f3d2c7", ""])
def test_another_boot_believes_no_mark_and_neither_does_one_that_nobody_can_name(state: Path, boot: str) -> None:
    UnbegunActions(state, BOOT).note(ACTION)
    assert not UnbegunActions(state, boot).holds(ACTION)
    UnbegunActions(state, "").note(ACTION)
    assert not UnbegunActions(state, "").holds(ACTION)


def test_where_no_mark_can_be_made_nothing_is_certain_and_nothing_fails(tmp_path: Path) -> None:
    marks = UnbegunActions(tmp_path / "absent", BOOT)
    marks.note(ACTION)
    assert not marks.holds(ACTION)
    marks.begin(ACTION)
    marks.clear()


def test_a_mark_that_cannot_be_removed_keeps_the_deed_from_being_done(state: Path) -> None:
    marks = UnbegunActions(state, BOOT)
    (state / "running" / f".unbegun-{ACTION}").mkdir()
    with pytest.raises(HostError, match="nothing was done"):
        marks.begin(ACTION)


def test_a_link_in_the_place_of_a_mark_is_not_written_through(state: Path) -> None:
    (state / "elsewhere").write_text("kept", encoding="ascii")
    (state / "running" / f".unbegun-{ACTION}").symlink_to(state / "elsewhere")
    UnbegunActions(state, BOOT).note(ACTION)
    assert (state / "elsewhere").read_text(encoding="ascii") == "kept"


def test_once_all_are_judged_no_mark_is_left_and_records_of_what_runs_are(state: Path) -> None:
    (state / "running" / ACTION).write_text("1 2 3 boot\n", encoding="ascii")
    marks = UnbegunActions(state, BOOT)
    marks.note(ACTION)
    marks.clear()
    assert [path.name for path in (state / "running").iterdir()] == [ACTION]
