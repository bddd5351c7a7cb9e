"""repair_data: do to the files of a data set what its contract allows, so that each row is accounted for."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Iterator, Sequence
from dataclasses import replace
from typing import Final

from zen_agents.actions.base import Action
from zen_agents.actions.data_params import DataParams, DataPolicy, contract_of, undo_of
from zen_agents.actions.put_back_data import PutBackData
from zen_agents.actions.put_back_rows import PutBackRows
from zen_agents.actions.replacing import replaceable
from zen_agents.actions.scope import parent_of, touched_paths
from zen_agents.actions.table_repairs import asks_of, needed_of_table, repair_table, step_of, touched
from zen_agents.datasets.contract import Contract
from zen_agents.datasets.job import repair_look, repair_question
from zen_agents.errors import RefusedError, StalePlanError
from zen_agents.jobs.data_repair import DataRepairReply, FileRepair, Replaced
from zen_agents.model.action import ActionRequest, Effect, Plan, Reversible, Risk
from zen_agents.model.reason import Reason
from zen_agents.ports.host import HostControl, HostView
from zen_agents.ports.host_datasets import LookTold
from zen_agents.ports.host_files import FileState

#: Looking, writing, counting and comparing a file may each take as long as a check.
_STEPS: Final = 5


class RepairData(Action):
    """Has a worker write each file anew and exchanges the two in one step, or change a table in one transaction.

    What was there goes to the quarantine.
    """

    name = "repair_data"
    summary = "Repair the files or the table of a data set as its contract allows; bad rows are taken out with the reason."
    side_effects = "Who reads the data finds other rows; what was taken out lies in a new file, and undo leaves that there."
    risk = Risk.MEDIUM
    reversible = Reversible.YES
    mends = ("data.{name}",)
    Params = DataParams
    Policy = DataPolicy

    def survey(self, request: ActionRequest, host: HostView, told: LookTold) -> Awaitable[None]:
        return host.look_at_repair(repair_look(contract_of(self.params(request), request)), told)

    def plan(self, request: ActionRequest, host: HostView) -> Plan:
        contract = contract_of(self.params(request), request)
        if not contract.source.kind.is_file:
            return self._plan_of_table(request, contract, host)
        found = _needed(contract, host)
        if why := host.no_room_to_keep(sum(each.identity[2] for each in found)):
            raise RefusedError(why, reason=Reason.OUT_OF_SCOPE)
        most = max(each.share for each in found)
        return self.planned(
            request,
            steps=tuple(_step(each) for each in found),
            touches=touched_paths([each.path for each in found]),
            fingerprint=hashlib.sha256("".join(each.model_dump_json() for each in found).encode()).hexdigest(),
            timeout_seconds=len(found) * _STEPS * contract.limits.seconds,
            detail={"files": {each.path: each.about for each in found}},
            asks=tuple(_asks(most, contract)),
        )

    def _plan_of_table(self, request: ActionRequest, contract: Contract, host: HostView) -> Plan:
        found = needed_of_table(contract, host)
        return self.planned(
            request,
            steps=(step_of(found),),
            touches=(touched(contract),),
            fingerprint=found.about,
            timeout_seconds=_STEPS * contract.limits.seconds,
            asks=(*_asks(found.share, contract), *asks_of(found)),
        )

    async def execute(self, plan: Plan, control: HostControl) -> Effect:
        contract = contract_of(self.params(plan.request), plan.request)
        if not contract.source.kind.is_file:
            return await repair_table(contract, plan.fingerprint, control, action=self.name)
        done: list[Replaced] = []
        for path, about in plan.detail["files"].items():
            asked = repair_question(replace(contract, source=replace(contract.source, path=path)))
            taken_to = contract.quarantine or parent_of(path)
            said = await control.repair_data(asked, _present(path, control.view), about, taken_to, action=self.name)
            done.append(Replaced.model_validate_json(said))
        return Effect(
            True, "; ".join(map(_said, done)), before="bad rows", after="repaired", undo={"files": [*map(undo_of, done)]}
        )

    def inverse(self, plan: Plan, effect: Effect) -> ActionRequest | None:
        if not effect.undo:
            return None
        back = PutBackData.name if "files" in effect.undo else PutBackRows.name
        return ActionRequest(back, plan.request.target, dict(effect.undo), inverse_of=self.name)


def _asks(share: float, contract: Contract) -> Iterator[str]:
    if share > contract.repair_at_most:
        yield f"it is about {share:.1%} of the rows, and repair_at_most is {contract.repair_at_most:.1%}"


def _needed(contract: Contract, host: HostView) -> Sequence[FileRepair]:
    reply = DataRepairReply.model_validate_json(host.repair_known(repair_look(contract)))
    if reply.unable:
        raise RefusedError(f"it cannot be repaired: {reply.unable}")
    found = [each for each in reply.files if each.is_needed]
    if not found:
        raise StalePlanError(f"nothing in {contract.source.place} needs a repair that the contract allows")
    return found


def _present(path: str, host: HostView) -> FileState:
    state = replaceable(path, host)
    if state is None:
        raise StalePlanError(f"{path} is not there any more; nothing was done")
    return state


def _step(each: FileRepair) -> str:
    parts = [f"of {each.rows} rows in {each.path} change {each.changed}"]
    parts += [f"take out {each.taken}"] if each.taken else []
    parts += [f"drop {each.dropped} repetitions"] if each.dropped else []
    parts += [f"call {old} {new}" for old, new in each.renamed.items()]
    parts += [f"write {what} anew" for what in each.rewritten]
    return ", ".join(parts) + "; keep what is there for undo"


def _said(done: Replaced) -> str:
    repair = done.repair
    if repair is None:
        return done.path
    taken = f" {repair.taken} taken out to {done.taken_to}," if repair.taken else ""
    return (
        f"{done.path}: {repair.rows} rows in, {repair.kept} kept ({repair.changed} changed),{taken} "
        f"{repair.dropped} dropped as repeated"
    )
