from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from chaos.simulation.host import SimulatedHost
from tests.support.acting import members
from tests.support.changing import IS_ROOT, OWN_ACCOUNT, Changing, changing, until
from zen_agents.actions.restart_service import RestartService
from zen_agents.errors import ActionFailedError, HostError, RefusedError, StalePlanError
from zen_agents.model.action import ActionRequest, Effect, Plan, Resource, ResourceKind
from zen_agents.ports.host_units import UnitJob

ACTION = RestartService()


# -- units ----------------------------------------------------------------------------------------------------------------
def unit_request() -> ActionRequest:
    return ActionRequest("restart_service", "service:web", {"service": "web", "unit": "web.service"})


async def restart(host: SimulatedHost) -> tuple[Plan, Effect]:
    plan = ACTION.plan(unit_request(), host.look())
    return plan, await ACTION.execute(plan, host.control())


async def test_a_unit_is_restarted_once() -> None:
    host = SimulatedHost()
    host.add_service("web", unit="web.service")
    host.start("web")
    host.advance(5)
    host.crash("web")
    host.changes.clear()
    plan, effect = await restart(host)
    assert plan.steps == ("systemctl restart -- web.service",)
    assert plan.touches == (Resource(ResourceKind.UNIT, "web.service"),)
    assert host.changes == ["restart web.service"]
    assert effect.ok
    assert effect.before.startswith("failed")
    assert effect.after.startswith("active")
    assert ACTION.postcondition(plan) == ("unit.web", "service:web")


async def test_a_job_that_failed_is_reported_and_is_no_success() -> None:
    host = SimulatedHost()
    service = host.add_service("web", unit="web.service", refuses_to_start=True)
    _, effect = await restart(host)
    assert service.pid == 0
    assert not effect.ok
    assert effect.detail.startswith("systemd's restart of web.service: failed")


async def test_what_systemd_refuses_is_no_success_and_quoted() -> None:
    host = SimulatedHost()
    host.add_service("web", unit="web.service")
    host.job_ends = UnitJob("refused", "Operation refused, unit web.service may be requested by dependency only.")
    _, effect = await restart(host)
    assert not effect.ok
    assert "refused" in effect.detail
    assert effect.output.startswith("Operation refused")


async def test_a_job_that_takes_too_long_is_no_success() -> None:
    host = SimulatedHost()
    host.add_service("web", unit="web.service")
    host.job_ends = UnitJob("", "not done within 120 s; systemd goes on with it", timed_out=True)
    _, effect = await restart(host)
    assert not effect.ok
    assert "did not end in time" in effect.detail


async def test_systemds_start_limit_is_known_and_told() -> None:
    host = SimulatedHost()
    service = host.add_service("web", unit="web.service")
    host.start("web")
    host.crash("web")
    service.result = "start-limit-hit"
    host.changes.clear()
    plan, effect = await restart(host)
    assert plan.steps == (
        "systemctl reset-failed -- web.service (systemd's own start limit was hit)",
        "systemctl restart -- web.service",
    )
    assert host.changes == ["reset the start limit of web.service", "restart web.service"]
    assert "systemd's own start limit was hit; the limit (5 starts in 10 s) was reset" in effect.detail


def given_up_by_systemd() -> SimulatedHost:
    host = SimulatedHost()
    service = host.add_service("web", unit="web.service")
    host.start("web")
    host.crash("web")
    service.restarts = 3
    host.changes.clear()
    return host


async def test_what_systemd_gave_up_after_its_own_restarts_gets_one_more_round_of_them() -> None:
    host = given_up_by_systemd()
    plan, effect = await restart(host)
    assert plan.steps == (
        "systemctl reset-failed -- web.service (systemd gave it up after 3 restarts of its own)",
        "systemctl restart -- web.service",
    )
    assert host.changes == ["reset the start limit of web.service", "restart web.service"]
    assert "the limit (5 starts in 10 s) was reset" in effect.detail


async def test_a_retry_leaves_systemds_limit_as_it_is() -> None:
    host = given_up_by_systemd()
    plan = ACTION.plan(replace(unit_request(), attempt=2), host.look())
    assert plan.steps == ("systemctl restart -- web.service",)
    await ACTION.execute(plan, host.control())
    assert host.changes == ["restart web.service"]


async def test_an_attempt_that_ended_with_its_engine_is_not_taken_for_the_round_that_systemd_gets() -> None:
    host = given_up_by_systemd()
    plan = ACTION.plan(replace(unit_request(), attempt=2, unsaid=1), host.look())
    await ACTION.execute(plan, host.control())
    assert host.changes == ["reset the start limit of web.service", "restart web.service"]
    host.crash("web")
    host.services["web"].restarts = 3
    third = ACTION.plan(replace(unit_request(), attempt=3, unsaid=1), host.look())
    assert third.steps == ("systemctl restart -- web.service",), "the second one began a round"


async def test_what_fails_while_systemd_is_waited_for_is_judged_by_what_it_is_then() -> None:
    host = given_up_by_systemd()
    service = host.services["web"]
    service.active_state = "activating"
    plan = ACTION.plan(unit_request(), host.look())
    assert plan.steps == (
        "wait until web.service is no longer activating",
        "systemctl reset-failed -- web.service, if systemd has given it up by then",
        "systemctl restart -- web.service",
    )
    service.active_state = "failed"
    effect = await ACTION.execute(plan, host.control())
    assert host.changes == ["reset the start limit of web.service", "restart web.service"]
    assert "systemd gave it up after 3 restarts of its own" in effect.detail


@pytest.mark.parametrize(("ended", "told"), [("failed", True), ("dependency", False)])
async def test_a_start_limit_is_known_by_a_run_that_did_not_begin(ended: str, told: bool) -> None:
    host = SimulatedHost()
    host.add_service("web", unit="web.service")
    host.start("web")
    host.crash("web")
    host.job_ends = UnitJob(ended)
    _, effect = await restart(host)
    assert not effect.ok
    assert ("its start limit (5 starts in 10 s) is hit" in effect.detail) is told


def test_an_unknown_unit_is_refused() -> None:
    with pytest.raises(RefusedError, match="knows no unit"):
        ACTION.plan(unit_request(), SimulatedHost().look())


async def test_a_unit_that_came_back_while_systemd_was_busy_with_it_is_left() -> None:
    host = SimulatedHost()
    service = host.add_service("web", unit="web.service")
    host.start("web")
    host.crash("web")
    service.active_state = "activating"
    plan = ACTION.plan(unit_request(), host.look())
    assert plan.steps[0] == "wait until web.service is no longer activating"
    host.start("web")
    host.changes.clear()
    with pytest.raises(StalePlanError, match="started again"):
        await ACTION.execute(plan, host.control())
    assert host.changes == []


async def test_what_cannot_be_told_is_not_restarted() -> None:
    host = SimulatedHost()
    host.add_service("web", unit="web.service")
    host.faults.fail("unit")
    with pytest.raises(HostError):
        ACTION.plan(unit_request(), host.look())


@pytest.mark.parametrize("target", ["", "service:", "unit:web", "service:other"])
def test_the_target_must_be_this_service(target: str) -> None:
    host = SimulatedHost()
    host.add_service("web", unit="web.service")
    with pytest.raises(RefusedError):
        ACTION.plan(ActionRequest("restart_service", target, unit_request().params), host.look())


@pytest.mark.parametrize(
    "params",
    [
        {"service": "web"},
        {"service": "web", "unit": "web.service", "command": {"start": ["x"]}},
        {"service": "web", "unit": "web.service", "pidfile": "/run/web.pid"},
        {"service": "web", "unit": "--force"},
        {"service": "../web", "unit": "web.service"},
        {"service": "web", "command": {"start": []}},
        {"service": "web", "command": {"start": "rm -rf /"}},
        {"service": "web", "unit": "web.service", "shell": True},
    ],
)
def test_there_is_exactly_one_way_to_start(params: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        RestartService.Params.model_validate(params)


def test_the_scope_names_units_and_services() -> None:
    host = SimulatedHost()
    host.add_service("web", unit="web.service")
    plan = ACTION.plan(unit_request(), host.look())
    policy = RestartService.Policy
    assert policy().permits(plan) == ""
    assert policy.model_validate({"units": ["web.service"]}).permits(plan) == ""
    assert policy.model_validate({"units": ["nginx.service"]}).permits(plan) == "web.service is not in units"
    assert policy.model_validate({"services": ["web"]}).permits(plan) != ""
    by_command = ACTION.plan(
        ActionRequest("restart_service", "service:app", {"service": "app", "command": {"start": ["app"]}}), host.look()
    )
    assert policy.model_validate({"services": ["app"]}).permits(by_command) == ""
    assert "not in services" in policy.model_validate({"units": ["web.service"]}).permits(by_command)


# -- commands, with real processes ----------------------------------------------------------------------------------------
@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[Changing]:
    made = changing(tmp_path)
    yield made
    process = made.host.look().service_process("web")
    for pid in members(process.pid) if process is not None else ():
        os.kill(pid, signal.SIGKILL)
    made.controls.close()


def params(start: list[str], **more: Any) -> dict[str, Any]:
    command = {"start": start, "user": OWN_ACCOUNT, **{key: more.pop(key) for key in ("stop", "restart") if key in more}}
    return {"service": "web", "command": command, **more}


SLEEP = ["sleep", "600"]


async def test_what_is_gone_is_started(here: Changing) -> None:
    plan = here.plan(ACTION, "service:web", params(SLEEP))
    assert plan.fingerprint == "absent"
    assert plan.touches == (Resource(ResourceKind.SERVICE, "web"),)
    who = " as root" if IS_ROOT else ""
    assert plan.steps == (f'run ["sleep", "600"]{who} in /',)
    effect = await ACTION.execute(plan, here.control())
    process = here.host.look().service_process("web")
    assert process is not None
    assert effect.after == f"process {process.pid}"
    assert ACTION.postcondition(plan) == ("process.web", "service:web")


async def test_what_is_there_is_stopped_first(here: Changing) -> None:
    await here.act(ACTION, "service:web", params(SLEEP))
    first = here.host.look().service_process("web")
    assert first is not None
    os.kill(first.pid, signal.SIGSTOP)
    plan = here.plan(ACTION, "service:web", params(SLEEP))
    assert plan.fingerprint == first.fingerprint
    assert Resource(ResourceKind.PROCESS, first.fingerprint) in plan.touches
    assert plan.steps[0] == f"signal TERM to process {first.pid} (sleep), KILL after 10 s"
    await ACTION.execute(plan, here.control())
    second = here.host.look().service_process("web")
    assert second is not None
    assert second.fingerprint != first.fingerprint
    assert here.host.look().process(first.pid) is None


async def test_its_own_stop_command_is_tried_before_signals(here: Changing, tmp_path: Path) -> None:
    stop = ["sh", "-c", f"echo asked >> {tmp_path / 'asked'}"]
    await here.act(ACTION, "service:web", params(SLEEP, stop=stop))
    first = here.host.look().service_process("web")
    assert first is not None
    assert not (tmp_path / "asked").exists()
    # The command only says it stopped: after the time-out signals do.
    await here.act(ACTION, "service:web", params(SLEEP, stop=stop, stop_timeout_seconds=0.3))
    assert (tmp_path / "asked").read_text() == "asked\n"
    assert here.host.look().process(first.pid) is None


async def test_a_restart_command_is_used_while_the_service_is_there(here: Changing, tmp_path: Path) -> None:
    again = ["sh", "-c", f"echo again; touch {tmp_path / 'again'}"]
    await here.act(ACTION, "service:web", params(SLEEP, restart=again))
    first = here.host.look().service_process("web")
    assert not (tmp_path / "again").exists()
    effect = await here.act(ACTION, "service:web", params(SLEEP, restart=again))
    assert (tmp_path / "again").exists()
    assert (effect.ok, effect.exit_code, effect.output) == (True, 0, "again\n")
    assert here.host.look().service_process("web") == first


async def test_a_process_that_changed_since_planning_is_a_stale_plan(here: Changing) -> None:
    plan = here.plan(ACTION, "service:web", params(SLEEP))
    await ACTION.execute(plan, here.control())
    with pytest.raises(StalePlanError, match="another process"):
        await ACTION.execute(plan, here.control())


async def test_a_service_that_dies_at_once_is_a_failure_with_its_words(
    here: Changing, monkeypatch: pytest.MonkeyPatch
) -> None:
    # However long a busy machine takes for it.
    monkeypatch.setattr("zen_agents.adapters.linux_control_services._AT_ONCE_SECONDS", 30.0)
    start = [sys.executable, "-c", "raise SystemExit('bad configuration')"]
    with pytest.raises(ActionFailedError, match="bad configuration"):
        await here.act(ACTION, "service:web", params(start))


async def test_a_daemon_is_known_by_its_pidfile(here: Changing, tmp_path: Path) -> None:
    pidfile = tmp_path / "web.pid"
    start = ["sh", "-c", f"sleep 600 & echo $! > {pidfile}"]
    daemon = params(start, pidfile=str(pidfile))
    await here.act(ACTION, "service:web", daemon)
    await until(lambda: here.host.look().pidfile_process(str(pidfile)) is not None)
    first = here.host.look().pidfile_process(str(pidfile))
    await here.act(ACTION, "service:web", daemon)
    await until(lambda: here.host.look().pidfile_process(str(pidfile)) not in (None, first))
    second = here.host.look().pidfile_process(str(pidfile))
    assert second is not None
    assert await here.control().stop_process(second, timeout_seconds=10.0)


async def test_a_port_is_free_again_when_the_new_process_needs_it(here: Changing, tmp_path: Path) -> None:
    # A worker that the main process leaves behind would keep the port.
    script = (
        "import os, socket, sys, time\n"
        "listener = socket.socket(); listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)\n"
        "port = int(open(sys.argv[1]).read()) if os.path.exists(sys.argv[1]) else 0\n"
        "listener.bind(('127.0.0.1', port)); listener.listen()\n"
        "open(sys.argv[1], 'w').write(str(listener.getsockname()[1]))\n"
        "os.fork(); time.sleep(600)\n"
    )
    service = params([sys.executable, "-c", script, str(tmp_path / "port")])
    await here.act(ACTION, "service:web", service)
    await until(lambda: (tmp_path / "port").exists() and (tmp_path / "port").read_text() != "")
    port = int((tmp_path / "port").read_text())
    await here.act(ACTION, "service:web", service)
    async with asyncio.timeout(20):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except ConnectionError:
                await asyncio.sleep(0.02)
                continue
            writer.close()
            await writer.wait_closed()
            break
    assert int((tmp_path / "port").read_text()) == port


async def test_a_stop_command_that_fails_does_not_stand_in_the_way(here: Changing) -> None:
    await here.act(ACTION, "service:web", params(SLEEP))
    effect = await here.act(ACTION, "service:web", params(SLEEP, stop=["sh", "-c", "exit 3"]))
    assert effect.ok


@pytest.mark.parametrize("probe", [{"tcp": "127.0.0.1:80"}, {"http": {"url": "http://127.0.0.1:80/"}}])
async def test_what_answers_gets_no_second_copy_though_no_process_of_it_is_known(probe: dict[str, Any]) -> None:
    host = SimulatedHost(systemd=False)
    host.add_service("stray", command=("/srv/web",), port=80)
    host.start("stray")
    host.advance(5)
    host.add_service("web", command=("/srv/web",), port=81)
    wanted = {"service": "web", "command": {"start": ["/srv/web"]}, "probe": probe}
    plan = ACTION.plan(ActionRequest("restart_service", "service:web", wanted), host.look())
    with pytest.raises(RefusedError, match="web answers") as refused:
        await ACTION.preflight(plan, host.look())
    assert refused.value.reason == "answers"
    host.crash("stray")
    await ACTION.preflight(plan, host.look())


async def test_what_is_known_is_restarted_whether_it_answers_or_not() -> None:
    host = SimulatedHost(systemd=False)
    host.add_service("web", command=("/srv/web",), port=80)
    host.start("web")
    host.advance(5)
    wanted = {"service": "web", "command": {"start": ["/srv/web"]}, "probe": {"tcp": "127.0.0.1:80"}}
    plan = ACTION.plan(ActionRequest("restart_service", "service:web", wanted), host.look())
    await ACTION.preflight(plan, host.look())
    assert (await ACTION.execute(plan, host.control())).ok


@pytest.mark.parametrize("probe", [{}, {"tcp": "127.0.0.1:80", "http": {"url": "http://127.0.0.1/"}}])
def test_a_probe_asks_one_question(probe: dict[str, Any]) -> None:
    wanted = {"service": "web", "command": {"start": ["/srv/web"]}, "probe": probe}
    with pytest.raises(ValidationError, match="exactly one"):
        ACTION.plan(ActionRequest("restart_service", "service:web", wanted), SimulatedHost(systemd=False).look())


async def test_a_simulated_service_restarts_by_its_command_too() -> None:
    host = SimulatedHost(systemd=False)
    host.add_service("web", command=("/srv/web",))
    request = ActionRequest("restart_service", "service:web", {"service": "web", "command": {"start": ["/srv/web"]}})
    effect = await ACTION.execute(ACTION.plan(request, host.look()), host.control())
    assert effect.ok
    assert host.services["web"].pid != 0


# -- whose doing it is ----------------------------------------------------------------------------------------------------
def test_what_is_taken_along_is_named_through_any_number_of_units() -> None:
    host = SimulatedHost()
    host.add_service("web", unit="web.service", takes_along=("worker.service",))
    host.add_service("worker", unit="worker.service", takes_along=("web.service", "mailer.service"))
    plan = ACTION.plan(unit_request(), host.look())
    assert {resource.name for resource in plan.along} == {"worker.service", "mailer.service"}
    assert plan.disturbs == {"unit:web.service", "unit:worker.service", "unit:mailer.service"}
    assert plan.touches == (Resource(ResourceKind.UNIT, "web.service"),)


def test_only_a_stop_is_somebodys_doing() -> None:
    host = SimulatedHost()
    host.add_service("web", unit="web.service")
    host.start("web")
    host.advance(5)
    host.crash("web")
    assert ACTION.undone(ACTION.plan(unit_request(), host.look())) == ""
    host.start("web")
    host.advance(5)
    host.stop("web")
    assert ACTION.undone(ACTION.plan(unit_request(), host.look())) == "stopped web.service"
