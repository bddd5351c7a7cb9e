"""Stuck jobs and their locks: what counts as a run, which one is ended, and what is left alone."""

from __future__ import annotations

from typing import Any

import pytest

from chaos.simulation.host import SimulatedHost
from chaos.simulation.process import SimulatedProcess
from zen_agents.actions.clear_stale_lock import ClearStaleLock
from zen_agents.actions.end_stuck_job import EndStuckJob, JobsPolicy
from zen_agents.actions.give_back_file import GiveBackFile
from zen_agents.checks.job import JobCheck
from zen_agents.errors import RefusedError, StalePlanError
from zen_agents.model.action import ActionRequest, Plan
from zen_agents.model.observation import Status
from zen_agents.ports.host_runs import Runs

NIGHTLY = ("flock", "/run/nightly.lock", "sleep", "infinity")
FLOCK = "/usr/bin/flock"
LOCK = "/run/app/job.lock"


@pytest.fixture
def host() -> SimulatedHost:
    host = SimulatedHost()
    host.files.add_directory("/run/app")
    return host


def run(host: SimulatedHost, **traits: Any) -> SimulatedProcess:
    return host.add_process("flock", **{"argv": NIGHTLY, "executable": FLOCK, **traits})


def plan(host: SimulatedHost, **params: Any) -> Plan:
    given = {"executable": FLOCK, "user": "root", "match": "nightly", "max_age_seconds": 60.0, **params}
    return EndStuckJob().plan(ActionRequest("end_stuck_job", "job:nightly", given), host.look())


# -- what counts as a run -------------------------------------------------------------------------------------------------
def test_a_run_is_known_by_program_account_and_words(host: SimulatedHost) -> None:
    first = run(host)
    run(host, owner=1000)
    run(host, argv=("flock", "/run/other.lock", "true"))
    host.add_process("flock", argv=NIGHTLY, executable="/home/web/flock")
    host.change_process(run(host).process.pid, state="Z")
    run(host, parent=first.process.pid)
    host.add_process("sh", argv=("/bin/sh", "-eu", "/usr/local/bin/nightly", "now"), executable="/usr/bin/dash")
    assert [each.pid for each in Runs(FLOCK, "root", "nightly").of(host.look())] == [first.process.pid]
    assert len(Runs("/usr/local/bin/nightly", "root").of(host.look())) == 1
    assert Runs(FLOCK, "root", "weekly").of(host.look()) == []


# -- end_stuck_job --------------------------------------------------------------------------------------------------------
async def test_the_oldest_run_ends_with_what_it_has_begun_and_the_others_go_on(host: SimulatedHost) -> None:
    oldest = run(host)
    child = host.add_process("sleep", parent=oldest.process.pid, argv=("sleep", "infinity"))
    host.advance(120)
    others = [run(host) for _ in range(9)]
    made = plan(host)
    assert made.fingerprint == oldest.process.fingerprint
    assert "leave the 9 other runs alone" in made.steps
    effect = await EndStuckJob().execute(made, host.control())
    assert effect.ok
    assert {oldest.process.pid, child.process.pid}.isdisjoint(host.processes)
    assert {each.process.pid for each in others} <= set(host.processes)
    with pytest.raises(StalePlanError, match="no run takes longer than 1 min"):
        plan(host)


def test_what_is_young_or_alone_or_hangs_in_the_kernel_is_left(host: SimulatedHost) -> None:
    with pytest.raises(StalePlanError):
        plan(host)
    oldest = run(host)
    host.advance(120)
    with pytest.raises(RefusedError, match=r"one of the 1 that are kept \(keep: 1\)"):
        plan(host)
    assert plan(host, keep=0).fingerprint == oldest.process.fingerprint
    run(host)
    host.change_process(oldest.process.pid, state="D")
    with pytest.raises(RefusedError, match="hangs in the kernel"):
        plan(host)


async def test_a_run_that_ended_since_the_plan_is_not_replaced_by_the_next(host: SimulatedHost) -> None:
    oldest = run(host)
    run(host)
    host.advance(120)
    run(host)
    made = plan(host)
    host.end_process(oldest.process.pid)
    with pytest.raises(StalePlanError, match="another run is the oldest"):
        await EndStuckJob().execute(made, host.control())
    assert len(host.processes) == 3
    assert host.changes == []


def test_a_process_with_a_number_given_anew_is_no_child(host: SimulatedHost) -> None:
    stranger = host.add_process("sleep", parent=500, argv=("sleep", "1"))
    host.advance(5)
    oldest = run(host, pid=500)
    host.advance(120)
    run(host)
    made = plan(host)
    assert [touched.name for touched in made.touches] == [oldest.process.fingerprint]
    assert stranger.process.fingerprint not in str(made)


def test_the_allow_list_names_the_jobs(host: SimulatedHost) -> None:
    run(host)
    host.advance(120)
    run(host)
    made = plan(host)
    assert JobsPolicy.model_validate({}).permits(made) == ""
    assert JobsPolicy.model_validate({"jobs": ["nightly"]}).permits(made) == ""
    assert JobsPolicy.model_validate({"jobs": ["weekly"]}).permits(made) == "nightly is not in jobs"
    with pytest.raises(ValueError, match="at least 1"):
        JobsPolicy.model_validate({"jobs": []})
    with pytest.raises(RefusedError):
        EndStuckJob().plan(ActionRequest("end_stuck_job", "job:", {}), host.look())


# -- the check ------------------------------------------------------------------------------------------------------------
def looked(check: JobCheck, host: SimulatedHost) -> dict[str, tuple[Status, str]]:
    found = check.observe(host.look(), host.clock.now())
    return {each.name.removeprefix("job.nightly"): (each.status, each.detail) for each in found}


def test_the_oldest_run_is_stuck_and_one_that_waited_for_it_has_its_own_time(host: SimulatedHost) -> None:
    check = JobCheck("nightly", Runs(FLOCK, "root"), max_age_seconds=60.0, every_seconds=1.0)
    assert looked(check, host)[""] == (Status.OK, "no run is under way")
    oldest = run(host)
    host.advance(10)
    waiting = run(host)
    assert looked(check, host)[""][0] is Status.OK
    host.advance(61)
    said = (Status.PROBLEM, f"process {oldest.process.pid} (flock) runs for 1 min 11 s, and 1 more came since")
    assert looked(check, host)[""] == said
    host.end_process(oldest.process.pid)
    assert looked(check, host)[""][0] is Status.OK, "it begins only now"
    host.advance(61)
    assert looked(check, host)[""][1].startswith(f"process {waiting.process.pid} (flock) runs for 2 min 2 s")
    assert looked(check, host)[""][0] is Status.PROBLEM


def test_an_engine_that_begins_anew_goes_by_the_age_of_the_run(host: SimulatedHost) -> None:
    run(host)
    host.advance(120)
    check = JobCheck("nightly", Runs(FLOCK, "root"), max_age_seconds=60.0, every_seconds=1.0)
    assert looked(check, host)[""][0] is Status.PROBLEM
    assert looked(check, host)[".running"] == (Status.OK, "1 runs are under way")


# -- locks ----------------------------------------------------------------------------------------------------------------
def lock_state(host: SimulatedHost) -> tuple[Status, str]:
    check = JobCheck("nightly", Runs(FLOCK, "root"), max_age_seconds=60.0, lock=LOCK, every_seconds=1.0)
    return looked(check, host)[".lock"]


async def test_a_lock_is_cleared_only_if_its_holder_is_gone(host: SimulatedHost) -> None:
    request = ActionRequest("clear_stale_lock", "job:nightly", {"path": LOCK, "executable": FLOCK})
    action = ClearStaleLock(host.clock)
    assert lock_state(host) == (Status.OK, f"{LOCK} is not there")
    holder = run(host)
    host.files.add_file(LOCK, f"{holder.process.pid}\n")
    assert lock_state(host)[0] is Status.OK
    with pytest.raises(RefusedError, match="is alive"):
        action.plan(request, host.look())
    host.end_process(holder.process.pid)
    assert lock_state(host) == (Status.PROBLEM, f"{LOCK} is left over: process {holder.process.pid} is gone")
    made = action.plan(request, host.look())
    effect = await action.execute(made, host.control())
    assert LOCK not in host.files.states
    inverse = action.inverse(made, effect)
    assert inverse is not None
    await GiveBackFile().execute(GiveBackFile().plan(inverse, host.look()), host.control())
    assert host.files.read(LOCK, 99) == f"{holder.process.pid}\n"


def test_a_pid_that_was_given_anew_holds_no_lock_and_one_that_is_older_does(host: SimulatedHost) -> None:
    request = ActionRequest("clear_stale_lock", "job:nightly", {"path": LOCK, "executable": FLOCK})
    older = host.add_process("nginx")
    host.advance(60)
    host.files.add_file(LOCK, str(older.process.pid))
    with pytest.raises(RefusedError, match="is alive"):
        ClearStaleLock(host.clock).plan(request, host.look())
    host.advance(60)
    newer = host.add_process("nginx")
    host.files.add_file(LOCK, str(newer.process.pid), modified=host.clock.now().wall.timestamp() - 60)
    assert "began after the file was written" in str(ClearStaleLock(host.clock).plan(request, host.look()).steps)


def test_a_lock_without_a_pid_is_nobodys_to_judge(host: SimulatedHost) -> None:
    host.files.add_file(LOCK, "")
    assert lock_state(host)[0] is Status.OK
    with pytest.raises(RefusedError, match="holds no pid"):
        ClearStaleLock(host.clock).plan(
            ActionRequest("clear_stale_lock", "job:nightly", {"path": LOCK, "executable": FLOCK}), host.look()
        )
