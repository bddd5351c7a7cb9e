"""quarantine_file: take whole files of a data set out of the reach of who reads them, because they fail its checks."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Final

from zen_agents.actions.base import Action
from zen_agents.actions.data_params import DataParams, contract_of
from zen_agents.actions.give_back_files import GiveBackFiles
from zen_agents.actions.replacing import replaceable
from zen_agents.actions.scope import PathsPolicy, touched_paths
from zen_agents.actions.taking_away import taken_away
from zen_agents.datasets.contract import Contract
from zen_agents.datasets.job import failing_look
from zen_agents.errors import RefusedError, StalePlanError
from zen_agents.jobs.data_failing import DataFailingReply
from zen_agents.model.action import ActionRequest, Effect, Plan, Reversible, Risk
from zen_agents.ports.host import HostControl, HostView
from zen_agents.ports.host_datasets import LookTold
from zen_agents.ports.host_files import FileState

#: More at once than this ask a person, as do all files of several: then the contract may be what is wrong.
_MOST_UNASKED: Final = 5


class QuarantineFile(Action):
    """Moves each file that fails by itself into the quarantine, from where undo puts it back; files in use are left."""

    name = "quarantine_file"
    summary = "Move files of a data set that fail its checks into the quarantine, so that nobody goes on with them."
    side_effects = "Who reads the data set does not find these files; where it is one file, none at all."
    risk = Risk.MEDIUM
    reversible = Reversible.YES
    mends = ("data.{name}",)
    Params = DataParams
    Policy = PathsPolicy

    def survey(self, request: ActionRequest, host: HostView, told: LookTold) -> Awaitable[None]:
        return host.look_at_repair(failing_look(_of_files(contract_of(self.params(request), request))), told)

    def plan(self, request: ActionRequest, host: HostView) -> Plan:
        contract = contract_of(self.params(request), request)
        reply = _failing(contract, host)
        states = [_present(each.path, host) for each in reply.failing]
        return self.planned(
            request,
            steps=tuple(f"move {each.path} into the quarantine ({each.why})" for each in reply.failing),
            touches=touched_paths([each.path for each in reply.failing]),
            fingerprint="+".join(state.fingerprint for state in states),
            timeout_seconds=600.0,
            detail={"files": [each.path for each in reply.failing]},
            asks=_asks(reply),
        )

    async def execute(self, plan: Plan, control: HostControl) -> Effect:
        states = [_present(path, control.view) for path in plan.detail["files"]]
        if "+".join(state.fingerprint for state in states) != plan.fingerprint:
            raise StalePlanError
        try:
            return await taken_away(states, control, action=self.name, before="failing")
        finally:
            control.view.forget_repair(plan.request.target.partition(":")[2])

    def inverse(self, plan: Plan, effect: Effect) -> ActionRequest | None:
        if not effect.undo:
            return None
        return ActionRequest(GiveBackFiles.name, plan.request.target, dict(effect.undo), inverse_of=self.name)


def _of_files(contract: Contract) -> Contract:
    if not contract.source.kind.is_file:
        raise RefusedError(f"{contract.source.place} is a database, which is never moved away; nothing was done")
    return contract


def _failing(contract: Contract, host: HostView) -> DataFailingReply:
    reply = DataFailingReply.model_validate_json(host.repair_known(failing_look(_of_files(contract))))
    if reply.unable:
        raise StalePlanError(f"which files fail cannot be told: {reply.unable}")
    if not reply.failing:
        raise StalePlanError(f"no file of {contract.source.place} fails by itself; nothing was done")
    return reply


def _asks(reply: DataFailingReply) -> tuple[str, ...]:
    count = len(reply.failing) + reply.more
    if count > _MOST_UNASKED or 1 < count == reply.files:
        return (f"{count} of {reply.files} files fail: it may be the contract that is wrong",)
    return ()


def _present(path: str, host: HostView) -> FileState:
    state = replaceable(path, host)
    if state is None:
        raise StalePlanError(f"{path} is not there any more; nothing was done")
    return state
