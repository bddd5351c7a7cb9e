"""`partitions:` which of several files are there, and how many rows each has."""

from __future__ import annotations

from datetime import timedelta

from pydantic import Field, model_validator

from zen_agents.datasets.questions import Partitions, Period
from zen_agents.model.refusals import refuse
from zen_agents.model.scalars import Duration, Line, Percent, TimeZone
from zen_agents.model.section import Section


class Parts(Section):
    """What is asked of the files; that none is gone which was there is asked anyway."""

    name: Line = Field("", description="what the file of a period is called, like orders-%Y-%m-%d.csv; empty: none is due")
    every: Period = Field("day", description="one is due for each hour | day | week | month")
    last: int = Field(7, ge=1, le=1000, description="the files of so many periods are there")
    within: Duration = Field(timedelta(0), description="a file comes so long after its period has ended")
    time_zone: TimeZone = Field("UTC", description="whose hours and days these are")
    fall: Percent | None = Field(None, description="a file has at most so much fewer rows than before, or than is usual")
    growth: float | None = Field(None, ge=0, description="at most so many times more: 0.5 is half as many again")

    @model_validator(mode="after")
    def _of_a_period(self) -> Parts:
        if self.name and "%" not in self.name:
            raise refuse("text", "names the same file for each period; write where the date stands: %Y-%m-%d", at="name")
        return self

    def asks(self) -> Partitions:
        """Return it as what is asked."""
        fall, within = None if self.fall is None else self.fall / 100, self.within.total_seconds()
        return Partitions(self.name, self.every, self.last, within, self.time_zone, fall, self.growth)
