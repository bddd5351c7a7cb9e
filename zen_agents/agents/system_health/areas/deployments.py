"""Deployments: whose changes of what is declared elsewhere are respected for a time. Watched by nobody by themselves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Literal

from pydantic import Field, model_validator

from zen_agents.drift.deployments import Deployer
from zen_agents.model.duration import seconds_in
from zen_agents.model.refusals import refuse
from zen_agents.model.scalars import AbsolutePath, Account, Line, PositiveDuration
from zen_agents.model.section import Section


class Deployment(Section):
    """One way in which deployments reach this host. Exactly one of `record`, `marker`, `account` and `packages`."""

    record: AbsolutePath | None = Field(
        None,
        description="file to which it adds a line `SECONDS WHO PATH SHA256` for each file that it puts there; only trusted "
        "if others than its owner (as root: than root) cannot write it",
    )
    by: tuple[Line, ...] = Field((), description="who of those in the record counts")
    marker: AbsolutePath | None = Field(
        None, description="file that it touches when it is done; what was changed up to a minute later is its own"
    )
    account: Account | None = Field(None, description="account that owns what it puts there, by name or number")
    packages: Literal["dpkg"] | None = Field(
        None, description="dpkg: files of packages that it changed, as its log says; what was changed meanwhile is its own"
    )
    respected_for: PositiveDuration = Field(
        timedelta(hours=1), description="how long what it changed may differ from what was declared"
    )

    @model_validator(mode="after")
    def _one_way(self) -> Deployment:
        if sum(each is not None for each in (self.record, self.marker, self.account, self.packages)) != 1:
            raise refuse("one_of", "needs exactly one of `record`, `marker`, `account` and `packages`")
        if bool(self.by) != (self.record is not None):
            raise refuse("one_of", "goes with `record`: whose lines count?", at="by", see="record")
        return self


def deployers(section: Mapping[str, Deployment]) -> Sequence[Deployer]:
    """Return what knows the deployments of the configuration."""
    return tuple(
        Deployer(
            name,
            seconds_in(deployment.respected_for),
            record=deployment.record or "",
            by=frozenset(deployment.by),
            marker=deployment.marker or "",
            account=deployment.account or "",
            packages=deployment.packages or "",
        )
        for name, deployment in section.items()
    )
