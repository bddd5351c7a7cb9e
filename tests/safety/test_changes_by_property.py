"""Rules about what is changed on a host: whatever was there, is listed, was set or has happened since."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import string
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chaos.simulation.host import SimulatedHost
from tests.support.changing import IS_ROOT, Changing, changing
from zen_agents.actions.clean_temp_files import CleanTempFiles
from zen_agents.actions.create_directory import CreateDirectory
from zen_agents.actions.give_back_permissions import GiveBackPermissions
from zen_agents.actions.restore_permissions import RestorePermissions
from zen_agents.clock import ManualClock
from zen_agents.errors import RefusedError, StalePlanError, UnsafePathError
from zen_agents.model.action import ActionRequest
from zen_agents.model.reason import Reason
from zen_agents.ports.host_commands import Command

OWN = {"owner": str(os.geteuid()), "group": str(os.getegid())}
MODES = st.integers(0, 0o777)
SPECIAL = st.sampled_from([0, 0o1000, 0o2000, 0o4000, 0o6000])
NAMES = st.text(string.ascii_letters, min_size=1, max_size=8)


@contextmanager
def a_host() -> Iterator[tuple[Changing, Path]]:
    """Give the changing side of this host, and a directory to change things in."""
    with tempfile.TemporaryDirectory() as folder:
        here, top = changing(Path(folder)), Path(folder, "top")
        top.mkdir()
        yield here, top


def mode_of(path: Path) -> int:
    return path.stat().st_mode & 0o7777


@settings(max_examples=30)
@given(MODES, MODES, SPECIAL)
def test_what_is_restored_has_what_is_listed_and_nothing_below_it_changes(found: int, listed: int, special: int) -> None:
    """R27: setuid and setgid too only where exactly that is listed."""
    with a_host() as (here, top):
        inside = top / "inside"
        inside.touch(0o640)
        inside.chmod(0o640)
        top.chmod(found)
        wanted = listed | (special & 0o3000)
        params = {"path": str(top), "kind": "directory", "mode": f"{wanted:04o}", **OWN}
        if found == wanted:
            with pytest.raises(StalePlanError):
                here.plan(RestorePermissions(), "path:x", params)
        else:
            plan = here.plan(RestorePermissions(), "path:x", params)
            asyncio.run(RestorePermissions().execute(plan, here.control()))
            assert bool(plan.warning) == bool(wanted & ~found & 0o6077)
        assert mode_of(top) == wanted
        top.chmod(0o700)
        assert mode_of(inside) == 0o640


@settings(max_examples=30)
@given(MODES, SPECIAL, MODES, st.none() | MODES)
def test_an_undo_gives_back_what_was_unless_somebody_changed_it_since_and_never_setuid(
    was: int, special: int, listed: int, since: int | None
) -> None:
    """R31."""
    with a_host() as (here, top):
        file, action = top / "file", RestorePermissions()
        file.touch()
        file.chmod(was | special)
        if was | special == listed:
            return
        params = {"path": str(file), "kind": "file", "mode": f"{listed:04o}", **OWN}
        plan = here.plan(action, "path:x", params)
        inverse = action.inverse(plan, asyncio.run(action.execute(plan, here.control())))
        assert inverse is not None
        if since is not None:
            file.chmod(since)
        left = mode_of(file)
        if left != listed or special & 0o6000:
            with pytest.raises((StalePlanError, UnsafePathError)):
                GiveBackPermissions().plan(inverse, here.host.look())
            assert mode_of(file) == left
        else:
            undo = GiveBackPermissions().plan(inverse, here.host.look())
            asyncio.run(GiveBackPermissions().execute(undo, here.control()))
            assert mode_of(file) == was | special


@settings(max_examples=60)
@given(st.lists(NAMES, min_size=1, max_size=6), st.integers(0, 6), st.integers(0, 6))
def test_a_directory_is_made_component_by_component_and_never_where_a_mount_belongs(
    parts: list[str], there: int, mounted_at: int
) -> None:
    """R35."""
    host = SimulatedHost()
    paths = ["/srv", *(f"/srv/{'/'.join(parts[:depth])}" for depth in range(1, len(parts) + 1))]
    there, mounted_at = min(there, len(parts) - 1), min(mounted_at, len(parts))
    host.files.add_directory(paths[there])
    host.files.add_file("/etc/fstab", f"/dev/sdb1 {paths[mounted_at]} ext4 defaults 0 2\n")
    request = ActionRequest(
        "create_directory", "path:x", {"path": paths[-1], "mode": "0755", "owner": "root", "group": "root"}
    )
    if mounted_at < len(paths):
        with pytest.raises(RefusedError) as refused:
            CreateDirectory().plan(request, host.look())
        assert refused.value.reason == Reason.MOUNT_MISSING
    host.files.add_file("/etc/fstab", "")
    steps = CreateDirectory().plan(request, host.look()).steps
    assert [step.split()[2] for step in steps] == paths[there + 1 :]


@settings(max_examples=15)
@given(st.integers(1, 12), st.integers(0, 30))
def test_what_changes_many_things_asks_for_the_stop_before_each(files: int, calm_looks: int) -> None:
    """R36, and R9: once it is set nothing more is taken."""
    with a_host() as (here, top):
        for number in range(files):
            (top / str(number)).touch()
        params = {"path": str(top), "older_than_seconds": 86400.0}
        action = CleanTempFiles(ManualClock(datetime.now(UTC) + timedelta(days=10)))
        plan = here.plan(action, "temp_dir:app", params)
        control, looks, left_when_set = here.control(), 0, files

        def read() -> str | None:
            nonlocal looks, left_when_set
            looks += 1
            if looks == calm_looks + 1:
                left_when_set = len(list(top.iterdir()))
            return "set by alice" if looks > calm_looks else None

        with mock.patch.object(here.flag, "read", read):
            try:
                asyncio.run(action.execute(plan, control))
            except RefusedError as refused:
                assert "alice" in str(refused)
        is_stopped = looks > calm_looks
        assert is_stopped or looks >= files, "it asked before some of them only"
        assert len(list(top.iterdir())) == (left_when_set if is_stopped else 0)


@settings(max_examples=25)
@given(st.integers(-(10**9), 10**9).filter(bool), st.sampled_from([signal.SIGTERM, signal.SIGKILL, signal.SIGSTOP]))
def test_a_process_that_began_at_any_other_time_gets_no_signal(off: int, number: signal.Signals) -> None:
    """R20: a number that is used again is another process."""
    with a_host() as (here, _), subprocess.Popen(["sleep", "600"]) as sleeper:
        try:
            process = here.host.look().process(sleeper.pid)
            assert process is not None
            with pytest.raises(StalePlanError):
                here.control().signal(process._replace(start_time=process.start_time + off), number)
            after = here.host.look().process(sleeper.pid)
            assert after is not None and after.state not in "TZX"
        finally:
            sleeper.kill()


#: What may stand in a child's environment: what the engine says, and what a shell adds.
CLEAN = {"PATH", "LANG", "HOME", "USER", "LOGNAME", "SHELL", "PWD", "OLDPWD", "LC_CTYPE", "_"}
OBEYED = ["LD_PRELOAD", "LD_LIBRARY_PATH", "PYTHONPATH", "PYTHONSTARTUP", "BASH_ENV", "ENV", "IFS", "NOTIFY_SOCKET"]
VARIABLES = st.dictionaries(
    NAMES.map(lambda name: f"Z{name}") | st.sampled_from(OBEYED),
    st.text(string.ascii_letters + "/:=;$`", max_size=20),
    max_size=6,
)


@settings(max_examples=12)
@given(VARIABLES)
def test_whatever_the_engine_was_started_with_a_child_knows_nothing_of_it(variables: dict[str, str]) -> None:
    """R23."""
    script = "import json, os; print(json.dumps([*os.environ]))"
    with a_host() as (here, _), mock.patch.dict(os.environ, variables):
        command = Command((sys.executable, "-I", "-c", script), timeout_seconds=60.0)
        result: Any = asyncio.run(here.control().run(command))
    assert set(json.loads(result.output)) <= CLEAN


@pytest.mark.skipif(not IS_ROOT, reason="only root may give a file to another account")
@settings(max_examples=20)
@given(st.integers(0, 70_000), st.integers(0, 70_000), MODES)
def test_owner_and_mode_are_those_that_are_listed_whoever_had_it(owner: int, listed: int, mode: int) -> None:
    """R27, of what another account had."""
    with a_host() as (here, top):
        file = top / "file"
        file.touch()
        file.chmod(0o604)
        os.chown(file, owner, owner)
        params = {"path": str(file), "kind": "file", "mode": f"{mode:04o}", "owner": str(listed), "group": str(listed)}
        if (owner, 0o604) != (listed, mode):
            plan = here.plan(RestorePermissions(), "path:x", params)
            asyncio.run(RestorePermissions().execute(plan, here.control()))
        state = file.stat()
        assert (state.st_mode & 0o7777, state.st_uid, state.st_gid) == (mode, listed, listed)
