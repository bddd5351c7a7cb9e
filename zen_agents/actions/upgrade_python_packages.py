"""upgrade_python_packages: try the least upgrade that is due in a copy of an environment, and put that in its place."""

from __future__ import annotations

import asyncio
import hashlib
import json
import shlex
from collections.abc import Sequence
from dataclasses import asdict

from zen_agents.actions.base import Action
from zen_agents.actions.environment_health import RESTART_SECONDS, restarted, stays_up
from zen_agents.actions.environment_pins import pinned, rewrite_of, write_pins
from zen_agents.actions.give_back_environment import GiveBackEnvironment
from zen_agents.actions.package_params import PLAN_SECONDS
from zen_agents.actions.restart_unit import unit_of
from zen_agents.actions.scope import plain_path, subject_of, touched_paths
from zen_agents.actions.unless_stopped import unless_stopped
from zen_agents.actions.upgrade_python_params import UpgradePythonParams, UpgradePythonPolicy
from zen_agents.errors import HostError, RefusedError, StalePlanError, UnsafePathError, ZenError
from zen_agents.model.action import ActionRequest, Effect, Plan, Resource, ResourceKind, Reversible, Risk
from zen_agents.model.environment import Pin, Resolution, Step, Switched, Trial, TrialReport, Wanted
from zen_agents.model.package_look import PackageLook
from zen_agents.model.reason import Reason
from zen_agents.packages.environment_plan import environment_plan
from zen_agents.packages.policy import Judgement, Stance, judge_plan
from zen_agents.ports.host import HostControl, HostView

#: Resolving is part of planning (seconds).
_RESOLVE_SECONDS = 60.0
#: Copying, installing, checking and switching, beside the project's own test, restarts and watching (seconds).
_OWN_SECONDS = 600.0
_MOST_WORDS = 1500


class UpgradePythonPackages(Action):
    """Builds and tries beside the environment, exchanges the two in one step, and takes that back if it does not work."""

    name = "upgrade_python_packages"
    summary = "Try the least upgrade of an environment in a copy of it, put that in its place, and restart who runs on it."
    side_effects = "The units that run on it are restarted, once more if it has to be put back."
    risk = Risk.MEDIUM
    plan_seconds = PLAN_SECONDS
    reversible = Reversible.YES
    mends = ("packages.{name}.",)
    Params = UpgradePythonParams
    Policy = UpgradePythonPolicy

    def plan(self, request: ActionRequest, host: HostView) -> Plan:
        params = self._params_of(request)
        holding = host.environment_holding(plain_path(params.venv))
        if holding.leads_to:
            raise RefusedError(
                f"{params.venv} leads through a link to {holding.leads_to}, and a link may lead elsewhere by the time it "
                "counts: name that directory in the configuration",
                reason=Reason.OUT_OF_SCOPE,
            )
        wanted = _wanted(params, host)
        found = host.environment_upgrade(params.source, wanted, _RESOLVE_SECONDS)
        if found.conflict:
            raise RefusedError(
                f"no upgrade of {params.venv} brings {_list(wanted)}: {found.conflict.strip()[:_MOST_WORDS]}",
                reason=Reason.OUT_OF_SCOPE,
            )
        if not found.steps:
            raise StalePlanError(f"{params.venv} holds all that is due; there is nothing to do")
        if found.unwritten and params.writes_back:
            raise RefusedError(_only_told(params, found), reason=Reason.OUT_OF_SCOPE)
        return self._plan(request, params, found, _judged(params, found), host, holding.identity)

    def _plan(
        self, request: ActionRequest, params: UpgradePythonParams, found: Resolution, judged: Judgement, host: HostView,
        identity: str,
    ) -> Plan:  # fmt: skip
        units = [unit_of(name, host).id for name in params.units]
        agreed = json.dumps([identity, asdict(found), units], sort_keys=True)
        return self.planned(
            request,
            steps=_steps(params, found, units),
            touches=(*touched_paths(_files(params, found)), *(Resource(ResourceKind.UNIT, unit) for unit in units)),
            fingerprint=hashlib.sha256(agreed.encode()).hexdigest(),
            expected_seconds=5.0 + params.bake_seconds,
            timeout_seconds=_OWN_SECONDS + params.smoke_seconds + params.bake_seconds + 2 * RESTART_SECONDS * len(units),
            detail={
                "steps": [_words(step) for step in found.steps],
                "pins": [asdict(pin) for pin in found.pins],
                "removes": [step.name for step in found.steps if not step.wanted],
                "units": units,
                "freeze": found.freeze,
                "unwritten": found.unwritten,
                "rewrite": None if found.rewrite is None else asdict(found.rewrite),
            },
            asks=judged.reasons if judged.stance is Stance.ASK else (),
        )

    async def execute(self, plan: Plan, control: HostControl) -> Effect:
        params = self._params_of(plan.request)
        pins = tuple(Pin(each["name"], each["version"], tuple(each["hashes"])) for each in plan.detail["pins"])
        trial = Trial(
            params.source, plan.detail["freeze"], pins, tuple(plan.detail["removes"]), params.smoke, params.smoke_seconds
        )
        report = await unless_stopped(control.try_environment(trial), control)
        evidence = _evidence(report)
        if (failed := report.failed) is not None:
            why = f"the trial failed at {failed.name} ({failed.end}): {_last_line(failed.output)}"
            return Effect(False, f"{why}; {params.venv} is as it was", exit_code=failed.exit_code, output=evidence)
        switched = await control.switch_environment()
        return await _Proving(plan, params, switched, report, evidence).result(control)

    def inverse(self, plan: Plan, effect: Effect) -> ActionRequest | None:
        if not effect.undo:
            return None
        return ActionRequest(GiveBackEnvironment.name, plan.request.target, dict(effect.undo), inverse_of=self.name)

    def _params_of(self, request: ActionRequest) -> UpgradePythonParams:
        params: UpgradePythonParams = self.params(request)
        if subject_of(request, "environment") != params.environment:
            raise RefusedError(f"the target is {request.target}, the parameters name {params.environment}; nothing was done")
        return params.asked_by_person() if request.requested_by.is_person else params


class _Proving:
    """What was switched in has to show that it works; if it does not, what was there is put back."""

    def __init__(
        self, plan: Plan, params: UpgradePythonParams, switched: Switched, report: TrialReport, evidence: str
    ) -> None:
        self._params, self._switched, self._report, self._evidence = params, switched, report, evidence
        self._units: Sequence[str] = plan.detail["units"]
        self._steps = ", ".join(plan.detail["steps"])
        self._undo = {"venv": params.venv, "kept": switched.kept, "left": switched.now, "units": self._units}
        self._rewrite, self._unwritten = rewrite_of(plan.detail["rewrite"]), str(plan.detail["unwritten"])

    async def result(self, control: HostControl) -> Effect:
        try:
            why = await self._amiss(control)
        except asyncio.CancelledError:
            # Its time is over, or the engine ends: what has not been proven is not left.
            await asyncio.shield(self._put_back("it did not show in time that it works", control))
            raise
        except ZenError as error:
            why = str(error)
        if why:
            return await self._put_back(why, control)
        return self._effect(True, f"{self._steps}; what was there is kept for undo{await self._written(control)}")

    async def _written(self, control: HostControl) -> str:
        """Write what pins the environment where that is wanted, and return in words what came of it."""
        path, change = self._params.requirements, self._rewrite
        if change is None:
            return f"; {path} does not say so yet: {self._unwritten}" if self._unwritten else ""
        try:
            file = await asyncio.to_thread(pinned, path, change, control.view)
            if not self._params.writes_back:
                self._evidence += f"\nfor {path}, which is left as it is:\n{file.difference}"
                return f"; {path} does not say so yet: what to change there is in the output"
            self._undo["files"] = await write_pins(file, control, action=UpgradePythonPackages.name)
        except ZenError as error:
            return f"; {path} does not say so yet: {error}"
        return f"; {path} says so too"

    async def _amiss(self, control: HostControl) -> str:
        if self._units:
            control.check_stop()
            await control.restarting_on_environment(self._units)
            why = await restarted(self._units, control) or await stays_up(self._units, self._params.bake_seconds, control)
            if why:
                return why
        await control.keep_environment(self._params.keep_seconds)
        return ""

    async def _put_back(self, why: str, control: HostControl) -> Effect:
        venv = self._params.venv
        try:
            await control.switch_environment_back(self._switched.kept)
        except (HostError, RefusedError, StalePlanError, UnsafePathError) as error:
            left = f"{venv} holds what is new, and could not be put back: {error}; put it back: zen-agents undo @last"
            return self._effect(False, f"{self._steps}: {why}; {left}")
        try:
            again = await restarted(self._units, control) or await stays_up(self._units, 0.0, control)
        except ZenError as error:
            again = str(error)
        end = f", but {again}" if again else ""
        return Effect(False, f"{self._steps}: {why}; {venv} was put back as it was{end}", output=self._evidence)

    def _effect(self, ok: bool, detail: str) -> Effect:
        before, after = (_digest(freeze) for freeze in (self._report.freeze_before, self._report.freeze_after))
        return Effect(ok, detail, before, after, output=self._evidence, undo=self._undo)


def _wanted(params: UpgradePythonParams, host: HostView) -> Sequence[Wanted]:
    look = host.packages_now(params.question("pypi", params.venv, index=params.index, wheels=params.wheels))
    if not isinstance(look, PackageLook):
        raise HostError(f"the look at {params.venv} came back with nonsense")
    if look.next_set:
        return [Wanted(each.package, each.wanted, each.fixes) for each in look.next_set]
    if look.untold:
        raise HostError(f"what is due in {params.venv} is not known: {'; '.join(look.untold[:3])}")
    raise StalePlanError(f"nothing is due in {params.venv}; there is nothing to do")


def _judged(params: UpgradePythonParams, found: Resolution) -> Judgement:
    """Return what policy says of all of it, with what comes along; RefusedError where it only tells."""
    judged = judge_plan(params.policy, environment_plan(params.venv, found, params.units))
    if judged.stance not in (Stance.DO, Stance.ASK):
        raise RefusedError(f"policy only tells of it: {'; '.join(judged.reasons)}", reason=Reason.OUT_OF_SCOPE)
    return judged


def _steps(params: UpgradePythonParams, found: Resolution, units: Sequence[str]) -> tuple[str, ...]:
    who = f" as {params.user}" if params.user else ""
    tried = f"in a copy{who}: install, check what depends on what, import what changed"
    smoke = f", run {json.dumps(params.smoke)}" if params.smoke else ""
    return (
        *(_words(step) for step in found.steps),
        f"{tried}{smoke}; if one of these fails, stop here",
        f"exchange {params.venv} with that copy in one step, and keep what was there",
        *(f"systemctl restart -- {unit}" for unit in units),
        *(
            [f"write the new versions to {params.requirements}, and keep what is there"]
            if len(_files(params, found)) > 1
            else []
        ),
        *([f"watch {', '.join(units)} for {params.bake_seconds:g} s, and put all back if one goes down"] if units else []),
    )


def _files(params: UpgradePythonParams, found: Resolution) -> Sequence[str]:
    return [params.venv, *([params.requirements] if params.writes_back and found.rewrite is not None else [])]


def _only_told(params: UpgradePythonParams, found: Resolution) -> str:
    """Return that the environment would go ahead of its lock, and what a person does about it."""
    lock = shlex.join(word for pin in found.pins for word in ("--upgrade-package", f"{pin.name}=={pin.version}"))
    return (
        f"it is only told: {params.requirements} would not say what is installed ({found.unwritten}); upgrade it in the "
        f"project, by uv lock {lock}, or let the environment go ahead of it: write_back: false"
    )


def _words(step: Step) -> str:
    if not step.installed:
        return f"{step.name} {step.wanted} (new)"
    if not step.wanted:
        return f"{step.name} {step.installed} (removed)"
    fixes = f" ({', '.join(step.fixes)})" if step.fixes else ""
    return f"{step.name} {step.installed} -> {step.wanted}{fixes}"


def _list(wanted: Sequence[Wanted]) -> str:
    return ", ".join(f"{each.name} {each.least}" for each in wanted)


def _evidence(report: TrialReport) -> str:
    """Return what was run, how it ended and what it said, for whoever asks why."""
    lines = [
        f"{step.name}: {json.dumps(step.argv)}: {step.end} in {step.seconds:.2f} s\n{step.output}" for step in report.steps
    ]
    return "\n".join([*lines, f"before:\n{report.freeze_before}", f"after:\n{report.freeze_after}"])


def _last_line(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[-1][:300] if lines else "it said nothing"


def _digest(freeze: str) -> str:
    return f"freeze sha256 {hashlib.sha256(freeze.encode()).hexdigest()[:12]}"
