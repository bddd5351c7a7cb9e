"""What has packages: Python environments, the host itself, projects of npm; and units that have to be restarted."""

from __future__ import annotations

import os
from datetime import timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from zen_agents.agents.system_health.areas.argv import Argv
from zen_agents.model.refusals import refuse
from zen_agents.model.scalars import AbsolutePath, Account, Duration, HttpUrl, Line, PositiveDuration, UnitName
from zen_agents.model.section import Section
from zen_agents.model.severity import Severity
from zen_agents.packages.advisories.addresses import NPM

Telling = Literal["all", "severe", "exploited"]


def _listed(value: object) -> object:
    return (value,) if isinstance(value, str) else value


def _not_root(user: str) -> str:
    """Refuse root by its names: what is tried is other people's code (R29)."""
    if user in ("root", "0"):
        raise refuse("root", "is never root: what is tried there is other people's code")
    return user


TrialAccount = Annotated[Account, AfterValidator(_not_root)]


class Place(Section):
    """What each place may say."""

    tell_unfixed: Telling = Field(
        "all", description="weaknesses that nothing is done about are told: all | severe (and exploited) | exploited"
    )
    severity: Severity = Field(Severity.WARNING, description="of what is told, where it is neither severe nor exploited")
    runbook: Line = Field("", description="address of a page that tells people what to do")


class EnvironmentSettings(Place):
    """One Python environment."""

    venv: AbsolutePath = Field(description="directory of the environment")
    requirements: AbsolutePath | None = Field(
        None, description="file that pins what is installed there, with its hashes: of requirements, or uv.lock"
    )
    write_back: bool | None = Field(
        None,
        description="whether that file gets the versions that were installed, or they are only shown; "
        "left out: a uv.lock does, and where it cannot people are only told",
    )
    wheels: Annotated[
        tuple[AbsolutePath, ...], BeforeValidator(_listed, json_schema_input_type=AbsolutePath | list[AbsolutePath])
    ] = Field((), description="directories of wheels that packages come from, instead of an index")
    index: HttpUrl | None = Field(None, description="address of the index that packages come from; empty: the usual one")
    smoke: Argv | None = Field(None, description="the project's own test, an argument list, run in a copy that is upgraded")
    smoke_timeout: PositiveDuration = Field(timedelta(minutes=1), description="how long that may take")
    user: TrialAccount | None = Field(
        None, description="account that an upgrade is tried as, never root; required when the engine runs as root"
    )
    units: tuple[UnitName, ...] = Field((), description="units that run from it, restarted once when it was upgraded")
    bake: Duration = Field(timedelta(minutes=2), description="how long these must stay up before an upgrade counts")
    keep_for: Duration = Field(timedelta(days=7), description="how long what was there before is kept, so that undo works")

    @property
    def lacks_account(self) -> bool:
        """True if an upgrade could only be tried as root, which is never done."""
        return self.user is None and os.geteuid() == 0


class DebianSettings(Place):
    """The packages of this host."""

    tell_unfixed: Telling = Field(
        "severe", description="weaknesses that nothing is done about are told: all | severe (and exploited) | exploited"
    )
    enabled: bool = Field(True, description="false: they are not looked at")
    refresh_after: Duration = Field(
        timedelta(days=1),
        description="package lists that are older are fetched before a look, as `apt-get update` does; 0: never",
    )
    trial: bool = Field(True, description="false: an upgrade is only simulated, and not made in a copy of the root first")
    smoke: Argv | None = Field(None, description="test of your own, an argument list, run in that copy")
    user: TrialAccount | None = Field(None, description="account that `smoke` runs as, never root")

    @model_validator(mode="after")
    def _smoke_has_user(self) -> DebianSettings:
        if self.smoke is not None and self.user is None:
            raise refuse("root", "needs `user:`, the account that it runs as", at="smoke")
        return self


class NpmSettings(Place):
    """Projects of npm."""

    projects: Annotated[tuple[AbsolutePath, ...], Field(min_length=1)] = Field(
        description="directories with a package-lock.json"
    )
    registry: HttpUrl | None = Field(
        NPM, description="registry that is asked for later versions, and for what `npm audit` tells; ~: nobody is"
    )


class RestartSettings(Section):
    """Which units are restarted; `system_health` tells of all others with `upgrades: {}`."""

    units: Annotated[tuple[UnitName, ...], Field(min_length=1)] = Field(
        description="restarted when they run with files that were replaced"
    )
    every: PositiveDuration = Field(timedelta(minutes=10), description="how often their processes are looked at")
    held_for: Duration = Field(
        timedelta(minutes=10), alias="for",
        description="how long it may be so: packages restart their services meanwhile",
    )  # fmt: skip
    severity: Severity = Field(Severity.WARNING, description="info | warning | error | critical")
