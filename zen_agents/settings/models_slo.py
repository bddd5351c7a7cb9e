"""Typed settings of what remediation itself is held to; only `report` judges by them."""

from __future__ import annotations

from datetime import timedelta

from pydantic import Field

from zen_agents.model.scalars import Line, Percent, PositiveDuration
from zen_agents.model.section import Section


class RuleSloSettings(Section):
    """What one rule is held to besides; what is not named is not judged for it alone."""

    verified: Percent | None = Field(None, description="of its actions, at least so many verified")
    recurring: Percent | None = Field(None, description="of its repairs, at most so many broken again within a day")
    unknown: Percent | None = Field(None, description="of its actions, at most so many with an unknown outcome")
    in_time: Percent | None = Field(None, description="of its repairs, at least so many within `within`")
    within: PositiveDuration | None = Field(None, description="from the first bad look to the verified repair")


class SloSettings(Section):
    """What remediation is held to; `zen-agents report` says whether it was met, and what is left of the error budget."""

    verified: Percent = Field(95.0, description="of all actions, at least so many verified")
    recurring: Percent = Field(10.0, description="of all repairs, at most so many broken again within a day")
    unknown: Percent = Field(1.0, description="of all actions, at most so many with an unknown outcome")
    in_time: Percent = Field(95.0, description="of all repairs, at least so many within `within`")
    within: PositiveDuration = Field(timedelta(minutes=5), description="from the first bad look to the verified repair")
    rules: dict[Line, RuleSloSettings] = Field(default_factory=dict, description="rule -> what it is held to besides")
