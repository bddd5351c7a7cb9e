"""A question to people: may exactly this be done? Bound to one plan, for a time; silence means no."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from enum import StrEnum
from typing import Any

from zen_agents.clock import Instant
from zen_agents.dataclass import dataclass
from zen_agents.model.principal import Principal


class ApprovalState(StrEnum):
    """How far a question has come; all but the first two are final."""

    PENDING = "pending"
    #: Enough people said yes; the action is not done yet.
    APPROVED = "approved"
    #: Spent by one action.
    USED = "used"
    DENIED = "denied"
    EXPIRED = "expired"
    #: The plan or the target's state is no longer what was asked about.
    STALE = "stale"
    #: The engine took it back: an emergency stop, or a state that is not this host's own.
    WITHDRAWN = "withdrawn"

    @property
    def is_open(self) -> bool:
        """True while it can still lead to the action."""
        return self in (ApprovalState.PENDING, ApprovalState.APPROVED)


@dataclass(frozen=True, slots=True)
class ApprovalAnswer:
    """What one person said."""

    by: str
    #: Login uid: two answers of one uid are one person's.
    uid: int
    yes: bool
    reason: str
    #: Unix time in seconds, for people.
    wall: float


@dataclass(frozen=True, slots=True)
class Approval:
    """One question, who answered, and what became of it."""

    #: `apr-2c8d4k`.
    id: str
    #: SHA-256 of the plan asked about (`Plan.digest`): what is done, to which state of the target, and what it warns of.
    digest: str
    action: str
    target: str
    agent: str
    rule: str
    #: None if a person asked for the action.
    incident: str | None
    requested_by: Principal
    #: How many different people have to say yes.
    needed: int
    asked_at: Instant
    #: Steady time from which it means no.
    expires_at: float
    #: The plan as plain JSON, for people.
    plan: Mapping[str, Any]
    #: Why it is asked for, for people.
    because: str = ""
    state: ApprovalState = ApprovalState.PENDING
    answers: tuple[ApprovalAnswer, ...] = field(default=())
    #: Why it ended, in words; "" while open.
    ended_why: str = ""
    #: The action that spent it.
    used_by: str | None = None

    @property
    def agreed(self) -> int:
        """How many different people said yes."""
        return len({answer.uid for answer in self.answers if answer.yes})
