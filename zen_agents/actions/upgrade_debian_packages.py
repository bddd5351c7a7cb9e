"""upgrade_debian_packages: bring one set of Debian packages to given versions, tried first, with a way back."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Annotated, Any

from pydantic import Field, model_validator

from zen_agents.actions import debian_steps as steps
from zen_agents.actions.base import Action, ActionPolicy
from zen_agents.actions.package_params import PLAN_SECONDS, PackageParams
from zen_agents.actions.reinstall_debian_packages import ReinstallDebianPackages
from zen_agents.actions.scope import listed, subject_of
from zen_agents.errors import ActionFailedError, HostError, RefusedError, StalePlanError
from zen_agents.model.action import ActionRequest, Effect, Plan, Resource, ResourceKind, Reversible, Risk
from zen_agents.model.debian_upgrade import DebianLook, DebianQuestion, DebianTrial, DebianTried
from zen_agents.model.package_look import PackageLook
from zen_agents.model.reason import Reason
from zen_agents.model.scalars import Line
from zen_agents.packages.debian_plan import upgrade_plan, why_not
from zen_agents.packages.plan import DEBIAN_PLACE, UpgradePlan
from zen_agents.packages.policy import Stance, costs, judge_plan
from zen_agents.ports.host import HostControl, HostView

_TRIAL_SECONDS, _APT_SECONDS = 300.0, 1200.0
#: Fetching and keeping what is there, services that take their time, and a way back.
_OWN_SECONDS = 900.0


class UpgradeDebianParams(PackageParams):
    """Which packages, or by what it is told which are due; and how the upgrade is tried."""

    packages: dict[Line, Line] = Field(max_length=200, description="the version wanted of each package; {}: what is due")
    fixes: dict[Line, tuple[Line, ...]] = Field(default={}, description="advisories that each of them ends")
    trial: bool = Field(True, description="false: it is not made in a copy of the root first, only simulated")
    smoke: tuple[Line, ...] = Field((), description="what is run in that copy afterwards, an argument list")
    user: Line = Field("", description="account as which that is run, never root")

    @model_validator(mode="after")
    def _smoke_has_user(self) -> UpgradeDebianParams:
        if self.smoke and self.user in ("", "0", "root"):
            raise ValueError("a smoke test never runs as root: name another account in user")
        return self


class UpgradeDebianPolicy(ActionPolicy):
    """The scope: at most these packages."""

    packages: Annotated[tuple[Line, ...], Field(min_length=1)] | None = Field(
        None, description="only these packages, as shell patterns; left out: whatever policy and advisories name"
    )

    def permits(self, plan: Plan) -> str:
        allowed = self.packages or ("*",)
        names = (touched.name for touched in plan.touches)
        outside = next((name for name in names if not any(fnmatchcase(name, each) for each in allowed)), "")
        return f"{outside} is not in packages" if outside else ""


class UpgradeDebianPackages(Action):
    """Upgrades one set as apt's resolver says; what is there is kept first, and comes back if anything goes wrong."""

    name = "upgrade_debian_packages"
    summary = "Upgrade one set of Debian packages: tried in a copy of the root first, then checked or taken back."
    side_effects = "Packages run their scripts and restart their services; configuration files that were changed stay so."
    risk = Risk.HIGH
    plan_seconds = PLAN_SECONDS
    reversible = Reversible.PARTLY
    mends = ("packages.",)
    disturbs = ("process.", "unit.", "probe.", "upgrades.")
    Params = UpgradeDebianParams
    Policy = UpgradeDebianPolicy

    def plan(self, request: ActionRequest, host: HostView) -> Plan:
        if subject_of(request, "packages") != DEBIAN_PLACE:
            raise RefusedError(f"the target {request.target!r} is not packages:{DEBIAN_PLACE}", reason=Reason.NO_TARGET)
        params: UpgradeDebianParams = self.params(request)
        params = params.asked_by_person() if request.requested_by.is_person else params
        packages, fixes = (params.packages, params.fixes) if params.packages else _due(params, host)
        wanted = tuple(f"{name}={version}" for name, version in packages.items())
        look = host.debian_packages_now(DebianQuestion(wanted))
        _refuse_if_not_now(request, look)
        upgrade = upgrade_plan(look, fixes)
        return self.planned(
            request,
            steps=tuple(_steps(upgrade, params)),
            touches=_touched(upgrade),
            fingerprint=_state_of(look),
            reversible=Reversible.YES if upgrade.reversible else Reversible.NO,
            expected_seconds=60.0,
            timeout_seconds=_TRIAL_SECONDS + _APT_SECONDS + _OWN_SECONDS,
            detail=steps.detail_of(look),
            warning="" if upgrade.reversible else "what is installed now could not be given back",
            asks=_asks(params, upgrade),
            along=tuple(Resource(ResourceKind.UNIT, name) for name in look.ships),
        )

    async def execute(self, plan: Plan, control: HostControl) -> Effect:
        params: UpgradeDebianParams = self.params(plan.request)
        look = steps.look_of(plan)
        trial = DebianTrial(
            steps.wanted_of(look), may_remove=bool(look.removes), smoke=params.smoke, user=params.user,
            within_seconds=_TRIAL_SECONDS,
        )  # fmt: skip
        tried = await steps.try_first(trial, control) if params.trial else DebianTried()
        has_way_back = plan.reversible is Reversible.YES
        kept = await control.keep_debian_packages(look.changes, action=self.name) if has_way_back else ()
        ran = await asyncio.to_thread(steps.active_units, look, control)
        for each in await steps.sets_of(look, control):
            control.check_stop()
            ended = await control.run(steps.install_command(each, within_seconds=_APT_SECONDS))
            wrong = await steps.unlike(steps.wanted_of(each), control) or await steps.fallen(ran, control)
            if wrong:
                back = await steps.go_back(look, kept, control)
                said = ended.output.strip()[-500:]
                raise ActionFailedError(f"apt-get ended with {ended.exit_code}: {wrong}; {back}. It said: {said}")
        unmarked = await steps.finish_marks(look.changes, look.adds, control)
        return Effect(
            ok=True,
            detail="; ".join(_words(look, tried, unmarked)),
            before=steps.versions(look.changes, wanted=False),
            after=steps.versions(look.changes, wanted=True),
            exit_code=ended.exit_code,
            output=steps.evidence(tried) + ended.output,
            undo=_undo(look, kept) if kept else {},
        )

    def inverse(self, plan: Plan, effect: Effect) -> ActionRequest | None:
        if not effect.undo:
            return None
        return ActionRequest(ReinstallDebianPackages.name, plan.request.target, dict(effect.undo), inverse_of=self.name)


def _due(params: UpgradeDebianParams, host: HostView) -> tuple[Mapping[str, str], Mapping[str, Sequence[str]]]:
    """Return the versions that are due, and what each of them ends."""
    look = host.packages_now(params.question("debian", "/"))
    if not isinstance(look, PackageLook):
        raise HostError("the look at the packages of this host came back with nonsense")
    if not look.next_set and look.untold:
        raise HostError(f"which packages are due is not known: {'; '.join(look.untold[:3])}")
    if not look.next_set:
        raise StalePlanError("no package is due; there is nothing to do")
    return {each.package: each.wanted for each in look.next_set}, {each.package: each.fixes for each in look.next_set}


def _asks(params: UpgradeDebianParams, upgrade: UpgradePlan) -> tuple[str, ...]:
    """Return why a person decides; RefusedError where policy only tells of what it found due itself."""
    if params.packages:
        return tuple(costs(upgrade))
    judged = judge_plan(params.policy, upgrade)
    if judged.stance not in (Stance.DO, Stance.ASK):
        raise RefusedError(f"policy only tells of it: {'; '.join(judged.reasons)}", reason=Reason.OUT_OF_SCOPE)
    return judged.reasons if judged.stance is Stance.ASK else ()


def _refuse_if_not_now(request: ActionRequest, look: DebianLook) -> None:
    if look.problems:
        raise HostError(why_not(look))
    if reason := why_not(look):
        raise RefusedError(reason, reason=Reason.BUSY_ELSEWHERE if look.interrupted else Reason.NO_TARGET)
    if look.is_unattended and not request.requested_by.is_person:
        raise RefusedError(
            "unattended-upgrades looks after the packages of this host; switch one of the two off", reason=Reason.NOT_OURS
        )
    if not look.changes and not look.adds:
        raise StalePlanError("these versions are installed already; there is nothing to do")


def _steps(upgrade: UpgradePlan, params: UpgradeDebianParams) -> Iterator[str]:
    if params.trial:
        smoke = f", and run {json.dumps(params.smoke)} as {params.user}" if params.smoke else ""
        yield f"make the upgrade in a copy of the root that is never kept{smoke}"
    if upgrade.reversible:
        yield f"keep the present packages of {len(upgrade.changes)} for the way back"
    upgrades = [f"upgrade {each.name} {each.installed} -> {each.wanted}" for each in upgrade.changes]
    yield from listed(upgrades, "upgrades")
    yield from listed([f"install {each}" for each in upgrade.adds], "to install")
    yield from listed([f"remove {each}" for each in upgrade.removes], "to remove")


def _touched(upgrade: UpgradePlan) -> tuple[Resource, ...]:
    added = [each.partition(" ")[0] for each in upgrade.adds]
    names = [*(each.name for each in upgrade.changes), *added, *upgrade.removes]
    return tuple(Resource(ResourceKind.PACKAGE, name) for name in names)


def _state_of(look: DebianLook) -> str:
    """Return what identifies the state that a plan was made for: what is installed, and what apt would do to it."""
    text = json.dumps([look.changes, look.adds, look.removes])
    return hashlib.sha256(text.encode()).hexdigest()


def _words(look: DebianLook, tried: DebianTried, unmarked: str) -> Iterator[str]:
    yield f"upgraded {len(look.changes)} packages" if len(look.changes) != 1 else f"upgraded {look.changes[0].name}"
    if tried.steps:
        yield f"tried before in a copy of the root, {len(tried.steps)} steps"
    if look.restarts:
        yield f"to be restarted: {', '.join(look.restarts)}"
    if unmarked:
        yield unmarked


def _undo(look: DebianLook, kept: Sequence[str]) -> dict[str, Any]:
    changed = {each.name: {"was": each.installed, "left": each.wanted} for each in look.changes}
    return {"kept": list(kept), "packages": changed, "adds": [each.partition(" ")[0] for each in look.adds]}
