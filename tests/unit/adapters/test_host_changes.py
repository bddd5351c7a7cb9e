"""What changed on a host: packages by dpkg's log, files by their times."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.support.command_line import HOSTILE
from zen_agents.adapters.host_changes import file_changes, package_changes

NOW = datetime.now(UTC).replace(microsecond=0)
DAY = timedelta(days=1)


def line(at: datetime, rest: str) -> str:
    return f"{at.astimezone():%Y-%m-%d %H:%M:%S} {rest}\n"


def test_packages_are_told_with_both_versions_and_steps_of_dpkg_are_not(tmp_path: Path) -> None:
    log = tmp_path / "dpkg.log"
    log.write_text(
        line(NOW - 2 * DAY, "upgrade old:amd64 1 2")
        + line(NOW - DAY / 2, "startup archives unpack")
        + line(NOW - DAY / 2, "upgrade openssl:amd64 3.0.14 3.0.15")
        + line(NOW - DAY / 2, "status installed openssl:amd64 3.0.15")
        + line(NOW - DAY / 3, "install nginx:amd64 <none> 1.22")
        + line(NOW - DAY / 4, "remove nginx:amd64 1.22 <none>")
    )
    found = package_changes(NOW - DAY, NOW, [log])
    assert [change.what for change in found.found] == [
        "upgrade openssl:amd64 3.0.14 -> 3.0.15", "install nginx:amd64 1.22", "remove nginx:amd64 1.22",
    ]  # fmt: skip
    assert found.found[0].at == NOW - DAY / 2
    assert found.unknown == ()


def test_a_log_that_was_rotated_lately_is_continued_by_the_one_behind_it(tmp_path: Path) -> None:
    newer, older, oldest = (tmp_path / name for name in ("dpkg.log", "dpkg.log.1", "dpkg.log.2"))
    newer.write_text(line(NOW - timedelta(hours=1), "upgrade b:all 1 2"))
    older.write_text(line(NOW - 2 * DAY, "upgrade z:all 1 2") + line(NOW - timedelta(hours=2), "upgrade a:all 1 2"))
    oldest.write_text(line(NOW - timedelta(hours=3), "upgrade never:all 1 2"))
    found = package_changes(NOW - DAY, NOW, [newer, older, oldest])
    assert [change.what for change in found.found] == ["upgrade a:all 1 -> 2", "upgrade b:all 1 -> 2"]


def test_a_damaged_log_is_read_as_far_as_it_means_something(tmp_path: Path) -> None:
    log = tmp_path / "dpkg.log"
    bad = f"{NOW.astimezone():%Y-%m-%d} 99:99:99 upgrade x:all 1 2\n" + "short\n" + f"{HOSTILE}\n"
    log.write_bytes(b"\xff\xfe\0\n" + bad.encode() + line(NOW - timedelta(hours=1), "upgrade b:all 1 2").encode())
    found = package_changes(NOW - DAY, NOW + DAY, [log])
    assert [change.what for change in found.found] == ["upgrade b:all 1 -> 2"]


def test_a_host_without_dpkg_says_that_it_is_not_known(tmp_path: Path) -> None:
    found = package_changes(NOW - DAY, NOW, [tmp_path / "dpkg.log"])
    assert (found.found, len(found.unknown)) == ((), 1)
    assert "there is no" in found.unknown[0]
    (tmp_path / "folder").mkdir()
    assert "cannot be read" in package_changes(NOW - DAY, NOW, [tmp_path / "folder"]).unknown[0]


def test_files_at_and_in_a_watched_path_are_told_and_links_are_not_followed(tmp_path: Path) -> None:
    folder, outside = tmp_path / "etc", tmp_path / "outside"
    folder.mkdir()
    outside.mkdir()
    (outside / "secret").write_text("x")
    (folder / "web.pem").write_text("new")
    (folder / "link").symlink_to(outside)
    now = datetime.now(UTC) + timedelta(seconds=1)
    told = {change.what for change in file_changes([str(folder)], now - DAY, now).found}
    assert told == {str(folder), str(folder / "web.pem"), str(folder / "link")}
    assert file_changes([str(folder)], now - 2 * DAY, now - DAY).found == []
    os.utime(folder / "web.pem", (1, 1))
    told = {change.what for change in file_changes([str(folder / "web.pem")], now - DAY, now).found}
    assert told == {f"{folder / 'web.pem'} (mode, owner or name)"}


def test_what_cannot_be_looked_at_is_said(tmp_path: Path) -> None:
    found = file_changes([str(tmp_path / "gone"), "nul\0l", str(tmp_path)], NOW - DAY, NOW + DAY)
    assert [change.what for change in found.found] == [str(tmp_path)]
    assert len(found.unknown) == 2
    assert "is not there" in found.unknown[0]
