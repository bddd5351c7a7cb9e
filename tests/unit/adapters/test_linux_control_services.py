"""A service is started by one call of systemd's: with the limits and the account it is to have, and told as it came out."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import pytest_asyncio

from tests.support.changing import IS_ROOT, changing
from tests.support.fake_systemd import FakeSystemd, fake_systemd
from zen_agents.adapters.linux_control import LinuxControl, LinuxControls
from zen_agents.adapters.linux_control_services import transient_service
from zen_agents.adapters.systemd_jobs import SystemdJobs
from zen_agents.clock import SystemClock
from zen_agents.errors import ActionFailedError, HostError, RefusedError
from zen_agents.ports.host_commands import Command
from zen_agents.ports.host_processes import Process

pytestmark = pytest.mark.skipif(not IS_ROOT, reason="only root may use systemd's private socket")

UNIT = "zen-agents-service-web-act-test00.service"
DAEMON = Command(("/bin/true", "--port=$PORT"), user="root", directory="/srv", leaves_daemon=True)


@dataclass(slots=True)
class Here:
    """The changing side of this host, with a systemd of ours."""

    controls: LinuxControls
    systemd: FakeSystemd

    def control(self, *, durable: bool = True) -> LinuxControl:
        control = self.controls.held("act-test00")
        if durable:
            control.release()
        return control


@contextlib.asynccontextmanager
async def on_a_host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[LinuxControls]:
    made = changing(tmp_path)
    jobs = SystemdJobs(str(tmp_path / "private"))
    controls = LinuxControls(made.host, state_dir=made.state_dir, flag=made.flag, clock=SystemClock(), systemd=jobs)
    monkeypatch.setattr(type(made.host.look()), "has_systemd", lambda _: True)
    yield controls
    controls.close()


@pytest_asyncio.fixture
async def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Here]:
    async with on_a_host(tmp_path, monkeypatch) as controls, fake_systemd(tmp_path / "private") as systemd:
        yield Here(controls, systemd)


async def starting(here: Here, command: Command = DAEMON) -> asyncio.Task[Process]:
    """Begin a start and wait until systemd was asked."""
    task = asyncio.create_task(here.control().start_service("web", command))
    async with asyncio.timeout(20):
        await here.systemd.asked.wait()
    return task


async def test_systemd_is_asked_once_for_a_unit_with_all_that_the_command_says(here: Here) -> None:
    task = await starting(here)
    here.systemd.enqueue()
    here.systemd.end("done", unit=UNIT)
    here.systemd.exit(0, unit=UNIT)
    await task
    ((member, unit, mode, properties, _),) = here.systemd.calls
    assert (member, unit, mode) == ("StartTransientUnit", UNIT, "fail")
    said = dict(properties)
    assert said["ExecStart"] == [("/bin/true", ["/bin/true", "--port=$$PORT"], False)], "systemd would put the variable in"
    wanted = {"Type": "exec", "CollectMode": "inactive-or-failed", "User": "0", "Group": "0", "WorkingDirectory": "/srv",
              "LimitCORE": 0, "LimitCORESoft": 0, "KillMode": "process"}  # fmt: skip
    assert {name: said[name] for name in wanted} == wanted
    assert "HOME=/root" in said["Environment"]


def test_what_stays_keeps_systemds_own_way_to_end_it() -> None:
    said = dict(transient_service("x.service", Command(("true",), user="root")))
    assert "KillMode" not in said
    assert said["ExecStart"][1][0][0].endswith("/bin/true"), "found as a command would be"


def test_a_line_break_in_an_argument_stands_only_where_systemd_escapes_it() -> None:
    said = dict(transient_service("x.service", Command(("true", "a\nExecStartPre=/bin/evil"), user="root")))
    assert [name for name, (_, value) in said.items() if "evil" in str(value)] == ["ExecStart"]


def test_a_program_that_is_not_there_is_named() -> None:
    with pytest.raises(ActionFailedError, match=r"did not start x.service: .*no-such-program.*absolute path"):
        transient_service("x.service", Command(("no-such-program",), user="root"))


@pytest.mark.parametrize(("code", "killed", "told"), [(3, False, "exit 3"), (9, True, "exit -9")])
async def test_a_command_that_ends_badly_leaves_no_daemon(here: Here, code: int, killed: bool, told: str) -> None:
    task = await starting(here)
    here.systemd.exit(0, unit="zen-agents-service-other.service")
    here.systemd.exit(code, unit=UNIT, killed=killed)
    here.systemd.enqueue()
    here.systemd.end("done", unit=UNIT)
    with pytest.raises(ActionFailedError, match=f"did not start {UNIT}: .*{told}.*journalctl -u {UNIT}"):
        await task


@pytest.mark.parametrize("result", ["failed", "timeout", "canceled"])
async def test_a_job_that_does_not_come_through_is_told_in_systemds_word(here: Here, result: str) -> None:
    task = await starting(here)
    here.systemd.enqueue()
    here.systemd.end(result, unit=UNIT)
    with pytest.raises(ActionFailedError, match=f"did not start {UNIT}: {result};"):
        await task


async def test_a_job_that_goes_on_is_no_failure_but_unknown(here: Here) -> None:
    task = await starting(here, replace(DAEMON, timeout_seconds=0.1))
    here.systemd.enqueue()
    with pytest.raises(HostError, match=f"{UNIT} was not done within 0.1 s; systemd goes on.*systemctl status {UNIT}"):
        await task


async def test_what_systemd_refuses_is_quoted(here: Here) -> None:
    task = await starting(here)
    here.systemd.refuse("Unit was already loaded or has a fragment file.")
    with pytest.raises(ActionFailedError, match="already loaded or has a fragment file"):
        await task


async def test_a_systemd_that_hangs_up_leaves_it_unknown(here: Here) -> None:
    task = await starting(here)
    here.systemd.enqueue()
    here.systemd.end("done", unit=UNIT)
    here.systemd.hang_up()
    with pytest.raises(HostError, match=f"did not say what became of {UNIT}.*systemctl status {UNIT}"):
        await task


async def test_a_stop_between_intent_and_call_is_seen(here: Here) -> None:
    control = here.control(durable=False)
    task = asyncio.create_task(control.start_service("web", DAEMON))
    async with asyncio.timeout(20):
        await here.systemd.met.wait()
    here.controls.flag.set(by="a test", reason="enough", at=SystemClock().now().wall)
    control.release()
    with pytest.raises(RefusedError, match="emergency"):
        await task
    async with asyncio.timeout(20):
        await here.systemd.left.wait()
    assert here.systemd.calls == []


async def test_a_systemd_that_cannot_be_reached_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with on_a_host(tmp_path, monkeypatch) as controls:
        control = controls.held("act-test00")
        control.release()
        with pytest.raises(HostError, match="systemd could not be reached"):
            await control.start_service("web", Command((sys.executable,), user="nobody"))
