"""A large file goes into the quarantine by a second name, where that can be, and nobody changes it there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.support.repairing_data import MENDED, ROWS, RepairSite, repair_site
from zen_agents.adapters import quarantine, safe_replacing
from zen_agents.errors import RefusedError, StalePlanError

pytest.importorskip("duckdb")


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RepairSite:
    monkeypatch.setattr(quarantine, "LINKED_FROM", 1)
    found = repair_site(tmp_path)
    found.file.chmod(0o644)
    return found


def kept(site: RepairSite) -> list[os.stat_result]:
    """Return what the contents in the quarantine are."""
    place = site.here.state_dir / "quarantine"
    return [each.stat() for each in place.iterdir() if not each.name.startswith(".") and each.suffix != ".json"]


def test_it_is_the_very_file_and_undo_gives_its_bytes_and_mode_back(site: RepairSite) -> None:
    inode = site.file.stat().st_ino
    undo = site.do(*site.planned("repair"))
    (found,) = kept(site)
    assert (found.st_ino, found.st_nlink, found.st_mode & 0o777) == (inode, 1, 0o600) and site.file.read_bytes() == MENDED
    site.do(*site.undoing(undo))
    assert site.file.read_bytes() == ROWS and site.file.stat().st_mode & 0o777 == 0o644 and site.left() == []


def test_whoever_opens_it_to_write_at_the_last_moment_gets_it_back(
    site: RepairSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    planned, before, really = site.planned("repair"), site.file.stat(), safe_replacing.exchange
    writer: list[int] = []

    def exchanged(directory: int, one: str, other: str, *, path: str) -> None:
        if not writer:
            writer.append(os.open(path, os.O_RDWR))
        really(directory, one, other, path=path)

    monkeypatch.setattr(safe_replacing, "exchange", exchanged)
    with pytest.raises(StalePlanError, match="open to write"):
        site.do(*planned)
    os.close(writer[0])
    now = site.file.stat()
    assert (now.st_ino, now.st_mode, now.st_uid) == (before.st_ino, before.st_mode, before.st_uid)
    assert site.file.read_bytes() == ROWS and now.st_nlink == 1 and kept(site) == []


def test_what_lies_on_another_file_system_is_copied(site: RepairSite, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quarantine, "linked", lambda *_: False)
    inode = site.file.stat().st_ino
    site.do(*site.planned("repair"))
    (found,) = kept(site)
    assert found.st_ino != inode and site.file.read_bytes() == MENDED


def test_what_no_longer_fits_is_told_before_anything_is_done(site: RepairSite) -> None:
    site.here.host.kept = site.here.controls.quarantine
    site.here.controls.quarantine.most_bytes = 100
    with pytest.raises(RefusedError, match=r"raise `retention: \{quarantine_size"):
        site.planned("repair")
