"""What every agent may say of itself, whatever it looks after."""

from __future__ import annotations

from datetime import timedelta
from typing import Self

from pydantic import Field, model_validator

from zen_agents.model.refusals import refuse
from zen_agents.model.scalars import CronExpression, Duration, Interval, TimeZone
from zen_agents.model.section import Section


class AgentSettings(Section):
    """Whether it runs, when it decides, and whether it may act."""

    enabled: bool = Field(True, description="false: the agent does not start; its environment variable wins")
    interval: Interval = Field(
        timedelta(minutes=5),
        description="how often everything is decided anew, in seconds or like 5m; events are looked at sooner",
    )
    schedule: CronExpression | None = Field(
        None, description="cron expression instead of `interval`: when everything is decided anew"
    )
    timezone: TimeZone = Field("UTC", description="time zone of `schedule`, like Europe/Berlin")
    jitter: Duration = Field(timedelta(0), description="up to this much later than `schedule` says, to spread a fleet")
    auto_mitigate: bool = Field(True, description="false: this agent only tells, whatever `actions` allows")

    @model_validator(mode="after")
    def _one_rhythm(self) -> Self:
        # What `config show` writes out in full is no contradiction.
        is_meant = "interval" in self.model_fields_set and self.interval != type(self).model_fields["interval"].default
        if self.schedule is not None and is_meant:
            raise refuse("one_of", "stands beside `interval`; when is it to decide?", at="schedule", see="interval")
        return self
