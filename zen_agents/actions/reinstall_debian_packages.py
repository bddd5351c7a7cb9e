"""reinstall_debian_packages: the inverse of upgrade_debian_packages."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from zen_agents.actions import debian_steps as steps
from zen_agents.actions.inverse import Inverse, InverseParams
from zen_agents.actions.scope import subject_of
from zen_agents.errors import HostError, RefusedError, StalePlanError
from zen_agents.model.action import ActionRequest, Effect, Plan, Resource, ResourceKind, Risk
from zen_agents.model.debian_upgrade import DebianLook, DebianQuestion
from zen_agents.model.scalars import Line
from zen_agents.packages.debian_plan import why_not
from zen_agents.ports.host import HostControl, HostView

_BACK_SECONDS, _OWN_SECONDS = 900.0, 300.0
#: apt is asked when it is planned.
_PLAN_SECONDS = 120.0


class UpgradedPackage(BaseModel):
    """One package that was upgraded."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    was: Line = Field(description="version before")
    left: Line = Field(description="version that the action left")


class ReinstallDebianParams(InverseParams):
    """What was upgraded."""

    kept: tuple[Line, ...] = Field(min_length=1, description="ids in the quarantine of the packages that were there before")
    packages: dict[Line, UpgradedPackage] = Field(min_length=1, description="what was upgraded")
    adds: tuple[Line, ...] = Field((), description="what came along, and is removed again")


class ReinstallDebianPackages(Inverse):
    """Installs the kept packages again, without a network, if what is there still is what the action left."""

    name = "reinstall_debian_packages"
    summary = "Install the Debian packages again that were there before an upgrade."
    side_effects = "Packages run their scripts and restart their services; what the upgrade ended is there again."
    risk = Risk.HIGH
    plan_seconds = _PLAN_SECONDS
    Params = ReinstallDebianParams

    def plan(self, request: ActionRequest, host: HostView) -> Plan:
        subject_of(request, "packages")
        params: ReinstallDebianParams = self.params(request)
        _refuse_unless_as_left(params, host)
        kept = [host.kept_file(id) for id in params.kept]
        changes = [f"install {name} {each.was} over {each.left}" for name, each in params.packages.items()]
        return self.planned(
            request,
            steps=(*changes, *(f"remove {name}" for name in params.adds)),
            touches=tuple(Resource(ResourceKind.PACKAGE, name) for name in (*params.packages, *params.adds)),
            fingerprint="+".join(file.sha256 for file in kept),
            expected_seconds=30.0,
            timeout_seconds=_BACK_SECONDS + _OWN_SECONDS,
        )

    async def execute(self, plan: Plan, control: HostControl) -> Effect:
        params: ReinstallDebianParams = self.params(plan.request)
        ended = await control.install_kept_packages(params.kept, timeout_seconds=_BACK_SECONDS)
        await steps.remove_added(params.adds, control)
        wrong = await steps.unlike([f"{name}={each.was}" for name, each in params.packages.items()], control)
        before = ", ".join(f"{name} {each.left}" for name, each in params.packages.items())
        after = ", ".join(f"{name} {each.was}" for name, each in params.packages.items())
        said = wrong or f"{len(params.packages)} packages are as before"
        return Effect(not wrong, said, before, after, ended.exit_code, ended.output)

    def missing(self, plan: Plan, host: HostView) -> str:
        params: ReinstallDebianParams = self.params(plan.request)
        look = _look(params, host, left=False)
        return "; ".join(f"{each.name} is {each.installed}" for each in look.changes[:5])


def _refuse_unless_as_left(params: ReinstallDebianParams, host: HostView) -> None:
    look = _look(params, host, left=True)
    if look.changes or look.adds:
        raise StalePlanError("the packages are not what the upgrade left any more; nothing was done")


def _look(params: ReinstallDebianParams, host: HostView, *, left: bool) -> DebianLook:
    wanted = tuple(f"{name}={each.left if left else each.was}" for name, each in params.packages.items())
    look = host.debian_packages_now(DebianQuestion(wanted))
    if look.problems:
        raise HostError(why_not(look))
    if reason := why_not(look):
        raise RefusedError(reason)
    return look
