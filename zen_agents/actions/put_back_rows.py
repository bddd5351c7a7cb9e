"""put_back_rows: the inverse of repair_data for a table."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any

from pydantic import Field

from zen_agents.actions.data_params import contract_of
from zen_agents.actions.inverse import Inverse, InverseParams
from zen_agents.actions.table_repairs import touched
from zen_agents.datasets.contract import Contract
from zen_agents.datasets.job import return_look, table_question
from zen_agents.errors import StalePlanError
from zen_agents.jobs.table_repair import PutBack
from zen_agents.model.action import ActionRequest, Effect, Plan, Risk
from zen_agents.ports.host import HostControl, HostView
from zen_agents.ports.host_datasets import LookTold


class PutBackRowsParams(InverseParams):
    """Which table, and what of it was kept."""

    contract: dict[str, Any] = Field(description="the contract that it was repaired by")
    kept: str = Field(description="id in the quarantine of the rows as they were")


class PutBackRows(Inverse):
    """Gives each row its old values that still holds what the repair left, and puts in again what was taken out."""

    name = "put_back_rows"
    summary = "Put the rows of a table back as they were before it was repaired, but those that somebody changed since."
    side_effects = "Rows that were changed since, and those whose key another one has now, stay as they are and are named."
    risk = Risk.MEDIUM
    Params = PutBackRowsParams

    def survey(self, request: ActionRequest, host: HostView, told: LookTold) -> Awaitable[None]:
        params: PutBackRowsParams = self.params(request)
        return host.look_at_repair(return_look(contract_of(params, request), params.kept), told)

    def plan(self, request: ActionRequest, host: HostView) -> Plan:
        params: PutBackRowsParams = self.params(request)
        contract = contract_of(params, request)
        now, kept = _looked(contract, params.kept, host), host.kept_file(params.kept)
        if now.back == now.rows:
            raise StalePlanError(f"the rows of {contract.source.place} are as they were; there is nothing to put back")
        return self.planned(
            request,
            steps=(
                f"put up to {now.rows - now.back} rows of {contract.source.place} back, those that nobody changed since",
            ),
            touches=(touched(contract),),
            fingerprint=f"{kept.sha256}+{now.back}",
            timeout_seconds=60.0 + 2 * contract.limits.seconds,
        )

    async def execute(self, plan: Plan, control: HostControl) -> Effect:
        params: PutBackRowsParams = self.params(plan.request)
        contract = contract_of(params, plan.request)
        try:
            told = await control.put_back_rows(table_question(contract), params.kept, action=self.name)
        finally:
            control.view.forget_repair(contract.name)
        done = PutBack.model_validate_json(told)
        left = f"; {done.rows - done.back} stay as they are: {'; '.join(done.left)}" if done.back < done.rows else ""
        return Effect(
            True, f"{done.back} of {done.rows} rows of {contract.source.place} put back{left}", before="repaired",
            after="as before" if done.back == done.rows else "partly as before",
        )  # fmt: skip

    def missing(self, plan: Plan, host: HostView) -> str:
        params: PutBackRowsParams = self.params(plan.request)
        now = _looked(contract_of(params, plan.request), params.kept, host)
        return f"{now.rows - now.back} of {now.rows} rows are not as they were" if now.back < now.rows else ""


def _looked(contract: Contract, kept: str, host: HostView) -> PutBack:
    return PutBack.model_validate_json(host.repair_known(return_look(contract, kept)))
