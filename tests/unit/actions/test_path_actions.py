"""create_directory, restore_permissions and remove_stale_pidfile."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from chaos.simulation.host import SimulatedHost
from tests.support.changing import IS_ROOT, Changing, changing
from zen_agents.actions.create_directory import CreateDirectory
from zen_agents.actions.give_back_permissions import GiveBackPermissions
from zen_agents.actions.remove_stale_pidfile import RemoveStalePidfile
from zen_agents.actions.restore_permissions import RestorePermissions
from zen_agents.clock import ManualClock
from zen_agents.errors import HostError, RefusedError, StalePlanError, UnsafePathError
from zen_agents.model.action import ActionRequest, Reversible
from zen_agents.model.reason import Reason
from zen_agents.ports.host_resources import Mount

UID, GID = (1234, 2345) if IS_ROOT else (os.geteuid(), os.getegid())
OWN = {"owner": str(os.geteuid()), "group": str(os.getegid())}


@pytest.fixture
def here(tmp_path: Path) -> Changing:
    return changing(tmp_path)


@pytest.fixture
def top(tmp_path: Path) -> Path:
    (tmp_path / "top").mkdir()
    return tmp_path / "top"


def access(path: Path) -> tuple[int, int, int]:
    state = path.stat()
    return state.st_mode & 0o7777, state.st_uid, state.st_gid


# -- create_directory -----------------------------------------------------------------------------------------------------
async def test_missing_components_are_made_one_by_one(here: Changing, top: Path) -> None:
    params = {"path": str(top / "a" / "b" / "uploads"), "mode": "2770", **OWN}
    effect = await here.act(CreateDirectory(), "path:uploads", params)
    assert effect.ok
    assert [access(top / part)[0] for part in ("a", "a/b", "a/b/uploads")] == [0o755, 0o755, 0o2770]


def test_what_is_there_is_not_made(here: Changing, top: Path) -> None:
    (top / "file").touch()
    (top / "link").symlink_to("/etc")
    with pytest.raises(StalePlanError):
        here.plan(CreateDirectory(), "path:x", {"path": str(top), "mode": "0755", **OWN})
    for name in ("file", "link", "file/below", "link/below"):
        with pytest.raises((UnsafePathError, HostError)):
            here.plan(CreateDirectory(), "path:x", {"path": str(top / name), "mode": "0755", **OWN})
    assert not Path("/etc/below").exists()


async def test_a_parent_that_became_a_link_is_not_followed(here: Changing, top: Path, tmp_path: Path) -> None:
    (top / "parent").mkdir()
    plan = here.plan(CreateDirectory(), "path:x", {"path": str(top / "parent" / "new"), "mode": "0755", **OWN})
    (tmp_path / "elsewhere").mkdir()
    (top / "parent").rmdir()
    (top / "parent").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UnsafePathError):
        await CreateDirectory().execute(plan, here.control())
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_below_a_mount_that_is_missing_nothing_is_made() -> None:
    host = SimulatedHost()
    host.files.add_directory("/srv/data")
    host.files.add_file(
        "/etc/fstab", "UUID=1 / ext4 defaults 0 1\n/dev/sdb1 /srv/data ext4 defaults 0 2\n# /dev/x /srv ext4 d 0\n"
    )
    params = {"path": "/srv/data/uploads", "mode": "0755", "owner": "root", "group": "root"}
    request = ActionRequest("create_directory", "path:uploads", params)
    with pytest.raises(RefusedError, match="/srv/data is not mounted") as refused:
        CreateDirectory().plan(request, host.look())
    assert refused.value.reason == Reason.MOUNT_MISSING
    host.files.add_disk("/srv/data", total_bytes=1 << 30)
    assert CreateDirectory().plan(request, host.look()).steps == (
        "make directory /srv/data/uploads with mode 0755, owner root, group root",
    )
    assert isinstance(host.look().mounts()[1], Mount)


def test_a_mount_that_is_not_automatic_may_be_missing() -> None:
    host = SimulatedHost()
    host.files.add_directory("/mnt/usb")
    host.files.add_file("/etc/fstab", "/dev/sdc1 /mnt/usb vfat user,noauto 0 0\n")
    params = {"path": "/mnt/usb/x", "mode": "0755", "owner": "root", "group": "root"}
    assert CreateDirectory().plan(ActionRequest("create_directory", "path:x", params), host.look()).steps


def test_accounts_must_exist_and_setuid_directories_make_no_sense(here: Changing, top: Path) -> None:
    with pytest.raises(HostError):
        here.plan(
            CreateDirectory(), "path:x", {"path": str(top / "x"), "mode": "0755", "owner": "no-such-one", "group": "0"}
        )
    with pytest.raises(UnsafePathError, match="setuid"):
        here.plan(CreateDirectory(), "path:x", {"path": str(top / "x"), "mode": "4755", **OWN})
    plan = here.plan(CreateDirectory(), "path:x", {"path": str(top / "x"), "mode": "1777", **OWN})
    assert plan.warning == "anyone may write in it"
    assert CreateDirectory().postcondition(plan) == ("path.x", "path:x")


# -- restore_permissions --------------------------------------------------------------------------------------------------
async def test_mode_and_owner_come_back_and_undo_knows_what_was(here: Changing, top: Path) -> None:
    key = top / "tls.key"
    key.write_text("secret")
    key.chmod(0o666)
    params = {"path": str(key), "kind": "file", "mode": "0600", "owner": str(UID), "group": str(GID)}
    action = RestorePermissions()
    plan = here.plan(action, "path:key", params)
    assert plan.reversible is Reversible.YES
    assert plan.warning == ""
    effect = await action.execute(plan, here.control())
    assert access(key) == (0o600, UID, GID)
    with pytest.raises(StalePlanError, match="nothing to do"):
        here.plan(action, "path:key", params)
    inverse, undo = action.inverse(plan, effect), GiveBackPermissions()
    assert inverse is not None
    back = undo.plan(inverse, here.host.look())
    assert back.warning == "lets anyone write again, as before"
    assert "is 0600" in undo.missing(back, here.host.look())
    await undo.execute(back, here.control())
    assert undo.missing(back, here.host.look()) == ""
    assert access(key) == (0o666, os.geteuid(), os.getegid())


async def test_only_somebody_else_makes_it_wrong_again_and_what_they_did_is_said(here: Changing, top: Path) -> None:
    key = top / "tls.key"
    key.write_text("secret")
    key.chmod(0o666)
    params = {"path": str(key), "kind": "file", "mode": "0600", "owner": str(UID), "group": str(GID)}
    plan = here.plan(RestorePermissions(), "path:key", params)
    assert RestorePermissions().undone(plan) == f"set {key} to 0666 {os.geteuid()}:{os.getegid()}"
    params = {"path": str(top / "spool"), "mode": "0750", **OWN}
    plan = here.plan(CreateDirectory(), "path:spool", params)
    assert CreateDirectory().undone(plan) == f"removed {top / 'spool'}"


async def test_nothing_below_a_directory_changes(here: Changing, top: Path) -> None:
    (top / "inside").write_text("x")
    (top / "inside").chmod(0o600)
    before = access(top / "inside")
    await here.act(RestorePermissions(), "path:x", {"path": str(top), "kind": "directory", "mode": "0750", **OWN})
    assert access(top)[0] == 0o750
    assert access(top / "inside") == before


def test_what_is_not_the_listed_kind_is_left(here: Changing, top: Path, tmp_path: Path) -> None:
    (tmp_path / "victim").touch()
    (top / "link").symlink_to(tmp_path / "victim")
    os.link(tmp_path / "victim", top / "hard")
    for name, kind in (("link", "file"), ("hard", "file"), ("", "file"), ("link", "directory")):
        with pytest.raises(UnsafePathError):
            here.plan(
                RestorePermissions(), "path:x", {"path": str(top / name).rstrip("/"), "kind": kind, "mode": "0777", **OWN}
            )
    with pytest.raises(StalePlanError):
        here.plan(RestorePermissions(), "path:x", {"path": str(top / "no"), "kind": "file", "mode": "0600", **OWN})


async def test_a_file_that_was_swapped_after_planning_is_left(here: Changing, top: Path, tmp_path: Path) -> None:
    (tmp_path / "victim").write_text("x")
    (tmp_path / "victim").chmod(0o600)
    (top / "file").touch(0o600)
    params = {"path": str(top / "file"), "kind": "file", "mode": "0644", **OWN}
    plan = here.plan(RestorePermissions(), "path:x", params)
    (top / "file").unlink()
    (top / "file").symlink_to(tmp_path / "victim")
    with pytest.raises(UnsafePathError):
        await RestorePermissions().execute(plan, here.control())
    (top / "file").unlink()
    (top / "new").touch(0o600)
    (top / "new").rename(top / "file")
    with pytest.raises(StalePlanError):
        await RestorePermissions().execute(plan, here.control())
    assert access(tmp_path / "victim")[0] == access(top / "file")[0] == 0o600


@pytest.mark.parametrize(
    ("mode", "warning"),
    [("0644", "widens access, exactly as listed"), ("4700", "gives setuid or setgid, exactly as listed"), ("0400", "")],
)
def test_what_widens_access_is_said(mode: str, warning: str, here: Changing, top: Path) -> None:
    (top / "file").touch(0o600)
    plan = here.plan(RestorePermissions(), "path:x", {"path": str(top / "file"), "kind": "file", "mode": mode, **OWN})
    assert plan.warning == warning


# -- remove_stale_pidfile -------------------------------------------------------------------------------------------------
@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(["sleep", "600"]) as process:
        yield process
        process.kill()


def pidfile_params(path: Path, executable: str = "") -> dict[str, str]:
    return {"service": "web", "path": str(path), "executable": executable}


async def test_the_pidfile_of_a_dead_process_goes_into_the_quarantine(here: Changing, top: Path) -> None:
    path = top / "app.pid"
    # No pid is this high unless somebody raised the limit to its very end.
    path.write_text("4194303\n")
    effect = await here.act(RemoveStalePidfile(), "service:web", pidfile_params(path))
    assert effect.ok
    assert not path.exists()
    assert here.controls.quarantine.find(effect.undo["quarantine"]).path == str(path)


def test_the_pidfile_of_a_live_process_is_never_touched(here: Changing, top: Path, sleeper: subprocess.Popen[bytes]) -> None:
    path = top / "app.pid"
    path.write_text(str(sleeper.pid))
    running = str(Path(f"/proc/{sleeper.pid}/exe").readlink())
    for executable in ("", running, "sleep", "/opt/other"):
        # Another program, but one that was there before the file was written, is not a reused pid.
        with pytest.raises(RefusedError, match="alive"):
            here.plan(RemoveStalePidfile(), "service:web", pidfile_params(path, executable))
    assert path.read_text() == str(sleeper.pid)


def test_a_clock_that_was_set_forward_makes_no_live_process_younger_than_its_pidfile(
    here: Changing, top: Path, sleeper: subprocess.Popen[bytes]
) -> None:
    path, clock = top / "app.pid", ManualClock(datetime.now(UTC))
    path.write_text(str(sleeper.pid))
    action = RemoveStalePidfile(clock)
    for jump in (0.0, 86400.0):
        clock.jump_wall(jump)
        with pytest.raises(RefusedError, match="alive"):
            here.plan(action, "service:web", pidfile_params(path, "/opt/other"))


async def test_a_reused_pid_makes_a_pidfile_stale(here: Changing, top: Path, sleeper: subprocess.Popen[bytes]) -> None:
    path = top / "app.pid"
    path.write_text(str(sleeper.pid))
    long_ago = datetime.now(UTC).timestamp() - 86400
    os.utime(path, (long_ago, long_ago))
    with pytest.raises(RefusedError, match="alive"):
        here.plan(RemoveStalePidfile(), "service:web", pidfile_params(path))
    effect = await here.act(RemoveStalePidfile(), "service:web", pidfile_params(path, "/opt/other"))
    assert "began after the file was written" in effect.detail
    assert sleeper.poll() is None


@pytest.mark.parametrize("text", ["", "abc", "-1", "0", "12 34", "99999999999999999999", "١٢"])
def test_what_is_no_pid_is_left(text: str, here: Changing, top: Path) -> None:
    (top / "app.pid").write_text(text)
    with pytest.raises(RefusedError, match="no pid"):
        here.plan(RemoveStalePidfile(), "service:web", pidfile_params(top / "app.pid"))


async def test_a_pidfile_that_was_written_anew_is_a_stale_plan(here: Changing, top: Path) -> None:
    path = top / "app.pid"
    path.write_text("4194303")
    plan = here.plan(RemoveStalePidfile(), "service:web", pidfile_params(path))
    path.write_text("4194302")
    os.utime(path, (1, 1))
    with pytest.raises(StalePlanError):
        await RemoveStalePidfile().execute(plan, here.control())
    assert path.exists()


def test_a_clock_that_was_set_back_makes_nothing_stale(here: Changing, top: Path, sleeper: subprocess.Popen[bytes]) -> None:
    path = top / "app.pid"
    path.write_text(str(sleeper.pid))
    action = RemoveStalePidfile(ManualClock(datetime.now(UTC) - timedelta(days=400)))
    with pytest.raises(RefusedError, match="alive"):
        here.plan(action, "service:web", pidfile_params(path, "/opt/other"))
    sleeper.send_signal(signal.SIGTERM)


def test_somebody_elses_pidfile_is_not_this_services(here: Changing, top: Path) -> None:
    (top / "app.pid").write_text("4194303")
    with pytest.raises(RefusedError, match="said to be"):
        here.plan(RemoveStalePidfile(), "service:other", pidfile_params(top / "app.pid"))
    plan = here.plan(RemoveStalePidfile(), "service:web", pidfile_params(top / "app.pid"))
    assert "not at or below" in RemoveStalePidfile.Policy.model_validate({"paths": ["/run"]}).permits(plan)
    assert replace(plan, steps=()).digest != plan.digest
