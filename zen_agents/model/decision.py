"""What is to be done about an incident now."""

from __future__ import annotations

from enum import StrEnum

from zen_agents.clock import Instant
from zen_agents.dataclass import dataclass
from zen_agents.model.action import ActionRequest
from zen_agents.model.reason import Reason


class DecisionKind(StrEnum):
    """The five things that can be decided."""

    ACT = "act"
    WAIT = "wait"
    RESOLVE = "resolve"
    ESCALATE = "escalate"
    #: This rung failed for good: count it against the breaker, go to the next one, and decide again.
    FAIL_RUNG = "fail_rung"


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer of `rules.decide`, before any guard was asked."""

    kind: DecisionKind
    reason: Reason
    at: Instant
    detail: str = ""
    #: Set when kind is ACT.
    request: ActionRequest | None = None
    #: Steady time at which it is worth deciding again; None: at the next tick.
    again_at: float | None = None
