"""The grammar that later versions bring: checked, so that a mistake in it is told, and then refused.

Nothing here would act, and a setting is never ignored. Imported only for files that use it.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from zen_agents.actions.base import ActionPolicy
from zen_agents.model.scalars import (
    AbsolutePath,
    ActionReference,
    CronExpression,
    Duration,
    GlobPath,
    HostPort,
    HttpUrl,
    Interval,
    Line,
    Name,
    Percent,
    PositiveDuration,
    TimeZone,
)
from zen_agents.model.severity import Severity

Ladder = tuple[ActionReference, ...]


class LaterSection(BaseModel):
    """A map of the configuration that is only checked."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class LaterAgentSettings(LaterSection):
    """What every agent has."""

    enabled: bool = Field(True, description="false: the agent does not start")
    interval: Interval | None = Field(None, description="how often it decides, in seconds or like 5m")
    schedule: CronExpression | None = Field(None, description="cron expression instead of `interval`")
    timezone: TimeZone = Field("UTC", description="time zone of `schedule`")
    jitter: Duration | None = Field(None, description="up to this much later, to spread a fleet")
    auto_mitigate: bool = Field(True, description="false: this agent only tells")
    rules: dict[Name, Any] = Field(default_factory=dict, description="rules of your own")


class DataSource(LaterSection):
    """Where a data set is."""

    csv: GlobPath | None = None
    parquet: GlobPath | None = None
    jsonl: GlobPath | None = None
    sqlite: AbsolutePath | None = None
    postgresql_file: AbsolutePath | None = None
    table: Line = ""


class Dataset(LaterSection):
    """One data set and what is expected of it."""

    source: DataSource
    fresh_within: PositiveDuration | None = None
    expect: tuple[dict[str, Any], ...] = ()
    severity: Severity = Severity.WARNING
    on_failure: Ladder = ()
    runbook: Line = ""


class DataValidationSettings(LaterAgentSettings):
    """`agents.data_validation`."""

    datasets: dict[Name, Dataset] = Field(default_factory=dict, description="data sets, by name")


class ConsoleSettings(LaterSection):
    """The web console."""

    listen: HostPort = "127.0.0.1:8787"
    auth: Literal["local", "pam", "oidc", "token"] = "local"
    public_url: HttpUrl | None = None


class LaterFleetSettings(LaterSection):
    """This host's part in a fleet."""

    role: Literal["standalone", "node", "control_plane"] = Field("standalone", description="standalone: no fleet")
    control_plane: HttpUrl | None = None


class FleetBreakerSettings(LaterSection):
    """The limit over all hosts."""

    max_hosts_acting: Percent


class QuarantineFilePolicy(ActionPolicy):
    """`quarantine_file`."""

    paths: tuple[AbsolutePath, ...] = ()


#: Agent -> its grammar.
AGENTS: dict[str, type[LaterAgentSettings]] = {
    "data_validation": DataValidationSettings,
}

#: Agent -> the specification's own keys: they load with a warning, everything else is refused.
OWN_KEYS = {
    "data_validation": frozenset({"enabled", "schedule", "interval"}),
}

#: Action -> its policy's grammar.
ACTIONS: dict[str, type[ActionPolicy]] = {
    "npm_upgrade": ActionPolicy,
    "clean_package_cache": ActionPolicy,
    "quarantine_file": QuarantineFilePolicy,
    "reboot_host": ActionPolicy,
}


class LaterParts(LaterSection):
    """The sections of the file that are refused wherever they are written."""

    console: ConsoleSettings | None = Field(None, description="the web console")
