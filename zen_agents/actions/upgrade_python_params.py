"""What the upgrade of a Python environment is told: where it is, from what, how it is tried, and who runs on it."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from zen_agents.actions.package_params import PackageParams
from zen_agents.actions.scope import PathsPolicy
from zen_agents.model.action import Plan, ResourceKind
from zen_agents.model.environment import Environment
from zen_agents.model.scalars import AbsolutePath, Name, UnitName

_DAY_SECONDS = 86400.0


class UpgradePythonParams(PackageParams):
    """One environment."""

    environment: Name = Field(description="its name in the configuration")
    venv: AbsolutePath = Field(description="directory of the environment")
    user: str = Field("", description="account that it runs as; needed where the engine is root")
    wheels: tuple[AbsolutePath, ...] = Field((), description="directories of wheels; with these and no index it is offline")
    index: str = Field("", description="address of an index; empty, and no wheels: the usual one")
    requirements: str = Field("", description="file that pins what is installed; its hashes are demanded")
    write_back: bool | None = Field(
        None, description="whether that file gets the new versions, or they are only shown; left out: only a uv.lock does"
    )
    smoke: tuple[str, ...] = Field((), description="the project's own test, an argument list")
    smoke_seconds: float = Field(60.0, gt=0, description="how long that may take, in seconds")
    units: tuple[UnitName, ...] = Field((), description="units that run on it and are restarted")
    bake_seconds: float = Field(120.0, ge=0, description="for how long they are watched afterwards, in seconds")
    keep_seconds: float = Field(7 * _DAY_SECONDS, ge=0, description="for how long what was there is kept, in seconds")

    @property
    def source(self) -> Environment:
        """The environment, as it is resolved and tried."""
        return Environment(self.venv, self.user, self.wheels, self.index, self.requirements)

    @property
    def writes_back(self) -> bool:
        """Whether what pins the environment is to say what is installed: whoever syncs by a lock would undo the upgrade."""
        return self.source.is_locked_by_uv if self.write_back is None else self.write_back


class UpgradePythonPolicy(PathsPolicy):
    """The scope: at most these environments, and these units."""

    units: Annotated[tuple[UnitName, ...], Field(min_length=1)] | None = Field(
        None, description="restart only these systemd units; left out: whatever the configuration names"
    )

    def permits(self, plan: Plan) -> str:
        units = [touched.name for touched in plan.touches if touched.kind is ResourceKind.UNIT]
        if self.units and not set(units) <= set(self.units):
            return f"{units[0]} is not in units"
        return super().permits(plan)
