"""reload_service: have a server read its certificate anew, without a restart."""

from __future__ import annotations

import json
from typing import Annotated

from pydantic import Field

from zen_agents.actions.base import Action, ActionPolicy
from zen_agents.actions.certificate_params import RELOAD_SECONDS, CertificateParams, ReloadParams
from zen_agents.actions.restart_unit import unit_of
from zen_agents.actions.scope import plain_path, subject_of
from zen_agents.errors import RefusedError, StalePlanError
from zen_agents.model.action import ActionRequest, Effect, Plan, ResourceKind, Reversible, Risk
from zen_agents.model.scalars import UnitName
from zen_agents.ports.host import HostControl, HostView
from zen_agents.ports.host_commands import Command

#: How long a server may take to answer while it is looked at (seconds).
ANSWER_SECONDS = 5.0


class ReloadServicePolicy(ActionPolicy):
    """The scope: at most these units."""

    units: Annotated[tuple[UnitName, ...], Field(min_length=1)] | None = Field(
        None, description="only these systemd units; left out: whatever the configuration names"
    )

    def permits(self, plan: Plan) -> str:
        units = [touched.name for touched in plan.touches if touched.kind is ResourceKind.UNIT]
        if not self.units or (units and set(units) <= set(self.units)):
            return ""
        return f"{units[0]} is not in units" if units else "it is reloaded by a command, and units lists only units"


class ReloadService(Action):
    """Reloads what shows another certificate than lies in its file; never restarts, so that no connection is dropped."""

    name = "reload_service"
    summary = "Have a server load the certificate that lies in its file, by a reload and never by a restart."
    side_effects = "The server reads all of its configuration anew, also what else was changed in it."
    risk = Risk.LOW
    reversible = Reversible.NO
    mends = ("certificate.{name}.loaded",)
    Params = CertificateParams
    Policy = ReloadServicePolicy

    def plan(self, request: ActionRequest, host: HostView) -> Plan:
        params: CertificateParams = self.params(request)
        reload = reload_of(request, params)
        return self.planned(
            request,
            steps=(reload_step(reload),),
            touches=reload.touches,
            fingerprint=f"{file_fingerprint(params.file, host)}:{unit_fingerprint(reload, host)}",
            timeout_seconds=RELOAD_SECONDS + ANSWER_SECONDS,
        )

    async def preflight(self, plan: Plan, host: HostView) -> None:
        """Refuse to load what would break the server, or what another authority issued: that is a person's to decide."""
        params: CertificateParams = self.params(plan.request)
        look = await host.certificate(params.question, ANSWER_SECONDS)
        filed = look.file.certificate if look.file is not None else None
        if look.file is None or filed is None or look.file.fault or look.file.untold:
            why = (look.file.fault or look.file.untold) if look.file is not None else "it was not looked at"
            raise RefusedError(f"{params.file} is not fit to be loaded: {why}; nothing was done")
        shown = look.server.certificate if look.server is not None else None
        if shown is not None and shown.fingerprint == filed.fingerprint:
            raise StalePlanError(f"{params.server} shows what is in {params.file} already; there is nothing to do")
        if shown is not None and shown.authority != filed.authority:
            raise RefusedError(
                f"{params.file} was issued by {filed.issuer}, {params.server} shows one of {shown.issuer}; "
                "if that is meant, reload it by hand"
            )

    async def execute(self, plan: Plan, control: HostControl) -> Effect:
        params: CertificateParams = self.params(plan.request)
        return await reload_server(reload_of(plan.request, params), control)

    def postcondition(self, plan: Plan) -> tuple[str, str] | None:
        return f"certificate.{subject_of(plan.request, 'certificate')}.loaded", plan.request.target


def reload_of(request: ActionRequest, params: CertificateParams) -> ReloadParams:
    """Return how the server is reloaded; RefusedError if nobody said, or if the target is another one (R1)."""
    if subject_of(request, "certificate") != params.certificate:
        raise RefusedError(f"the target is {request.target}, the parameters name {params.certificate}; nothing was done")
    if params.reload is None:
        raise RefusedError(f"nothing says how the server of {request.target} is reloaded; nothing was done")
    return params.reload


def reload_step(reload: ReloadParams) -> str:
    """Return what will be done, an argument list as a list."""
    if reload.unit is not None:
        return f"reload {reload.unit}"
    return f"run {json.dumps(reload.argv)}" + (f" as {reload.user}" if reload.user else "")


def unit_fingerprint(reload: ReloadParams, host: HostView) -> str:
    """Return which run of the unit is meant; RefusedError for one that does not run, which a reload would not start."""
    if reload.unit is None:
        return ""
    unit = unit_of(reload.unit, host)
    if unit.active_state not in ("active", "reloading"):
        raise RefusedError(f"{unit.id} is {unit.active_state}, so there is nothing to reload")
    return f"{unit.id}:{unit.invocation}"


def file_fingerprint(path: str, host: HostView) -> str:
    """Return which file is meant; StalePlanError if it is gone."""
    state = host.file(plain_path(path))
    if state is None:
        raise StalePlanError(f"{path} is not there; there is nothing to do")
    return state.fingerprint


async def reload_server(reload: ReloadParams, control: HostControl) -> Effect:
    """Have the server read its files anew, and return whether it was told to, and how that went in words."""
    step = reload_step(reload)
    if reload.unit is not None:
        job = await control.reload_unit(reload.unit, timeout_seconds=RELOAD_SECONDS)
        how = "did not end in time" if job.timed_out else job.result
        return Effect(job.result == "done", f"{step}: {how}", output=job.output)
    result = await control.run(Command(reload.argv, reload.user, timeout_seconds=RELOAD_SECONDS))
    how = "did not end in time" if result.timed_out else f"exit {result.exit_code}"
    ok = result.exit_code == 0 and not result.timed_out
    return Effect(ok, f"{step}: {how}", exit_code=result.exit_code, output=result.output)
