"""Upgrades of real environments: real uv, real wheels, real namespaces."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.engine_process import wait_for
from tests.support.index_server import index_server
from tests.support.upgrading import ID, UpgradeSite, upgrade_site, why_no_trials
from tests.support.wheelhouse import freeze, install, uv_lock, write_wheel
from zen_agents.actions.give_back_environment import GiveBackEnvironment
from zen_agents.adapters import environment_copy, environment_stage
from zen_agents.adapters.environment_recovery import recover
from zen_agents.clock import SystemClock
from zen_agents.errors import HostError, RefusedError, StalePlanError, UnsafePathError

REPOSITORY = Path(__file__).parents[3]

pytestmark = pytest.mark.skipif(bool(why_no_trials()), reason=why_no_trials() or "it can")


@pytest.fixture
def site() -> Iterator[UpgradeSite]:
    with upgrade_site() as made:
        yield made


async def test_the_least_upgrade_is_tried_and_put_in_place_and_can_be_taken_back(site: UpgradeSite) -> None:
    site.write_lib("2.0")
    plan = await site.plan(smoke=[str(site.venv / "bin" / "acme")])
    assert plan.steps[0] == "acme-lib 1.0 -> 1.2 (A-acme-lib)"
    effect = await site.action.execute(plan, site.control())
    assert effect.ok, effect
    assert freeze(site.venv) == b"acme-lib==1.2\napp==1.0\n"
    # A command of the environment holds its path, and was built to hold this one.
    assert site.says(["acme"]) == "1.2"
    assert site.left_beside() == [f".venv.zen-agents-{ID}", f"{ID}.json"]
    assert "smoke" in effect.output and "before:\nacme-lib==1.0" in effect.output

    undo, inverse = site.action.inverse(plan, effect), GiveBackEnvironment()
    assert undo is not None
    back = inverse.plan(undo, site.host.look())
    assert back.steps[1:] == ("- acme-lib==1.2", "+ acme-lib==1.0")
    assert (await inverse.execute(back, site.control("act-bbbbbb"))).ok
    assert inverse.missing(back, site.host.look()) == ""
    assert site.is_as_before()
    assert site.left_beside() == []
    with pytest.raises(StalePlanError):
        inverse.plan(undo, site.host.look())


@pytest.mark.parametrize("smoke", [["bin/false"], ["no-such-program"]])
async def test_a_smoke_test_that_fails_leaves_everything_as_it_was(site: UpgradeSite, smoke: list[str]) -> None:
    effect = await site.act(smoke=["/usr/" + smoke[0]])
    assert not effect.ok
    assert effect.detail.startswith("the trial failed at smoke (exit ")
    assert effect.detail.endswith(f"{site.venv} is as it was")
    assert site.is_as_before()
    assert site.left_beside() == []


async def test_a_module_that_cannot_be_imported_any_more_fails_the_trial(site: UpgradeSite) -> None:
    site.write_lib("1.2", "raise ImportError('forgotten file')\n")
    effect = await site.act()
    assert "the trial failed at imports (exit 1)" in effect.detail
    assert "forgotten file" in effect.output
    assert site.is_as_before()


async def test_an_emergency_stop_breaks_a_trial_off_and_nothing_is_left_of_it(site: UpgradeSite) -> None:
    plan = await site.plan(smoke=["/bin/sleep", "86399"], smoke_seconds=600.0)
    done = asyncio.create_task(site.action.execute(plan, site.control()))
    await asyncio.to_thread(wait_for, lambda: sleeping("86399"), "the smoke test")
    (site.state / "EMERGENCY_STOP").write_text("set by the test\n")
    with pytest.raises(RefusedError, match="set by the test"):
        await done
    assert not sleeping("86399")
    assert site.is_as_before()
    assert site.left_beside() == []


def sleeping(seconds: str) -> bool:
    words = f"/bin/sleep\0{seconds}\0".encode()
    return any(path.read_bytes() == words for path in Path("/proc").glob("[0-9]*/cmdline") if path.exists())


@pytest.mark.parametrize("link", ["venv", "releases/current/venv"])
async def test_an_environment_that_is_reached_through_a_link_is_refused_with_what_to_name(
    site: UpgradeSite, link: str
) -> None:
    reached = site.directory / "linked" / link
    reached.parent.parent.mkdir(parents=True, exist_ok=True)
    to, what = (reached, site.venv) if link == "venv" else (reached.parent, site.directory)
    to.parent.mkdir(exist_ok=True)
    to.symlink_to(what)
    with pytest.raises(RefusedError, match=f"link to {site.venv}, .*name that directory in the configuration"):
        await site.plan(venv=str(reached))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root could run it as root")
async def test_root_without_a_user_is_refused_before_anything_runs(site: UpgradeSite) -> None:
    with pytest.raises(RefusedError, match="user:"):
        await site.plan(user="")
    with pytest.raises(RefusedError, match="user:"):
        await site.plan(user="root")


STEPS = [
    "before:make", "after:make", "before:settle", "after:settle", "before:switch", "before:exchange_names",
    "after:exchange_names", "before:keep",
]  # fmt: skip


@pytest.mark.parametrize("step", STEPS)
def test_an_engine_that_is_killed_at_any_step_leaves_what_was_there_once_the_next_one_has_looked(
    site: UpgradeSite, step: str
) -> None:
    argv = [sys.executable, "-m", "tests.support.upgrade_killed", str(site.directory), step]
    ended = subprocess.run(argv, cwd=REPOSITORY, capture_output=True, timeout=60, check=False)
    assert ended.returncode == -signal.SIGKILL, ended.stderr.decode()
    # Whole at any moment: the old one or the new one.
    assert site.says(["acme"]) == ("1.2" if step in ("after:exchange_names", "before:keep") else "1.0")
    recover(site.state, site.controls().quarantine, SystemClock())
    assert site.is_as_before()
    assert site.left_beside() == []


def test_what_was_proven_stays_over_a_crash_and_what_was_there_can_still_be_given_back(site: UpgradeSite) -> None:
    argv = [sys.executable, "-m", "tests.support.upgrade_killed", str(site.directory), "after:keep"]
    assert subprocess.run(argv, cwd=REPOSITORY, timeout=60, check=False).returncode == -signal.SIGKILL
    recover(site.state, site.controls().quarantine, SystemClock())
    assert site.says(["acme"]) == "1.2"
    asyncio.run(site.control("act-bbbbbb").switch_environment_back(ID))
    assert site.is_as_before()


async def test_a_full_disk_leaves_everything_as_it_was(site: UpgradeSite, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = await site.plan()
    with monkeypatch.context() as full:
        full.setattr(environment_stage, "_ROOM_BYTES", 1 << 60)
        with pytest.raises(HostError, match="make room: nothing was done"):
            await site.action.execute(plan, site.control())
    assert site.left_beside() == []

    def copied(*_: int) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as full:
        full.setattr(os, "copy_file_range", copied)
        with pytest.raises(HostError, match="No space left on device"):
            await site.action.execute(plan, site.control())
    assert site.is_as_before()
    assert site.left_beside() == []


async def test_what_an_index_serves_has_the_hash_that_was_planned_or_is_refused(site: UpgradeSite) -> None:
    with index_server(site.wheels) as index:
        source = {"wheels": [], "index": f"{index.url}/simple"}
        plan = await site.plan(**source)
        another = write_wheel(site.directory / "others", "acme-lib", "1.2")
        index.swapped[another.name] = another.read_bytes()
        effect = await site.action.execute(plan, site.control())
    assert effect.detail.startswith("the trial failed at install")
    assert "Hash mismatch" in effect.output
    assert site.is_as_before()


async def test_an_environment_that_somebody_changes_meanwhile_is_not_replaced(site: UpgradeSite) -> None:
    plan = await site.plan()
    control = site.control()
    await control.try_environment(site.trial(plan))
    next(site.venv.glob("lib/python3*/site-packages/app.py")).write_text("import acme_lib  # by hand\n")
    with pytest.raises(StalePlanError, match="somebody changed"):
        await control.switch_environment()
    assert site.is_as_before()
    assert site.left_beside() == []


@pytest.mark.parametrize("write_back", [False, True])
async def test_what_pins_the_environment_is_written_only_where_that_is_wanted_and_given_back(
    site: UpgradeSite, write_back: bool
) -> None:
    pins = site.directory / "requirements.txt"
    pins.write_text("acme-lib==1.0\napp==1.0\n")
    plan = await site.plan(requirements=str(pins), write_back=write_back)
    effect = await site.action.execute(plan, site.control())
    assert effect.ok
    assert pins.read_text() == ("acme-lib==1.2\napp==1.0\n" if write_back else "acme-lib==1.0\napp==1.0\n")
    assert ("+acme-lib==1.2" in effect.output) is not write_back
    undo, inverse = site.action.inverse(plan, effect), GiveBackEnvironment()
    assert undo is not None
    await inverse.execute(inverse.plan(undo, site.host.look()), site.control("act-bbbbbb"))
    assert pins.read_text() == "acme-lib==1.0\napp==1.0\n"
    assert site.is_as_before()


async def test_a_lock_of_uv_says_what_is_installed_and_the_old_one_is_given_back(site: UpgradeSite) -> None:
    lock = site.lock_project()
    before = lock.read_bytes()
    plan = await site.plan(requirements=str(lock))
    assert f"write the new versions to {lock}, and keep what is there" in plan.steps
    effect = await site.action.execute(plan, site.control())
    assert effect.ok, effect
    assert f"; {lock} says so too" in effect.detail
    uv_lock(lock.parent, "--check")
    assert b'version = "1.2"' in lock.read_bytes()
    undo, inverse = site.action.inverse(plan, effect), GiveBackEnvironment()
    assert undo is not None
    await inverse.execute(inverse.plan(undo, site.host.look()), site.control("act-bbbbbb"))
    assert lock.read_bytes() == before
    assert site.is_as_before()


async def test_where_the_lock_of_uv_could_not_say_so_people_are_only_told(site: UpgradeSite) -> None:
    lock = site.lock_project()
    project = lock.with_name("pyproject.toml")
    # Its version would have to be built, which is never done.
    project.write_text(project.read_text().replace("version = '1'", "dynamic = ['version']"))
    with pytest.raises(RefusedError, match=r"only told: .*uv\.lock would not say.*--upgrade-package acme-lib==1\.2"):
        await site.plan(requirements=str(lock))
    effect = await site.act(requirements=str(lock), write_back=False)
    assert effect.ok
    assert "uv.lock does not say so yet" in effect.detail


async def test_an_environment_that_was_changed_since_it_was_planned_is_not_tried(site: UpgradeSite) -> None:
    plan = await site.plan()
    write_wheel(site.wheels, "late", "1.0")
    install(site.venv, site.wheels, ["late"])
    effect = await site.action.execute(plan, site.control())
    assert effect.detail.startswith(
        "the trial failed at compare (exit 1): it holds something else than when this was planned"
    )
    assert site.left_beside() == []


async def test_an_action_that_is_cancelled_while_it_switches_leaves_what_was_there(site: UpgradeSite) -> None:
    control = site.control()
    await control.try_environment(site.trial(await site.plan()))
    switching = asyncio.ensure_future(control.switch_environment())
    await asyncio.sleep(0)
    switching.cancel()
    with pytest.raises(asyncio.CancelledError):
        await switching
    assert site.is_as_before()
    assert site.left_beside() == []


async def test_a_link_in_the_place_of_the_environment_is_refused(site: UpgradeSite) -> None:
    plan = await site.plan()
    site.venv.rename(site.directory / "real")
    site.venv.symlink_to(site.directory / "real")
    with pytest.raises(UnsafePathError, match="name the real directory"):
        await site.action.execute(plan, site.control())


async def test_what_is_tried_can_write_nothing_but_its_own_and_sees_no_network(site: UpgradeSite) -> None:
    mark = site.directory / "mark"
    mark.mkdir(mode=0o777)
    mark.chmod(0o777)
    script = (
        "import os, socket, sys\n"
        f"for place in ({str(mark)!r}, {str(site.venv)!r}):\n"
        "    try:\n"
        "        open(place + '/written', 'w')\n"
        "        sys.exit('wrote ' + place)\n"
        "    except OSError:\n"
        "        pass\n"
        "open(os.environ['TMPDIR'] + '/scratch', 'w').close()\n"
        "assert [name for _, name in socket.if_nameindex()] == ['lo'], socket.if_nameindex()\n"
        "assert os.getuid() != 0\n"
    )
    effect = await site.act(smoke=[f"{site.venv}/bin/python", "-c", script])
    assert effect.ok, effect.output
    assert not list(mark.iterdir())


async def test_a_smoke_test_that_never_ends_is_ended_with_all_that_it_began(site: UpgradeSite) -> None:
    effect = await site.act(smoke=["/bin/sh", "-c", "sleep 1000 & sleep 1000"], smoke_seconds=0.5)
    assert effect.detail.startswith("the trial failed at smoke (did not end in time)")
    assert site.is_as_before()
    assert site.left_beside() == []


def test_a_copy_is_like_the_original_and_is_given_back_to_its_owners(tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    (old / "lib").mkdir(parents=True, mode=0o750)
    (old / "lib" / "module.py").write_text("x = 1\n")
    (old / "lib" / "module.py").chmod(0o640)
    (old / "bin").symlink_to("lib")
    new.mkdir()
    source, target = (os.open(path, os.O_RDONLY) for path in (old, new))
    try:
        environment_copy.Copying(str(old), None, lambda: None).copy(source, target)
        assert environment_copy.likeness(source, "") == environment_copy.likeness(target, "")
        (new / "lib" / "fresh.py").write_text("")
        (new / "lib" / "fresh.py").chmod(0o666)
        environment_copy.give_back_ownership(source, target, "")
        assert (new / "lib" / "fresh.py").stat().st_mode & 0o777 == 0o644
        assert environment_copy.likeness(source, "") != environment_copy.likeness(target, "")
        assert (new / "bin").readlink() == Path("lib")
        os.mkfifo(old / "fifo")
        with pytest.raises(UnsafePathError, match="neither a file"):
            environment_copy.Copying(str(old), None, lambda: None).copy(source, target)
    finally:
        os.close(source)
        os.close(target)
