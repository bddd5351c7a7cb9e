"""put_back_data: the inverse of repair_data and restore_data."""

from __future__ import annotations

from collections.abc import Sequence

from zen_agents.actions.data_params import PutBackDataParams, ReplacedData
from zen_agents.actions.inverse import Inverse
from zen_agents.actions.replacing import replaceable
from zen_agents.actions.scope import touched_paths
from zen_agents.errors import StalePlanError
from zen_agents.model.action import ActionRequest, Effect, Plan, Risk
from zen_agents.model.units import size_in_words
from zen_agents.ports.host import HostControl, HostView
from zen_agents.ports.host_files import FileState, KeptFile


class PutBackData(Inverse):
    """Exchanges the file for the one that was there, byte for byte, if it still is what the action left."""

    name = "put_back_data"
    summary = "Put a file of a data set back as it was before it was repaired or restored."
    side_effects = "Who reads the file finds again what it held before; rows that were taken out stay in their file, too."
    risk = Risk.MEDIUM
    #: What was kept is compared with what it was, all of it.
    plan_seconds = 600.0
    Params = PutBackDataParams

    def plan(self, request: ActionRequest, host: HostView) -> Plan:
        params: PutBackDataParams = self.params(request)
        found = _found(params, host)
        return self.planned(
            request,
            steps=tuple(f"put {state.path} back as it was ({size_in_words(kept.size)})" for state, kept in found),
            touches=touched_paths([state.path for state, _ in found]),
            fingerprint="+".join(f"{state.fingerprint}+{kept.id}" for state, kept in found),
            timeout_seconds=600.0,
        )

    async def execute(self, plan: Plan, control: HostControl) -> Effect:
        params: PutBackDataParams = self.params(plan.request)
        for state, kept in _found(params, control.view):
            await control.put_back_data(state, kept.id, action=self.name)
        paths = ", ".join(file.path for file in params.files)
        return Effect(True, f"as before: {paths}", before="repaired", after="as before")

    def missing(self, plan: Plan, host: HostView) -> str:
        params: PutBackDataParams = self.params(plan.request)
        for file in params.files:
            state, kept = replaceable(file.path, host), host.kept_file(file.quarantine)
            if state is None or (state.size, state.mode, state.owner) != (kept.size, kept.mode, kept.owner):
                return f"{file.path} is not what was kept"
        return ""


def _found(params: PutBackDataParams, host: HostView) -> Sequence[tuple[FileState, KeptFile]]:
    return [(_as_left(file, host), host.kept_file(file.quarantine)) for file in params.files]


def _as_left(file: ReplacedData, host: HostView) -> FileState:
    state = replaceable(file.path, host)
    if state is None or state.fingerprint != file.left:
        raise StalePlanError(f"{file.path} is not what the action left there any more; nothing was done")
    return state
