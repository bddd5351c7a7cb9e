"""restore_last_good: give a service the configuration back with which it was well."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import Field

from zen_agents.actions.base import Action, ActionParams
from zen_agents.actions.config_test import ConfigTestParams
from zen_agents.actions.put_back_file import PutBackFile
from zen_agents.actions.replacing import Replacement, identity, present_digest, replace_files, replaceable
from zen_agents.actions.scope import PathsPolicy, subject_of, touched_paths
from zen_agents.drift.declared import sha256
from zen_agents.errors import RefusedError, StalePlanError
from zen_agents.model.action import ActionRequest, Effect, Plan, Reversible, Risk
from zen_agents.model.scalars import AbsolutePath
from zen_agents.ports.host import HostControl, HostView
from zen_agents.ports.host_files import FileState
from zen_agents.ports.host_last_good import KeptVersion


class RestoreLastGoodParams(ActionParams):
    """Which files, and how the service tests them."""

    files: tuple[AbsolutePath, ...] = Field(min_length=1, description="the files of its configuration")
    test: ConfigTestParams = Field(description="the service's own test, which each file must pass before it is put there")


class RestoreLastGood(Action):
    """Swaps in those files of the last good configuration that differ now; what was there goes to the quarantine."""

    name = "restore_last_good"
    summary = "Give a service the configuration back with which it was last well for long, once that passes its own test."
    side_effects = "What was changed in its configuration since then has no effect; nothing is restarted by that."
    risk = Risk.HIGH
    reversible = Reversible.YES
    mends = ("config.{name}", "unit.{name}", "process.{name}", "probe.{name}")
    Params = RestoreLastGoodParams
    Policy = PathsPolicy

    def plan(self, request: ActionRequest, host: HostView) -> Plan:
        name = subject_of(request, "service")
        params: RestoreLastGoodParams = self.params(request)
        changed = _changed(name, params, host)
        return self.planned(
            request,
            steps=(
                *(f"test the {version.path} of {version.kept_at} with {params.test.words}" for version, _ in changed),
                *(f"put it back (sha256 {version.sha256[:12]}), and keep what is there" for version, _ in changed),
            ),
            touches=touched_paths([version.path for version, _ in changed]),
            fingerprint=_identity(changed),
            timeout_seconds=60.0 + len(changed) * params.test.timeout_seconds,
            detail={version.path: version.sha256 for version, _ in changed},
        )

    async def execute(self, plan: Plan, control: HostControl) -> Effect:
        params: RestoreLastGoodParams = self.params(plan.request)
        host = control.view
        changed = _changed(subject_of(plan.request, "service"), params, host)
        if _identity(changed) != plan.fingerprint:
            raise StalePlanError
        wanted = [_replacement(version, state, host) for version, state in changed]
        done = await replace_files(wanted, control, action=self.name, test=params.test)
        paths, when = ", ".join(version.path for version, _ in changed), changed[0][0].kept_at
        return Effect(True, f"{paths} as of {when}", before="changed", after=f"as of {when}", undo={"files": done})

    def inverse(self, plan: Plan, effect: Effect) -> ActionRequest | None:
        if not effect.undo:
            return None
        return ActionRequest(PutBackFile.name, plan.request.target, dict(effect.undo), inverse_of=self.name)

    def undone(self, plan: Plan) -> str:
        """A file keeps its content until somebody changes it."""
        return f"changed {', '.join(plan.detail)}"

    def postcondition(self, plan: Plan) -> tuple[str, str] | None:
        return f"config.{subject_of(plan.request, 'service')}", plan.request.target


def _changed(service: str, params: RestoreLastGoodParams, host: HostView) -> Sequence[tuple[KeptVersion, FileState | None]]:
    """Return the kept versions that differ from what is there, with that."""
    versions = [version for version in host.last_good(service) if version.path in params.files]
    if not versions:
        raise RefusedError(f"no configuration of {service} was good for long enough to be kept; correct it by hand")
    found = [(version, replaceable(version.path, host)) for version in versions]
    changed = [(version, state) for version, state in found if present_digest(state, host) != version.sha256]
    if not changed:
        raise StalePlanError(f"the configuration of {service} is the last good one; there is nothing to do")
    return changed


def _identity(changed: Sequence[tuple[KeptVersion, FileState | None]]) -> str:
    return "+".join(identity(state, version.sha256) for version, state in changed)


def _replacement(version: KeptVersion, state: FileState | None, host: HostView) -> Replacement:
    content = host.last_good_content(version)
    if sha256(content) != version.sha256:
        raise StalePlanError
    # Nothing there: a file of nowhere with the mode and owner that it had.
    like = state or FileState("", "file", version.mode, version.owner, version.group, 0, 0.0, 0.0, 0.0, 0, 0, 1)
    return Replacement(version.path, content, like, state)
