"""A unit is restarted by one call: asked once at most, never under the emergency stop, and told as it ended."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.support.changing import IS_ROOT, changing
from tests.support.fake_systemd import JOB, FakeSystemd, fake_systemd
from zen_agents.adapters.event_systemd import RETURN, SIGNAL, BusMessage
from zen_agents.adapters.linux_control import LinuxControl, LinuxControls
from zen_agents.adapters.systemd_jobs import SystemdJobs
from zen_agents.clock import SystemClock
from zen_agents.errors import HostError, RefusedError
from zen_agents.ports.host_commands import Command, CommandResult
from zen_agents.ports.host_units import UnitJob

pytestmark = pytest.mark.skipif(not IS_ROOT, reason="only root may use systemd's private socket")

ASKED = [("RestartUnit", "web.service", "replace")]
GENEROUS = 20.0


@dataclass(slots=True)
class Here:
    """The changing side of this host, with a systemd of ours."""

    controls: LinuxControls
    systemd: FakeSystemd
    #: What was run as a child instead.
    ran: list[tuple[str, ...]]

    def control(self, *, durable: bool = True) -> LinuxControl:
        control = self.controls.held("act-test00")
        if durable:
            control.release()
        return control

    def stop(self) -> None:
        self.controls.flag.set(by="a test", reason="enough", at=SystemClock().now().wall)

    def records(self) -> list[str]:
        return sorted(path.name for path in (self.controls.state_dir / "running").glob("*"))


@pytest_asyncio.fixture
async def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Here]:
    made = changing(tmp_path)
    jobs = SystemdJobs(str(tmp_path / "private"))
    controls = LinuxControls(made.host, state_dir=made.state_dir, flag=made.flag, clock=SystemClock(), systemd=jobs)
    ran: list[tuple[str, ...]] = []

    async def run(self: LinuxControl, command: Command) -> CommandResult:
        del self
        ran.append(command.argv)
        return CommandResult(0, "", False, 0.0)

    monkeypatch.setattr(LinuxControl, "run", run)
    async with fake_systemd(tmp_path / "private") as systemd:
        yield Here(controls, systemd, ran)
    controls.close()


async def restarting(here: Here, *, seconds: float = GENEROUS, durable: bool = True) -> asyncio.Task[UnitJob]:
    """Begin a restart and wait until systemd was met."""
    task = asyncio.create_task(here.control(durable=durable).restart_unit("web.service", timeout_seconds=seconds))
    async with asyncio.timeout(GENEROUS):
        await here.systemd.met.wait()
    return task


async def asked(here: Here) -> None:
    async with asyncio.timeout(GENEROUS):
        await here.systemd.asked.wait()


@pytest.mark.parametrize("result", ["done", "failed", "dependency", "timeout", "canceled", "skipped"])
async def test_it_is_told_in_systemds_own_word(here: Here, result: str) -> None:
    task = await restarting(here)
    await asked(here)
    here.systemd.change()
    here.systemd.end("failed", job=f"{JOB}8", unit="other.service")
    here.systemd.enqueue()
    here.systemd.end("done" if result != "done" else "failed", job=f"{JOB}9", unit="other.service")
    here.systemd.end(result)
    assert await task == UnitJob(result)
    assert (here.systemd.calls, here.ran) == (ASKED, [])


async def test_a_job_that_ends_before_its_answer_comes_counts(here: Here) -> None:
    task = await restarting(here)
    await asked(here)
    here.systemd.end("done")
    here.systemd.enqueue()
    assert await task == UnitJob("done")


async def test_what_systemd_refuses_is_quoted_and_not_tried_another_way(here: Here) -> None:
    task = await restarting(here)
    await asked(here)
    here.systemd.refuse("Unit web.service is masked.")
    assert await task == UnitJob("refused", "Unit web.service is masked.")
    assert here.ran == []


async def test_time_that_is_over_is_told_and_the_line_is_closed(here: Here) -> None:
    task = await restarting(here, seconds=0.1)
    await asked(here)
    here.systemd.enqueue()
    job = await task
    assert (job.result, job.timed_out) == ("", True)
    assert "systemd goes on" in job.output
    async with asyncio.timeout(GENEROUS):
        await here.systemd.left.wait()
    assert (here.systemd.calls, here.ran) == (ASKED, [])


async def test_a_systemd_that_hangs_up_leaves_the_end_unknown_and_is_not_asked_again(here: Here) -> None:
    task = await restarting(here)
    await asked(here)
    here.systemd.hang_up()
    with pytest.raises(HostError, match="did not say what became of web"):
        await task
    assert (here.systemd.calls, here.ran) == (ASKED, [])


@pytest.mark.parametrize(
    "what",
    [
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        BusMessage(RETURN, 1, reply_to=1, signature="u", body=b"\1\0\0\0").encode(),
        BusMessage(RETURN, 1, reply_to=1, signature="o", body=b"\xff\0\0\0/x\0").encode(),
        BusMessage(SIGNAL, 1, "/x", "y", "JobRemoved", signature="a{us}", body=b"\0\0\0\0").encode(),
    ],
)
async def test_nonsense_leaves_the_end_unknown_and_is_not_asked_about_again(here: Here, what: bytes) -> None:
    task = await restarting(here)
    await asked(here)
    here.systemd.babble(what)
    with pytest.raises(HostError, match="did not say what became of web"):
        await task
    assert (here.systemd.calls, here.ran) == (ASKED, [])


async def test_a_restart_that_is_given_up_hangs_up(here: Here) -> None:
    task = await restarting(here)
    await asked(here)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with asyncio.timeout(GENEROUS):
        await here.systemd.left.wait()
    assert here.ran == []


async def test_nothing_is_asked_before_the_intent_is_durable(here: Here) -> None:
    control = here.control(durable=False)
    task = asyncio.create_task(control.restart_unit("web.service", timeout_seconds=GENEROUS))
    async with asyncio.timeout(GENEROUS):
        await here.systemd.met.wait()
    await _turns()
    assert here.systemd.calls == []
    control.release()
    await asked(here)
    here.systemd.enqueue()
    here.systemd.end("done")
    assert (await task).result == "done"


async def test_an_intent_that_was_not_reserved_asks_for_nothing(here: Here) -> None:
    control = here.control(durable=False)
    task = asyncio.create_task(control.restart_unit("web.service", timeout_seconds=GENEROUS))
    async with asyncio.timeout(GENEROUS):
        await here.systemd.met.wait()
    control.abort("the budget is spent")
    with pytest.raises(RefusedError, match="budget"):
        await task
    await _nothing_was_asked(here)


async def test_a_stop_between_intent_and_call_is_seen(here: Here) -> None:
    control = here.control(durable=False)
    task = asyncio.create_task(control.restart_unit("web.service", timeout_seconds=GENEROUS))
    async with asyncio.timeout(GENEROUS):
        await here.systemd.met.wait()
    here.stop()
    control.release()
    with pytest.raises(RefusedError, match="emergency"):
        await task
    await _nothing_was_asked(here)


async def test_no_group_is_on_record_for_there_is_no_child(here: Here) -> None:
    task = await restarting(here)
    await asked(here)
    assert here.records() == []
    here.systemd.enqueue()
    here.systemd.end("done")
    await task


# -- where systemd cannot be reached ------------------------------------------------------------------------------------
Break = Callable[[Path], contextlib.AbstractAsyncContextManager[Any]]


@contextlib.asynccontextmanager
async def nobody(socket: Path) -> AsyncIterator[None]:
    del socket
    yield


@contextlib.asynccontextmanager
async def unfriendly(socket: Path) -> AsyncIterator[None]:
    async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"REJECTED EXTERNAL\r\n")
        writer.close()

    async with await asyncio.start_unix_server(serve, socket):
        yield


async def test_a_start_limit_is_reset_right_before_and_what_comes_of_that_is_not_waited_for(here: Here) -> None:
    task = asyncio.create_task(here.control().restart_unit("web.service", timeout_seconds=GENEROUS, fresh_limit=True))
    await asked(here)
    here.systemd.enqueue()
    here.systemd.end("done")
    assert await task == UnitJob("done")
    async with asyncio.timeout(GENEROUS):
        await here.systemd.left.wait()
    assert (here.systemd.calls, here.ran) == ([("ResetFailedUnit", "web.service"), *ASKED], [])


async def test_without_a_line_to_systemd_its_limit_is_reset_by_systemctl_as_well(here: Here, tmp_path: Path) -> None:
    here.controls.systemd = SystemdJobs(str(tmp_path / "nobody"))
    await here.control().restart_unit("web.service", timeout_seconds=GENEROUS, fresh_limit=True)
    assert here.ran == [("systemctl", "reset-failed", "--", "web.service"), ("systemctl", "restart", "--", "web.service")]


@pytest.mark.parametrize(("result", "reached"), [("done", True), ("failed", True), ("done", False)])
async def test_a_reload_is_one_call_as_well(here: Here, tmp_path: Path, result: str, reached: bool) -> None:
    if not reached:
        here.controls.systemd = SystemdJobs(str(tmp_path / "nobody"))
    task = asyncio.create_task(here.control().reload_unit("web.service", timeout_seconds=GENEROUS))
    if reached:
        await asked(here)
        here.systemd.enqueue()
        here.systemd.end(result)
    assert await task == UnitJob(result)
    called, ran = [("ReloadUnit", "web.service", "replace")], [("systemctl", "reload", "--", "web.service")]
    assert (here.systemd.calls, here.ran) == ((called, []) if reached else ([], ran))


async def test_a_reload_is_not_asked_for_under_the_emergency_stop(here: Here) -> None:
    here.stop()
    with pytest.raises(RefusedError, match="emergency"):
        await here.control().reload_unit("web.service", timeout_seconds=GENEROUS)
    await _nothing_was_asked(here)


@pytest.mark.parametrize("broken", [nobody, unfriendly])
async def test_a_systemd_that_cannot_be_reached_is_asked_by_systemctl(here: Here, tmp_path: Path, broken: Break) -> None:
    async with broken(tmp_path / "other"):
        here.controls.systemd = SystemdJobs(str(tmp_path / "other"))
        job = await here.control().restart_unit("web.service", timeout_seconds=GENEROUS)
    assert job == UnitJob("done")
    assert here.ran == [("systemctl", "restart", "--", "web.service")]


@pytest.mark.parametrize(
    ("said", "result"),
    [
        ("Job for web.service failed because the control process exited with error code.\nSee ...", "failed"),
        ("A dependency job for web.service failed. See 'journalctl -xe' for details.", "dependency"),
        ("Failed to restart web.service: Unit web.service is masked.", "refused"),
    ],
)
async def test_what_systemctl_says_is_put_into_systemds_word(
    here: Here, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str, result: str
) -> None:
    async def run(self: LinuxControl, command: Command) -> CommandResult:
        del self, command
        return CommandResult(1, said, False, 0.1)

    monkeypatch.setattr(LinuxControl, "run", run)
    here.controls.systemd = SystemdJobs(str(tmp_path / "nobody"))
    assert await here.control().restart_unit("web.service", timeout_seconds=GENEROUS) == UnitJob(result, said)


async def _turns() -> None:
    """Let everything that could go on go on."""
    for _ in range(20):
        await asyncio.sleep(0)


async def _nothing_was_asked(here: Here) -> None:
    async with asyncio.timeout(GENEROUS):
        await here.systemd.left.wait()
    assert (here.systemd.calls, here.ran) == ([], [])
