"""Settings of `agents.data_validation`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field, model_validator

from zen_agents.agents.agent_settings import AgentSettings
from zen_agents.model.refusals import refuse
from zen_agents.model.section import Entries

_ROOM = "zen_agents.agents.data_validation"


class DataValidationSettings(AgentSettings):
    """What `agents.data_validation` may say."""

    datasets: Annotated[Mapping[str, Any], Entries(f"{_ROOM}.dataset:Dataset")] = Field(
        {}, description="data sets and what is expected of them, by name"
    )

    @model_validator(mode="after")
    def _references_exist(self) -> DataValidationSettings:
        for name, dataset in self.datasets.items():
            for at, each in enumerate(dataset.expect):
                if each.references is not None and each.references.dataset not in self.datasets:
                    text = f"names `{each.references.dataset}`; there are {', '.join(self.datasets)}"
                    raise refuse("reference", text, at=f"datasets.{name}.expect.{at}.references.dataset")
        return self
