"""What people are told, before it is known how it is sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from enum import StrEnum
from typing import Any

from zen_agents.clock import Instant
from zen_agents.dataclass import dataclass
from zen_agents.model.severity import Severity


class MessageKind(StrEnum):
    """Why something is told."""

    #: An incident needs a person, or a fact about it changed.
    FIRING = "firing"
    #: The incident is over.
    RESOLVED = "resolved"
    #: The engine itself: safe mode, emergency stop, configuration not applied, ledger broken.
    ENGINE = "engine"
    #: An action was done; PagerDuty's change event and the digest.
    CHANGE = "change"
    #: Many at once, told as one.
    ROLL_UP = "roll_up"
    DIGEST = "digest"
    TEST = "test"


@dataclass(frozen=True, slots=True)
class Message:
    """One thing to tell people. The outbox keeps it until every channel took it or gave up."""

    id: str
    kind: MessageKind
    severity: Severity
    at: Instant
    #: Same key: the same page; host and rule and target, never the incident id.
    dedup_key: str
    #: One line, state and host first.
    summary: str
    #: Facts by name as plain JSON values; `alerts` renders them per channel.
    facts: Mapping[str, Any] = field(default_factory=dict)
    incident: str | None = None
    agent: str = ""
    rule: str = ""
    target: str = ""
    #: True: quiet hours and no_alerts windows do not hold it back (unknown outcome, safe mode, emergency stop, approval).
    urgent: bool = False
