"""restore_data: put the good copy of a file that cannot be read in its place."""

from __future__ import annotations

from typing import Final

from zen_agents.actions.base import Action
from zen_agents.actions.data_params import DataParams, contract_of, undo_of
from zen_agents.actions.put_back_data import PutBackData
from zen_agents.actions.replacing import replaceable
from zen_agents.actions.scope import PathsPolicy, file_name, parent_of, touched_paths
from zen_agents.datasets.contract import Contract
from zen_agents.datasets.job import copy_question, report_in, why_no_good_copy
from zen_agents.datasets.plain import MalformedDatasetError
from zen_agents.errors import HostError, RefusedError, StalePlanError
from zen_agents.jobs.data_repair import Replaced
from zen_agents.model.action import ActionRequest, Effect, Plan, Reversible, Risk
from zen_agents.model.units import size_in_words
from zen_agents.ports.host import HostControl, HostView
from zen_agents.ports.host_files import FileState

#: Beside a database of SQLite that somebody writes.
_BESIDE: Final = ("-wal", "-journal")


class RestoreData(Action):
    """Exchanges the file for a copy of the snapshot in one step, once that fulfils the contract; the file is kept."""

    name = "restore_data"
    summary = "Put the good copy of a file that cannot be read in its place; a person decides, for what came later is lost."
    side_effects = "What was written since the copy was made is only in the file that is kept for undo."
    risk = Risk.HIGH
    reversible = Reversible.YES
    mends = ("data.{name}",)
    Params = DataParams
    Policy = PathsPolicy

    def plan(self, request: ActionRequest, host: HostView) -> Plan:
        contract = contract_of(self.params(request), request)
        state, copy = _both(contract, host)
        return self.planned(
            request,
            steps=(
                f"check {copy.path} ({size_in_words(copy.size)}) against the contract",
                f"put it in the place of {state.path}, keep that",
            ),
            touches=touched_paths([state.path]),
            fingerprint=f"{state.fingerprint}+{copy.fingerprint}",
            timeout_seconds=60.0 + 2 * contract.limits.seconds,
            warning=f"what was written since {copy.path} was made is lost to its readers",
        )

    async def preflight(self, plan: Plan, host: HostView) -> None:
        contract = contract_of(self.params(plan.request), plan.request)
        copy = _both(contract, host)[1]
        try:
            report = report_in(await host.check_data(copy_question(contract, copy.path)))
        except MalformedDatasetError as error:
            raise HostError(f"the look at {copy.path} came back with nonsense: {error}") from error
        if why := why_no_good_copy(report):
            raise RefusedError(f"{copy.path} is no good copy: {why}")

    async def execute(self, plan: Plan, control: HostControl) -> Effect:
        contract = contract_of(self.params(plan.request), plan.request)
        state, copy = _both(contract, control.view)
        if f"{state.fingerprint}+{copy.fingerprint}" != plan.fingerprint:
            raise StalePlanError
        done = Replaced.model_validate_json(await control.restore_data(state, copy, action=self.name))
        said = f"{copy.path} is in the place of {state.path}, which is kept"
        return Effect(True, said, before="damaged", after="as in the copy", undo={"files": [undo_of(done)]})

    def inverse(self, plan: Plan, effect: Effect) -> ActionRequest | None:
        if not effect.undo:
            return None
        return ActionRequest(PutBackData.name, plan.request.target, dict(effect.undo), inverse_of=self.name)


def _both(contract: Contract, host: HostView) -> tuple[FileState, FileState]:
    """Return the file and its copy; StalePlanError if one is not there, RefusedError where none is declared."""
    path = contract.source.path
    if not (contract.snapshots or contract.keep) or not path or any(each in path for each in "*?["):
        raise RefusedError(f"{contract.name} is not one file with `snapshots` or `keep_snapshots`; nothing was done")
    state, copy = replaceable(path, host), _copy(contract, path, host)
    if state is None:
        raise StalePlanError(f"{path} is not there; put {copy.path} there by hand")
    if any(host.file(path + each) is not None for each in _BESIDE):
        raise RefusedError(f"somebody works on {path}; end that first")
    return state, copy


def _copy(contract: Contract, path: str, host: HostView) -> FileState:
    """Return the newest copy that the engine kept, else the one that somebody put there."""
    kept = host.snapshots(contract.name, path, contract.snapshots) if contract.keep else ()
    there = f"{contract.snapshots.rstrip('/')}/{file_name(path)}"
    copy = next(iter(kept), None) or (host.file(there) if contract.snapshots else None)
    if copy is None or copy.kind != "file" or parent_of(copy.path) == parent_of(path):
        where = contract.snapshots or "the state"
        raise StalePlanError(f"{where} has no copy of {file_name(path)}; there is nothing to restore")
    return copy
