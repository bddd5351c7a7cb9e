"""What the actions on connection pools share: a scope with a cooldown and a budget of its own."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from pydantic import Field

from zen_agents.actions.base import ActionPolicy
from zen_agents.model.action import Plan
from zen_agents.model.scalars import Duration, Name


class PoolsPolicy(ActionPolicy):
    """The scope: at most these pools. One that is full again and again is a person's work."""

    cooldown: Duration = Field(timedelta(minutes=5), description="least time between two incidents' actions on one pool")
    max_per_hour: int | None = Field(6, ge=0, description="engine's executions of this action per hour, over all pools")
    pools: Annotated[tuple[Name, ...], Field(min_length=1)] | None = Field(
        None, description="only these pools; left out: whatever the configuration names"
    )

    def permits(self, plan: Plan) -> str:
        name = plan.request.target.partition(":")[2]
        return "" if self.pools is None or name in self.pools else f"{name} is not in pools"
