"""Settings of `agents.system_health.services.NAME.leaks`: what a service may take before it is restarted."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from pydantic import Field, model_validator

from zen_agents.model.refusals import refuse
from zen_agents.model.scalars import ActionReference, Line, PositiveDuration, Size, Threshold
from zen_agents.model.section import Section
from zen_agents.model.severity import Severity


class ServiceLeaks(Section):
    """What counts as a leak. `leaks: {}` is enough: then memory counts that will end soon at its present growth."""

    memory: Size | None = Field(
        None, description="memory that one of its processes may hold; empty: only growth towards an end of memory counts"
    )
    ahead: PositiveDuration = Field(
        timedelta(minutes=10),
        description="memory: growth counts if it leads to `memory`, to its unit's limit or to the end of the host's memory "
        "within this long",
    )
    over: Annotated[PositiveDuration, Field(description="memory: growth must have been steady for this long")] = timedelta(
        minutes=30
    )
    descriptors: Threshold = Field(80.0, description="percent of the files that one of its processes may have open")
    zombies: Annotated[int, Field(ge=1, le=1_000_000)] = Field(
        100, description="children of it that have ended and that it did not ask for; there may be so many"
    )
    every: PositiveDuration = Field(
        timedelta(seconds=30), description="how often it is looked at; the process table is read once for all services"
    )
    on_breach: tuple[ActionReference, ...] | None = Field(
        None,
        description="not given: restart_service, for zombies signal_parent first, as the allow-list has them; empty list: "
        "only tell",
    )
    severity: Severity = Field(Severity.ERROR, description="info | warning | error | critical")
    runbook: Line = Field("", description="address of a page that tells people what to do")

    @model_validator(mode="after")
    def _looks_often_enough(self) -> ServiceLeaks:
        if self.every * 5 > self.over:
            raise refuse("range", "is too short to see a trend: at least five times `every`", at="over", see="every")
        return self
