"""A file is replaced in one step by a copy that has its owner and mode; what was there can be had from the quarantine."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.support.changing import IS_ROOT, Changing, changing
from zen_agents.adapters import file_identity
from zen_agents.adapters.linux_view_files import file_state
from zen_agents.errors import HostError, RefusedError, StalePlanError, UnsafePathError
from zen_agents.ports.host import FileState


@pytest.fixture
def here(tmp_path: Path) -> Changing:
    return changing(tmp_path)


@pytest.fixture
def old(tmp_path: Path) -> Path:
    (tmp_path / "top").mkdir()
    path = tmp_path / "top" / "web.pem"
    path.write_text("old")
    path.chmod(0o640)
    return path


@pytest.fixture
def new(tmp_path: Path) -> Path:
    path = tmp_path / "new.pem"
    path.write_text("new")
    path.chmod(0o644)
    return path


def seen(path: Path) -> FileState:
    return file_state(str(path), path.lstat())


def test_the_copy_takes_the_place_with_owner_and_mode_of_what_was_there(here: Changing, old: Path, new: Path) -> None:
    if IS_ROOT:
        os.chown(old, 1234, 2345)
    control, before = here.control(), seen(old)
    staged = control.stage_file(str(new), before)
    assert old.read_text() == "old"
    kept = control.replace_file(before, staged, action="test")
    after = seen(old)
    assert old.read_text() == "new"
    assert (after.mode, after.owner, after.group) == (0o640, before.owner, before.group)
    assert [path.name for path in old.parent.iterdir()] == ["web.pem"]
    with here.controls.quarantine.opened(kept) as (descriptor, found):
        assert os.read(descriptor, 100) == b"old"
    assert found.path == str(old)


def test_a_file_system_that_cannot_exchange_names_replaces_as_well(
    here: Changing, old: Path, new: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("zen_agents.adapters.file_replacement.exchange_names", lambda *_: False)
    control, before = here.control(), seen(old)
    control.replace_file(before, control.stage_file(str(new), before), action="test")
    assert old.read_text() == "new"
    assert [path.name for path in old.parent.iterdir()] == ["web.pem"]


def test_what_somebody_put_there_meanwhile_is_left(here: Changing, old: Path, new: Path) -> None:
    control, before = here.control(), seen(old)
    staged = control.stage_file(str(new), before)
    (old.parent / "other").write_text("somebody else's")
    (old.parent / "other").rename(old)
    with pytest.raises(StalePlanError):
        control.replace_file(before, staged, action="test")
    assert old.read_text() == "somebody else's"


def test_what_is_put_there_at_the_last_moment_gets_its_place_back(
    here: Changing, old: Path, new: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    control, before = here.control(), seen(old)
    staged = control.stage_file(str(new), before)
    (old.parent / "other").write_text("somebody else's")

    def exchange_late(directory: int, one: str, other: str) -> bool:
        (old.parent / "other").rename(old)
        monkeypatch.undo()
        return file_identity.exchange_names(directory, one, other)

    monkeypatch.setattr("zen_agents.adapters.file_replacement.exchange_names", exchange_late)
    with pytest.raises(StalePlanError):
        control.replace_file(before, staged, action="test")
    assert old.read_text() == "somebody else's"


def test_a_copy_that_an_engine_left_behind_is_made_anew_and_one_not_wanted_goes(
    here: Changing, old: Path, new: Path
) -> None:
    control = here.control()
    control.stage_file(str(new), seen(old))
    new.write_text("newer")
    staged = control.stage_file(str(new), seen(old))
    assert Path(staged.path).read_text() == "newer"
    control.discard_staged(staged)
    assert [path.name for path in old.parent.iterdir()] == ["web.pem"]


def test_a_source_that_others_may_write_is_not_taken(here: Changing, old: Path, new: Path, tmp_path: Path) -> None:
    control = here.control()
    new.chmod(0o666)
    with pytest.raises(UnsafePathError, match="others may write"):
        control.stage_file(str(new), seen(old))
    with pytest.raises(UnsafePathError, match="no regular file"):
        control.stage_file(str(tmp_path), seen(old))
    with pytest.raises(HostError, match="cannot be opened"):
        control.stage_file(str(tmp_path / "gone"), seen(old))
    (tmp_path / "large").write_bytes(b"x" * (1 << 20) + b"x")
    with pytest.raises(UnsafePathError, match="larger"):
        control.stage_file(str(tmp_path / "large"), seen(old))
    assert [path.name for path in old.parent.iterdir()] == ["web.pem"]


def test_nothing_is_replaced_at_the_emergency_stop(here: Changing, old: Path, new: Path) -> None:
    control, before = here.control(), seen(old)
    staged = control.stage_file(str(new), before)
    here.flag.set(by="test", reason="test", at=datetime.now(UTC))
    with pytest.raises(RefusedError):
        control.replace_file(before, staged, action="test")
    assert old.read_text() == "old"
