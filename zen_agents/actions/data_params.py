"""What the actions on data sets are told: the contract as the configuration has it, so that an approval is bound to it."""

from __future__ import annotations

from typing import Annotated, Any, Protocol

from pydantic import BaseModel, ConfigDict, Field

from zen_agents.actions.base import ActionParams
from zen_agents.actions.inverse import InverseParams
from zen_agents.actions.scope import PathsPolicy, subject_of
from zen_agents.datasets.contract import Contract
from zen_agents.datasets.plain import MalformedDatasetError, contract_from_plain
from zen_agents.errors import RefusedError
from zen_agents.jobs.data_repair import Replaced
from zen_agents.model.action import ActionRequest, Plan, ResourceKind
from zen_agents.model.reason import Reason
from zen_agents.model.scalars import AbsolutePath, Name


class HasContract(Protocol):
    """Parameters with the contract of a data set."""

    @property
    def contract(self) -> dict[str, Any]: ...


class DataParams(ActionParams):
    """One data set."""

    contract: dict[str, Any] = Field(description="its contract, as the configuration has it")


class DataPolicy(PathsPolicy):
    """The scope of a repair: files and databases by their paths, tables of a server by the data set that they are."""

    datasets: Annotated[tuple[Name, ...], Field(min_length=1)] | None = Field(
        None, description="only these data sets; where `paths` stands alone, no table of a server is among them"
    )

    def permits(self, plan: Plan) -> str:
        name = plan.request.target.partition(":")[2]
        if self.datasets is not None and name not in self.datasets:
            return f"{name} is not one of {', '.join(self.datasets)}"
        is_remote = any(touched.kind is ResourceKind.TABLE for touched in plan.touches)
        if is_remote and self.paths is not None and self.datasets is None:
            return f"{name} is a table of a server; name it in `datasets`"
        return super().permits(plan)


class ReplacedData(BaseModel):
    """One file in whose place another one was put."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    path: AbsolutePath = Field(description="where it is")
    quarantine: str = Field(description="id in the quarantine of what was there")
    left: str = Field(description="which file the action left there")


class PutBackDataParams(InverseParams):
    """What was replaced."""

    files: tuple[ReplacedData, ...] = Field(min_length=1, description="what was replaced, and what was put there")


def contract_of(params: HasContract, request: ActionRequest) -> Contract:
    """Return the contract; RefusedError if the target is another data set, or no file."""
    name = subject_of(request, "dataset")
    try:
        contract = contract_from_plain(params.contract)
    except MalformedDatasetError as error:
        raise RefusedError(
            f"the contract of {request.target} makes no sense: {error}", reason=Reason.OUT_OF_SCOPE
        ) from error
    if contract.name != name:
        raise RefusedError(f"the target is {request.target}, the contract is of {contract.name}; nothing was done")
    return contract


def undo_of(done: Replaced) -> dict[str, str]:
    """Return what the inverse needs to know of a file."""
    return {"path": done.path, "quarantine": done.kept, "left": done.left}
