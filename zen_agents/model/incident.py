"""One continuous bad period of one rule on one target."""

from __future__ import annotations

from enum import StrEnum

from zen_agents.clock import Instant
from zen_agents.dataclass import dataclass
from zen_agents.model.observation import Status
from zen_agents.model.reason import Reason
from zen_agents.model.severity import Severity


class IncidentState(StrEnum):
    """suspected -> open -> verifying -> resolved, or escalated (and still resolved when it clears)."""

    SUSPECTED = "suspected"
    OPEN = "open"
    VERIFYING = "verifying"
    ESCALATED = "escalated"
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True)
class Incident:
    """The fold of a rule's findings, with all that `decide` needs. Steady seconds unless said otherwise."""

    #: `inc-4k2p7m`; the same from the first bad finding to the resolve.
    id: str
    #: `rule|target`: repeats with the same key are this incident.
    key: str
    agent: str
    rule: str
    target: str
    severity: Severity
    state: IncidentState
    #: The first bad finding.
    began_at: Instant
    #: When the hold was over; None while suspected.
    opened_at: Instant | None
    #: The last change of state or status.
    changed_at: Instant
    last_status: Status
    detail: str = ""
    value: float | None = None
    fingerprint: str = ""
    #: Bad, and good, findings in a row.
    bad_streak: int = 0
    good_streak: int = 0
    #: Moment of the newest observation counted into a streak: each counts once. Not kept over a restart.
    counted_at: float | None = None
    #: Since when good without a break; None while bad.
    good_since: float | None = None
    #: Since when UNKNOWN without a break; None while it can be told.
    unknown_since: float | None = None
    #: The rung of the ladder now in use, from 0, and attempts of it so far.
    rung: int = 0
    attempts: int = 0
    #: Not before this the next attempt (backoff).
    next_attempt_at: float = 0.0
    #: The action being verified, and the three times of its verification.
    action: str | None = None
    settle_until: float = 0.0
    verify_deadline: float = 0.0
    #: True when what the action mended was seen to be gone for certain again: there is no use in waiting for the deadline.
    relapsed: bool = False
    #: True when an action of this incident ended with an unknown outcome: closed to the engine.
    outcome_unknown: bool = False
    #: Since when, and why, guards refuse; None while they do not.
    refused_since: float | None = None
    refused_for: Reason | None = None
    #: Why people were told; None if they were not.
    escalated_for: Reason | None = None
    escalated_at: Instant | None = None
    #: A person has it until then; with keep_acting the engine goes on.
    acknowledged_by: str | None = None
    acknowledged_until: float | None = None
    keep_acting: bool = False
    resolved_at: Instant | None = None
    #: `engine`, `itself`, a person's name; "" while open.
    resolved_by: str = ""

    @property
    def is_live(self) -> bool:
        """True until it is resolved."""
        return self.state is not IncidentState.RESOLVED

    @property
    def explains_others(self) -> bool:
        """True if what needs its target cannot work without it: of a path only if it is missing.

        What is there has a fingerprint; whether another mode keeps anybody from reading it cannot be told.
        """
        return not self.target.startswith("path:") or not self.fingerprint


def incident_key(rule: str, target: str) -> str:
    """Return the dedup key of a rule on a target; the host is added where hosts mix."""
    return f"{rule}|{target}"
