"""One file takes the place of another at once; what was there is kept; a crash leaves nothing behind."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.support.changing import IS_ROOT, Changing, changing
from zen_agents.adapters import file_identity, safe_files
from zen_agents.errors import HostError, StalePlanError, UnsafePathError
from zen_agents.ports.host_files import FileState

NEW, OLD = b"declared\n", b"edited by hand\n"


@pytest.fixture
def here(tmp_path: Path) -> Changing:
    return changing(tmp_path)


@pytest.fixture
def managed(tmp_path: Path) -> Path:
    path = tmp_path / "etc" / "managed.conf"
    path.parent.mkdir()
    path.write_bytes(OLD)
    path.chmod(0o640)
    return path


def state_of(here: Changing, path: Path) -> FileState:
    found = here.host.look().file(str(path))
    assert found is not None
    return found


def names(path: Path) -> list[str]:
    return sorted(entry.name for entry in path.iterdir())


def test_the_new_content_has_owner_mode_and_attributes_of_the_old(here: Changing, managed: Path) -> None:
    if IS_ROOT:
        os.chown(managed, 1234, 2345)
    attributes = _with_attribute(managed)
    seen, was = state_of(here, managed), managed.stat()
    with here.control().open_directory(str(managed.parent)) as parent:
        candidate = parent.stage(NEW, seen)
        assert managed.read_bytes() == OLD
        kept = parent.swap(candidate, seen, managed.name, action="restore_file")
    now = managed.stat()
    assert managed.read_bytes() == NEW
    assert (now.st_mode, now.st_uid, now.st_gid) == (was.st_mode, was.st_uid, was.st_gid)
    assert _attributes(managed) == attributes
    assert here.host.look().kept_content(kept) == OLD
    assert names(managed.parent) == ["managed.conf"]


def test_nothing_takes_the_place_of_nothing(here: Changing, managed: Path) -> None:
    like = state_of(here, managed)._replace(path="/declared/managed.conf")
    managed.unlink()
    with here.control().open_directory(str(managed.parent)) as parent:
        assert parent.swap(parent.stage(NEW, like), None, managed.name, action="restore_file") == ""
    assert managed.read_bytes() == NEW


@pytest.mark.parametrize("changed", ["content", "replaced", "gone", "appeared"])
def test_what_changed_meanwhile_is_not_replaced(here: Changing, managed: Path, changed: str) -> None:
    seen = state_of(here, managed)
    with here.control().open_directory(str(managed.parent)) as parent:
        candidate = parent.stage(NEW, seen)
        expected = _change(managed, changed, seen)
        with pytest.raises(StalePlanError):
            parent.swap(candidate, expected, managed.name, action="restore_file")
        parent.discard(candidate)
    assert not managed.exists() if changed == "gone" else managed.read_bytes() == b"a third one\n"
    assert names(managed.parent) == ([] if changed == "gone" else ["managed.conf"])
    assert here.controls.quarantine.files() == ()


def test_whoever_comes_between_looking_and_swapping_keeps_the_name(
    here: Changing, managed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen, exchange = state_of(here, managed), file_identity.exchange
    calls: list[str] = []

    def late(directory: int, one: str, other: str, *, path: str) -> None:
        if not calls:
            (managed.parent / "theirs").write_bytes(b"theirs\n")
            (managed.parent / "theirs").rename(managed)
        calls.append(path)
        exchange(directory, one, other, path=path)

    monkeypatch.setattr("zen_agents.adapters.safe_replacing.exchange", late)
    with here.control().open_directory(str(managed.parent)) as parent:
        candidate = parent.stage(NEW, seen)
        with pytest.raises(StalePlanError):
            parent.swap(candidate, seen, managed.name, action="restore_file")
    assert managed.read_bytes() == b"theirs\n"
    assert len(calls) == 2
    assert here.controls.quarantine.files() == ()


def test_links_and_further_names_are_left(here: Changing, managed: Path) -> None:
    seen = state_of(here, managed)
    os.link(managed, managed.parent / "other")
    with here.control().open_directory(str(managed.parent)) as parent:
        candidate = parent.stage(NEW, seen._replace(path="/elsewhere/like"))
        with pytest.raises(UnsafePathError):
            parent.swap(candidate, state_of(here, managed), managed.name, action="restore_file")
        with pytest.raises(UnsafePathError):
            parent.discard(seen)
    assert managed.read_bytes() == OLD


def test_where_names_cannot_be_swapped_nothing_is_replaced(
    here: Changing, managed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file_identity, "_renamed", lambda *_: False)
    seen = state_of(here, managed)
    with here.control().open_directory(str(managed.parent)) as parent:
        candidate = parent.stage(NEW, seen)
        with pytest.raises(HostError, match="cannot swap two names"):
            parent.swap(candidate, seen, managed.name, action="restore_file")
    assert managed.read_bytes() == OLD
    assert here.controls.quarantine.files() == ()


def test_what_a_crash_leaves_is_removed_at_the_next_start(here: Changing, managed: Path) -> None:
    with here.control().open_directory(str(managed.parent)) as parent:
        parent.stage(NEW, state_of(here, managed))
    assert len(names(managed.parent)) == 2
    safe_files.tidy(here.controls.quarantine)
    assert names(managed.parent) == ["managed.conf"]
    assert here.controls.quarantine.aside.notes() == []


def _change(managed: Path, how: str, seen: FileState) -> FileState | None:
    if how in ("replaced", "gone"):
        managed.unlink()
    if how != "gone":
        managed.write_bytes(b"a third one\n")
    return None if how == "appeared" else seen


def _with_attribute(path: Path) -> dict[str, bytes]:
    try:
        os.setxattr(path, "user.note", b"kept")
    except OSError:
        return {}
    return _attributes(path)


def _attributes(path: Path) -> dict[str, bytes]:
    return {name: os.getxattr(path, name) for name in os.listxattr(path) if name.startswith("user.")}
