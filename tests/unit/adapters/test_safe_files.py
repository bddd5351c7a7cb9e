from __future__ import annotations

import gzip
import mmap
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.changing import IS_ROOT, Changing, changing
from zen_agents.adapters import file_holders, file_identity
from zen_agents.adapters.linux_view_files import file_state
from zen_agents.adapters.safe_files import OpenDirectory, open_directory
from zen_agents.errors import HostError, RefusedError, StalePlanError, UnsafePathError
from zen_agents.ports.host_files import FileState

needs_root = pytest.mark.skipif(not IS_ROOT, reason="changes accounts or mounts")


@pytest.fixture
def here(tmp_path: Path) -> Changing:
    return changing(tmp_path)


@pytest.fixture
def top(tmp_path: Path) -> Path:
    (tmp_path / "top").mkdir()
    return tmp_path / "top"


def opened(here: Changing, path: Path, go_on: Callable[[], None] = lambda: None):  # type: ignore[no-untyped-def]
    return open_directory(str(path), go_on=go_on, quarantine=here.controls.quarantine)


def seen(path: Path) -> FileState:
    return file_state(str(path), path.lstat())


CHANGES: dict[str, Callable[[OpenDirectory, FileState], object]] = {
    "remove": lambda directory, state: directory.remove(state),
    "rename": lambda directory, state: directory.rename(state, "renamed"),
    "set_mode": lambda directory, state: directory.set_mode_and_owner(state, mode=0o600, owner=None, group=None),
    "truncate": lambda directory, state: directory.truncate(state),
    "copy_out": lambda directory, state: directory.copy_out(state, "copy"),
    "compress": lambda directory, state: directory.compress(state),
    "quarantine": lambda directory, state: directory.quarantine(state, action="test"),
}
every_change = pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())


@pytest.mark.parametrize("path", ["", "relative/path", "/tmp/../etc", "/./tmp"])
def test_only_plain_absolute_paths_are_opened(path: str, here: Changing) -> None:
    with (
        pytest.raises(UnsafePathError),
        open_directory(path, go_on=lambda: None, quarantine=here.controls.quarantine),
    ):
        pass


def test_a_link_on_the_way_is_named_and_not_followed(here: Changing, top: Path) -> None:
    (top / "real").mkdir()
    (top / "real" / "below").mkdir()
    (top / "link").symlink_to(top / "real")
    with pytest.raises(UnsafePathError, match=r"link is a link or no directory"), opened(here, top / "link" / "below"):
        pass


def test_entering_refuses_links_and_names_that_lead_elsewhere(here: Changing, top: Path) -> None:
    (top / "link").symlink_to("/etc")
    (top / "file").touch()
    with opened(here, top) as directory:
        for name in ("link", "file", "..", ".", "a/b", ""):
            with pytest.raises(UnsafePathError), directory.enter(name):
                pass
        with pytest.raises(StalePlanError), directory.enter("missing"):
            pass


@every_change
def test_another_file_under_the_same_name_is_left(
    change: Callable[[OpenDirectory, FileState], object], here: Changing, top: Path
) -> None:
    (top / "file").write_text("seen")
    state = seen(top / "file")
    (top / "other").write_text("somebody else's")
    (top / "other").rename(top / "file")
    with opened(here, top) as directory, pytest.raises(StalePlanError):
        change(directory, state)
    assert {path.name for path in top.iterdir()} == {"file"}
    assert (top / "file").read_text() == "somebody else's"


@every_change
def test_a_link_under_the_same_name_is_left(
    change: Callable[[OpenDirectory, FileState], object], here: Changing, top: Path, tmp_path: Path
) -> None:
    victim = tmp_path / "victim"
    victim.write_text("precious")
    victim.chmod(0o644)
    (top / "file").write_text("seen")
    state = seen(top / "file")
    (top / "file").unlink()
    (top / "file").symlink_to(victim)
    # The link may have been given the inode number that was free again: then it is left for what it is.
    with opened(here, top) as directory, pytest.raises((StalePlanError, UnsafePathError)):
        change(directory, state)
    with opened(here, top) as directory, pytest.raises(UnsafePathError):
        change(directory, seen(top / "file"))
    assert victim.read_text() == "precious"
    assert victim.stat().st_mode & 0o777 == 0o644


@every_change
def test_hard_links_fifos_and_sockets_are_left(
    change: Callable[[OpenDirectory, FileState], object], here: Changing, top: Path, tmp_path: Path
) -> None:
    (tmp_path / "victim").write_text("precious")
    os.link(tmp_path / "victim", top / "hard")
    os.mkfifo(top / "fifo")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(top / "socket"))
        with opened(here, top) as directory:
            for name in ("hard", "fifo", "socket"):
                with pytest.raises(UnsafePathError):
                    change(directory, seen(top / name))
    assert {path.name for path in top.iterdir()} == {"hard", "fifo", "socket"}
    assert (tmp_path / "victim").read_text() == "precious"


@every_change
def test_the_emergency_stop_is_asked_before_each_change(
    change: Callable[[OpenDirectory, FileState], object], here: Changing, top: Path
) -> None:
    (top / "file").write_text("stays")

    def stopped() -> None:
        raise RefusedError("stopped")

    with opened(here, top, stopped) as directory, pytest.raises(RefusedError):
        change(directory, seen(top / "file"))
    assert {path.name for path in top.iterdir()} == {"file"}
    assert (top / "file").read_text() == "stays"


@pytest.mark.parametrize("name", ["remove", "compress", "quarantine"])
@pytest.mark.parametrize("how", ["reader", "writer", "mapping", "other process"])
def test_what_somebody_holds_open_is_left(name: str, how: str, here: Changing, top: Path) -> None:
    path = top / "file"
    path.write_text("in use")
    child = None
    stream = path.open("a" if how == "writer" else "rb")
    mapping = None
    if how == "mapping":
        mapping = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
        stream.close()
    elif how == "other process":
        child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, pass_fds=[stream.fileno()])
        stream.close()
    try:
        with opened(here, top) as directory:
            assert directory.in_use(seen(path))
            with pytest.raises(UnsafePathError, match="held open"):
                CHANGES[name](directory, seen(path))
    finally:
        stream.close()
        if mapping is not None:
            mapping.close()
        if child is not None:
            child.communicate(b"\n")
    assert [entry.name for entry in top.iterdir()] == ["file"]
    with opened(here, top) as directory:
        assert not directory.in_use(seen(path))
        CHANGES[name](directory, seen(path))
    assert not path.exists()


def test_without_leases_every_process_is_asked(here: Changing, top: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_holders, "_lease", lambda *_: False)
    path = top / "file"
    path.write_text("in use")
    with path.open(), opened(here, top) as directory:
        # Held by this process, or a process that may not be asked: both mean that it is left.
        with pytest.raises(UnsafePathError, match=r"held open|cannot be told"):
            directory.remove(seen(path))
        assert directory.in_use(seen(path))
    assert path.exists()


def test_whoever_opens_a_file_while_it_is_held_does_not_end_the_engine(top: Path) -> None:
    path = top / "file"
    path.write_text("content")
    place = os.open(path, os.O_PATH)
    with file_holders.nobody_else_holds(place, str(path)):
        child = subprocess.Popen(["cat", str(path)], stdout=subprocess.PIPE)
    os.close(place)
    # The reader waited for the lease; the signal that said so was ignored.
    assert child.communicate(timeout=60)[0] == b"content"


def test_whoever_only_glances_at_a_file_keeps_it_from_no_quarantine(
    here: Changing, top: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = top / "job.lock"
    path.write_text("999")
    reader, pauses = path.open(), list[float]()

    def reads_to_its_end(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 2:
            reader.close()

    monkeypatch.setattr("zen_agents.adapters.file_holders.time.sleep", reads_to_its_end)
    with opened(here, top) as directory:
        assert directory.in_use(seen(path)) and not pauses
        directory.quarantine(seen(path), action="clear_stale_lock")
    assert (path.exists(), len(pauses)) == (False, 2)


def test_a_changed_file_is_not_removed(here: Changing, top: Path) -> None:
    (top / "file").write_text("old")
    state = seen(top / "file")
    (top / "file").write_text("fresh")
    os.utime(top / "file", (1, 1))
    with opened(here, top) as directory, pytest.raises(StalePlanError, match="changed"):
        directory.remove(state)
    assert (top / "file").read_text() == "fresh"


def test_renaming_never_replaces(here: Changing, top: Path) -> None:
    (top / "file").write_text("a")
    (top / "taken").write_text("b")
    with opened(here, top) as directory:
        with pytest.raises(StalePlanError):
            directory.rename(seen(top / "file"), "taken")
        with pytest.raises(UnsafePathError):
            directory.rename(seen(top / "file"), "../elsewhere")
        directory.rename(seen(top / "file"), "free")
    assert (top / "free").read_text() == "a"
    assert (top / "taken").read_text() == "b"


def test_renaming_without_the_kernels_help_does_not_replace_either(
    here: Changing, top: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file_identity, "_renamed", lambda *_: False)
    test_renaming_never_replaces(here, top)


def test_another_mount_is_left(here: Changing, top: Path) -> None:
    if not IS_ROOT:
        pytest.skip("mounts")
    # In a mount namespace of its own, so that nothing is left mounted whatever happens.
    script = """
import os, subprocess, sys
from pathlib import Path
top = Path(sys.argv[1])
for name in ("tmpfs", "bind"):
    (top / name).mkdir()
(top / "bound").touch(); (top / "victim").write_text("precious")
subprocess.run(["mount", "-t", "tmpfs", "none", top / "tmpfs"], check=True)
subprocess.run(["mount", "--bind", top.parent, top / "bind"], check=True)
subprocess.run(["mount", "--bind", top / "victim", top / "bound"], check=True)
from zen_agents.adapters.linux_view_files import file_state
from zen_agents.adapters.safe_files import open_directory
from zen_agents.errors import UnsafePathError
refused = []
with open_directory(str(top), go_on=lambda: None, quarantine=None) as directory:
    for name in ("tmpfs", "bind"):
        try:
            with directory.enter(name):
                pass
        except UnsafePathError as error:
            refused.append(name)
        state = file_state(str(top / name), (top / name).lstat())
        try:
            directory.set_mode_and_owner(state, mode=0o777, owner=None, group=None)
        except UnsafePathError:
            refused.append(name + " mode")
    try:
        directory.remove(file_state(str(top / "bound"), (top / "bound").lstat()))
    except UnsafePathError as error:
        refused.append("bound")
print(refused)
"""
    root = Path(__file__).parents[3]
    result = subprocess.run(
        ["unshare", "--mount", sys.executable, "-c", script, str(top)],
        capture_output=True, text=True, cwd=root, timeout=60, check=False,
    )  # fmt: skip
    if "unshare" in result.stderr:
        pytest.skip("no mount namespaces here")
    assert result.stdout.strip() == "['tmpfs', 'tmpfs mode', 'bind', 'bind mode', 'bound']", result.stderr


def test_compressing_keeps_owner_mode_times_and_content(here: Changing, top: Path) -> None:
    path = top / "app.log.1"
    path.write_bytes(b"line\n" * 100_000)
    path.chmod(0o640)
    os.utime(path, (1_000_000_000, 1_100_000_000))
    if IS_ROOT:
        os.chown(path, 1234, 2345)
    before = path.stat()
    with opened(here, top) as directory:
        size = directory.compress(seen(path))
    packed = top / "app.log.1.gz"
    after = packed.stat()
    assert gzip.decompress(packed.read_bytes()) == b"line\n" * 100_000
    assert size == after.st_size < 10_000
    assert (after.st_uid, after.st_gid, after.st_mode, after.st_mtime) == (
        before.st_uid, before.st_gid, before.st_mode, before.st_mtime,
    )  # fmt: skip
    assert not path.exists()


def test_copies_never_get_setuid(here: Changing, top: Path) -> None:
    (top / "file").write_text("x")
    (top / "file").chmod(0o4755)
    with opened(here, top) as directory:
        assert directory.copy_out(seen(top / "file"), "copy") == 1
    assert (top / "copy").stat().st_mode & 0o7777 == 0o755


def test_half_a_copy_is_removed_and_the_original_stays(here: Changing, top: Path) -> None:
    (top / "file").write_bytes(os.urandom(3 << 20))
    calls = []

    def stop_in_the_middle() -> None:
        calls.append(1)
        if len(calls) > 2:
            raise RefusedError("stopped")

    with opened(here, top, stop_in_the_middle) as directory, pytest.raises(RefusedError):
        directory.compress(seen(top / "file"))
    assert [path.name for path in top.iterdir()] == ["file"]
    assert (top / "file").stat().st_size == 3 << 20


def test_a_new_directory_gets_exactly_its_mode(here: Changing, top: Path) -> None:
    uid, gid = (1234, 2345) if IS_ROOT else (os.geteuid(), os.getegid())
    with opened(here, top) as directory:
        directory.create_directory("made", mode=0o2775, owner=uid, group=gid)
        with pytest.raises(StalePlanError):
            directory.create_directory("made", mode=0o777, owner=uid, group=gid)
    made = (top / "made").stat()
    assert (made.st_mode & 0o7777, made.st_uid, made.st_gid) == (0o2775, uid, gid)


def test_only_empty_directories_are_removed(here: Changing, top: Path) -> None:
    (top / "full").mkdir()
    (top / "full" / "file").touch()
    (top / "empty").mkdir()
    with opened(here, top) as directory:
        with pytest.raises(StalePlanError, match="not empty"):
            directory.remove_directory(seen(top / "full"))
        directory.remove_directory(seen(top / "empty"))
    assert [path.name for path in top.iterdir()] == ["full"]


@needs_root
def test_owner_comes_before_a_wider_mode(here: Changing, top: Path) -> None:
    path = top / "file"
    path.write_text("x")
    path.chmod(0o4777)
    with opened(here, top) as directory:
        directory.set_mode_and_owner(seen(path), mode=0o640, owner=1234, group=2345)
    found = path.stat()
    assert (found.st_mode & 0o7777, found.st_uid, found.st_gid) == (0o640, 1234, 2345)


def test_quarantine_gives_back_what_it_took(here: Changing, top: Path) -> None:
    path = top / "app.pid"
    path.write_text("4242\n")
    path.chmod(0o640)
    os.utime(path, (1_000_000_000, 1_100_000_000))
    try:
        os.setxattr(path, "user.note", b"kept")
        has_attributes = True
    except OSError:
        has_attributes = False
    with opened(here, top) as directory:
        id = directory.quarantine(seen(path), action="remove_stale_pidfile")
        assert not path.exists()
        kept = here.controls.quarantine.find(id)
        assert (kept.path, kept.size, kept.action) == (str(path), 5, "remove_stale_pidfile")
        directory.give_back(id, "app.pid")
        with pytest.raises(StalePlanError):
            directory.give_back(id, "app.pid")
    assert path.read_text() == "4242\n"
    assert (path.stat().st_mode & 0o777, path.stat().st_mtime) == (0o640, 1_100_000_000)
    if has_attributes:
        assert os.getxattr(path, "user.note") == b"kept"
    assert all(entry.stat().st_mode & 0o077 == 0 for entry in (here.state_dir / "quarantine").iterdir())


def test_a_damaged_quarantine_gives_nothing_back(here: Changing, top: Path) -> None:
    (top / "file").write_text("original")
    with opened(here, top) as directory:
        id = directory.quarantine(seen(top / "file"), action="test")
        blob = here.state_dir / "quarantine" / here.controls.quarantine.find(id).sha256
        blob.write_text("tampered")
        with pytest.raises(HostError, match="damaged"):
            directory.give_back(id, "file")
    assert list(top.iterdir()) == []
