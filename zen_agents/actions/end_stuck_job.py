"""end_stuck_job: end the oldest run of a job that takes longer than it may, so that the next ones get their turn."""

from __future__ import annotations

import asyncio
import os
from datetime import timedelta
from typing import Annotated

from pydantic import Field

from zen_agents.actions.base import Action, ActionParams, ActionPolicy
from zen_agents.actions.scope import subject_of
from zen_agents.errors import RefusedError, StalePlanError
from zen_agents.model.action import ActionRequest, Effect, Plan, Resource, ResourceKind, Reversible, Risk
from zen_agents.model.duration import duration
from zen_agents.model.scalars import Account, Name
from zen_agents.ports.host import HostControl, HostView
from zen_agents.ports.host_processes import Process, family
from zen_agents.ports.host_runs import Runs

_TICKS = os.sysconf("SC_CLK_TCK")
#: Of what a run has begun so many processes are ended with it; a run that has more is a person's to look at.
_MOST_PROCESSES = 200
#: What hangs in the kernel: no signal reaches it.
_UNINTERRUPTIBLE = "D"


class EndStuckJobParams(ActionParams):
    """How the job's runs are known, and how long one may take."""

    executable: str = Field(min_length=1, description="path of the program, or of the script that an interpreter runs")
    user: Account = Field(description="account that it runs as")
    match: str = Field("", description="regular expression that its command line must contain")
    max_age_seconds: float = Field(gt=0, lt=timedelta.max.total_seconds(), description="how long a run may take")
    keep: int = Field(1, ge=0, description="so many runs are never ended")
    stop_timeout_seconds: float = Field(10.0, gt=0, le=600, description="from TERM to KILL, in seconds")

    @property
    def runs(self) -> Runs:
        """What its runs are known by."""
        return Runs(self.executable, self.user, self.match)


class JobsPolicy(ActionPolicy):
    """The scope of an action on jobs: at most these."""

    jobs: Annotated[tuple[Name, ...], Field(min_length=1)] | None = Field(
        None, description="only these jobs; left out: whatever the configuration names"
    )

    def permits(self, plan: Plan) -> str:
        name = plan.request.target.partition(":")[2]
        return "" if self.jobs is None or name in self.jobs else f"{name} is not in jobs"


class EndStuckJob(Action):
    """Ends one run with all that it has begun: TERM, then KILL; the newest runs are kept."""

    name = "end_stuck_job"
    summary = "End the oldest run of a job that takes longer than it may, with all that it has begun."
    side_effects = "What that run has not finished is lost; runs that waited for it begin."
    # A process is ended only where somebody has listed that by name.
    risk = Risk.HIGH
    reversible = Reversible.NO
    mends = ("job.{name}",)
    Params = EndStuckJobParams
    Policy = JobsPolicy

    def plan(self, request: ActionRequest, host: HostView) -> Plan:
        subject_of(request, "job")
        params: EndStuckJobParams = self.params(request)
        oldest, others = self._stuck(params, host)
        members = _begun_by(oldest, host)
        if len(members) > _MOST_PROCESSES:
            raise RefusedError(f"process {oldest.pid} has begun {len(members)} others; that many are a person's to end")
        age = duration(host.boot_seconds() - oldest.start_time / _TICKS)
        begun = f" and the {len(members)} that it has begun" if members else ""
        within = f"{params.stop_timeout_seconds:g} s"
        return self.planned(
            request,
            steps=(
                f"end process {oldest.pid} ({oldest.name}), which runs for {age},{begun}: TERM, then KILL after {within}",
                f"leave the {others} other runs alone",
            ),
            touches=tuple(Resource(ResourceKind.PROCESS, each.fingerprint) for each in (oldest, *members)),
            fingerprint=oldest.fingerprint,
            timeout_seconds=4 * params.stop_timeout_seconds + 30.0,
            warning="what this run has not finished is lost",
        )

    async def execute(self, plan: Plan, control: HostControl) -> Effect:
        params: EndStuckJobParams = self.params(plan.request)
        oldest, members = await asyncio.to_thread(lambda: self._looked_again(params, plan, control.view))
        ended = await control.stop_process(oldest, timeout_seconds=params.stop_timeout_seconds)
        # What it has begun holds its lock as well.
        left = [each for each in members if not await _stopped(each, control, params.stop_timeout_seconds)]
        ok = ended and not left
        said = "ended" if ok else "did not end: it hangs in the kernel"
        return Effect(ok=ok, detail=f"process {oldest.pid} ({oldest.name}) {said}", before="stuck", after=said)

    def postcondition(self, plan: Plan) -> tuple[str, str] | None:
        return f"job.{subject_of(plan.request, 'job')}", plan.request.target

    def _looked_again(self, params: EndStuckJobParams, plan: Plan, host: HostView) -> tuple[Process, list[Process]]:
        oldest, _ = self._stuck(params, host)
        if oldest.fingerprint != plan.fingerprint:
            raise StalePlanError("another run is the oldest now; nothing was done")
        planned = {touched.name for touched in plan.touches}
        return oldest, [each for each in _begun_by(oldest, host) if each.fingerprint in planned]

    def _stuck(self, params: EndStuckJobParams, host: HostView) -> tuple[Process, int]:
        """Return the run to end, and how many others there are; StalePlanError if none is old enough."""
        runs = params.runs.of(host)
        if not runs or host.boot_seconds() - runs[0].start_time / _TICKS <= params.max_age_seconds:
            raise StalePlanError(f"no run takes longer than {duration(params.max_age_seconds)}")
        oldest = runs[0]
        if len(runs) <= params.keep:
            raise RefusedError(f"process {oldest.pid} is one of the {len(runs)} that are kept (keep: {params.keep})")
        if oldest.state == _UNINTERRUPTIBLE:
            raise RefusedError(f"process {oldest.pid} hangs in the kernel, where no signal reaches it; look at its disk")
        return oldest, len(runs) - 1


def _begun_by(process: Process, host: HostView) -> list[Process]:
    """Return what a run has begun: nobody is begun before whoever began them, so a number given anew has no children."""
    others = family(process, host)[1:]
    return [each for each in others if each.start_time >= process.start_time]


async def _stopped(process: Process, control: HostControl, timeout_seconds: float) -> bool:
    """End what a run has begun; True also if it ended with it."""
    try:
        return await control.stop_process(process, timeout_seconds=timeout_seconds)
    except StalePlanError:
        return True
