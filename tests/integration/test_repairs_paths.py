"""Listed paths, end to end: a real engine and real files."""

import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.engine_process import EngineProcess, wait_for
from tests.support.own_config import actions, own_config, refusals, repaired, told

IS_ROOT = os.geteuid() == 0
#: Whose the listed files are: as root somebody else's, so that a restored owner shows.
OWNER = "nobody" if IS_ROOT else str(os.geteuid())
GROUP = "nogroup" if IS_ROOT else str(os.getegid())

Maker = Callable[[str], EngineProcess]


def _watched(path: Path, mode: str, **more: object) -> dict[str, object]:
    return {"path": str(path), "mode": mode, "owner": OWNER, "group": GROUP, "every": "1h", **more}


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


def _give(path: Path) -> None:
    """Let a path belong to the listed owner."""
    if IS_ROOT:
        os.lchown(path, 65534, 65534)


def test_directory_file_and_key_come_back_as_listed_within_seconds_of_the_change(engine_with: Maker, tmp_path: Path) -> None:
    """Each is looked at once an hour: it is inotify that wakes the engine."""
    home = tmp_path / "srv"
    home.mkdir(mode=0o755)
    uploads, key = home / "app" / "uploads", home / "key.pem"
    key.write_text("secret")
    key.chmod(0o600)
    _give(key)
    paths = {
        "uploads": _watched(uploads, "0750", kind="directory", create=True),
        "key": _watched(key, "0600"),
    }
    engine = engine_with(own_config({"paths": paths}, ["create_directory", "restore_permissions"])).start()

    made = repaired(engine, "create_directory", "path:uploads")
    assert _mode(uploads) == 0o750
    assert uploads.stat().st_uid == (65534 if IS_ROOT else os.geteuid())
    # What had to be made on the way is no wider than it must be, and never world-writable.
    assert _mode(uploads.parent) == 0o755
    assert made["effect"]["before"] == "missing"

    uploads.chmod(0)
    repaired(engine, "restore_permissions", "path:uploads")
    assert _mode(uploads) == 0o750

    key.chmod(0o666)
    if IS_ROOT:
        os.chown(key, 0, 0)
    restored = repaired(engine, "restore_permissions", "path:key")
    assert _mode(key) == 0o600
    assert key.stat().st_uid == (65534 if IS_ROOT else os.geteuid())
    # What undo needs stands in the action that was verified, not only in its first outcome.
    assert restored["effect"]["undo"]["mode"] == "0666"
    assert restored["effect"]["undo"]["owner"] == ("0" if IS_ROOT else str(os.geteuid()))
    assert restored["effect"]["before"].startswith("0666")
    assert restored["effect"]["after"].startswith("0600")
    assert restored["plan"]["reversible"] == "yes"

    uploads.rmdir()
    wait_for(uploads.is_dir, "the directory, made again")
    assert key.read_text() == "secret"


def test_a_link_in_its_place_is_told_and_nothing_behind_it_is_touched(engine_with: Maker, tmp_path: Path) -> None:
    victim, key = tmp_path / "victim", tmp_path / "key.pem"
    victim.write_text("not listed")
    victim.chmod(0o604)
    key.symlink_to(victim)
    watched = _watched(key, "0600") | {"every": "1s"}
    # Told at once, and not after the 15 minutes of patience that a refusal has.
    engine = engine_with(own_config({"paths": {"key": watched}}, ["create_directory", "restore_permissions"])).start()

    wait_for(lambda: "out_of_scope" in refusals(engine, "path:key"), "the refusal")
    assert "is a link" in refusals(engine, "path:key")["out_of_scope"]
    assert actions(engine) == []
    assert _mode(victim) == 0o604
    assert key.is_symlink()
    incident = engine.json("incidents")["items"][0]
    assert incident["target"] == "path:key"
    assert "link" in incident["detail"]


def test_a_link_on_the_way_is_protected_whoever_made_it(engine_with: Maker, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (tmp_path / "srv").symlink_to(elsewhere)
    watched = _watched(tmp_path / "srv" / "uploads", "0750", kind="directory", create=True) | {"every": "1s"}
    engine = engine_with(own_config({"paths": {"uploads": watched}}, ["create_directory"])).start()
    wait_for(lambda: refusals(engine, "path:uploads"), "the refusal")
    assert list(elsewhere.iterdir()) == []
    assert actions(engine) == []


def test_hard_links_are_left_since_their_mode_is_not_only_their_own(engine_with: Maker, tmp_path: Path) -> None:
    other, key = tmp_path / "other", tmp_path / "key.pem"
    other.write_text("x")
    os.link(other, key)
    other.chmod(0o644)
    watched = _watched(key, "0600") | {"every": "1s"}
    engine = engine_with(own_config({"paths": {"key": watched}}, ["restore_permissions"])).start()
    wait_for(lambda: "hard links" in " ".join(refusals(engine, "path:key").values()), "the refusal")
    assert _mode(other) == 0o644


@pytest.mark.parametrize("mode", ["4755", "2755", "0777", "0666"])
def test_setuid_and_world_writable_are_given_only_where_exactly_that_is_listed(
    engine_with: Maker, tmp_path: Path, mode: str
) -> None:
    """What is not listed is taken away again; a configuration that lists it is told to be dangerous."""
    tool = tmp_path / "tool"
    tool.write_text("#!/bin/true\n")
    _give(tool)
    tool.chmod(int(mode, 8))
    paths = {"tool": _watched(tool, "0755")}
    engine = engine_with(own_config({"paths": paths}, ["restore_permissions"])).start()
    repaired(engine, "restore_permissions", "path:tool")
    assert _mode(tool) == 0o755

    engine.stop()
    engine.config.write_text(own_config({"paths": {"tool": _watched(tool, mode)}}, ["restore_permissions"]))
    strict = engine.cli("check-config", "--strict", "-c", str(engine.config))
    assert strict.returncode == 78, strict.stdout + strict.stderr
    assert mode in strict.stdout + strict.stderr


def test_what_it_may_not_repair_it_only_tells(engine_with: Maker, tmp_path: Path) -> None:
    key = tmp_path / "key.pem"
    key.write_text("x")
    key.chmod(0o644)
    watched = _watched(key, "0600") | {"every": "1s", "on_failure": []}
    engine = engine_with(own_config({"paths": {"key": watched}}, ["restore_permissions"])).start()
    wait_for(lambda: told(engine), "the message")
    assert len(told(engine)) == 1
    assert "key" in told(engine)[0]
    assert _mode(key) == 0o644
    assert actions(engine) == []
