"""Settings of `agents.dependency_manager`. What is listed has its models in `places.py`, loaded where something is."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from zen_agents.agents.agent_settings import AgentSettings
from zen_agents.model.refusals import refuse
from zen_agents.model.scalars import Interval, Line
from zen_agents.model.section import Apart, Entries

_ROOM = "zen_agents.agents.dependency_manager"
#: Of `zen_agents.packages.policy`, which an engine without anything listed does not load.
Choice = Literal["auto", "notify", "disabled"]


class DependencyManagerSettings(AgentSettings):
    """What `agents.dependency_manager` may say. Packages of what is not listed are not looked at."""

    interval: Interval = Field(
        timedelta(hours=6), description="how often packages are looked at and decided about, in seconds or like 6h"
    )
    security_updates: Choice = Field("notify", description="fixes of known weaknesses: auto | notify | disabled")
    minor_updates: Choice = Field("notify", description="other small steps: auto | notify | disabled")
    major_updates: Choice = Field(
        "disabled", description="auto: a person is asked, they are never made unasked | notify | disabled"
    )
    hold: tuple[Line, ...] = Field((), description="packages that are never touched, by patterns like postgresql-*")
    advisories: Annotated[Any, Apart(f"{_ROOM}.advisories:AdvisorySettings")] = Field(
        None, description="who knows of weaknesses, and which are lived with"
    )
    environments: Annotated[Mapping[str, Any], Entries(f"{_ROOM}.places:EnvironmentSettings")] = Field(
        {}, description="Python environments, by name"
    )
    debian: Annotated[Any, Apart(f"{_ROOM}.places:DebianSettings")] = Field(
        None, description="the Debian packages of this host; {}: looked at"
    )
    npm: Annotated[Any, Apart(f"{_ROOM}.places:NpmSettings")] = Field(
        None, description="projects of npm; people are told, nothing is done"
    )
    restarts: Annotated[Any, Apart(f"{_ROOM}.places:RestartSettings")] = Field(
        None, description="units that are restarted when they run with files that an upgrade has replaced"
    )

    @property
    def policy_words(self) -> Mapping[str, Any]:
        """What policy says, as a look is asked by it."""
        return {
            "security": self.security_updates, "minor": self.minor_updates, "major": self.major_updates, "hold": self.hold,
        }  # fmt: skip

    @model_validator(mode="after")
    def _consistent(self) -> DependencyManagerSettings:
        if "debian" in self.environments:
            raise refuse("name", "is `debian`, which the packages of this host are called", at="environments.debian")
        acts = "auto" in (self.security_updates, self.minor_updates)
        for name, environment in self.environments.items():
            if acts and environment.lacks_account:
                text = "needs `user:` because the engine runs as root: an upgrade is tried first, and never as root"
                raise refuse("root", text, at=f"environments.{name}")
        return self
