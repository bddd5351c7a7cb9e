"""Every "no", "not yet" and "tell someone" has a name; the same word goes to ledger, metric, log and command line."""

from __future__ import annotations

from enum import StrEnum


class Reason(StrEnum):
    """The named cause of a decision or verdict. The value is the stable word; `sentence` explains it."""

    EMERGENCY_STOP = "emergency_stop"
    SAFE_MODE = "safe_mode"
    PAUSED = "paused"
    MAINTENANCE = "maintenance"
    MODE_OBSERVE = "mode_observe"
    AUTO_MITIGATE_OFF = "auto_mitigate_off"
    NOT_ALLOWED = "not_allowed"
    OUT_OF_SCOPE = "out_of_scope"
    NO_TARGET = "no_target"
    PROTECTED = "protected"
    DEPENDENCY_DOWN = "dependency_down"
    STORM_BRAKE = "storm_brake"
    LEASE_HELD = "lease_held"
    DUPLICATE = "duplicate"
    COOLDOWN = "cooldown"
    BACKOFF = "backoff"
    RATE_LIMIT = "rate_limit"
    BREAKER_OPEN = "breaker_open"
    RECURRENCE = "recurrence"
    FLAPPING = "flapping"
    NOT_HELD = "not_held"
    SETTLING = "settling"
    LOOKING = "looking"
    UNKNOWN_OBSERVATION = "unknown_observation"
    STALE_PLAN = "stale_plan"
    NOT_OURS = "not_ours"
    BUSY_ELSEWHERE = "busy_elsewhere"
    STATEFUL = "stateful"
    STOPPED_BY_PERSON = "stopped_by_person"
    ANSWERS = "answers"
    UNCONFIRMED = "unconfirmed"
    FOREIGN_STATE = "foreign_state"
    MOUNT_MISSING = "mount_missing"
    APPROVAL_PENDING = "approval_pending"
    APPROVAL_DENIED = "approval_denied"
    NO_APPROVER = "no_approver"
    GUARD_ERROR = "guard_error"
    DRY_RUN = "dry_run"
    FLEET_LIMIT = "fleet_limit"
    # Reasons of decisions that are no refusal.
    ACKNOWLEDGED = "acknowledged"
    VERIFYING = "verifying"
    ESCALATED = "escalated"
    LADDER_EXHAUSTED = "ladder_exhausted"
    NO_ACTION = "no_action"
    UNKNOWN_TOO_LONG = "unknown_too_long"
    REFUSED_TOO_LONG = "refused_too_long"
    UNKNOWN_OUTCOME = "unknown_outcome"
    CLEARED = "cleared"
    HELD = "held"
    RETRY = "retry"
    NEXT_RUNG = "next_rung"

    @property
    def sentence(self) -> str:
        """What this word means, in one sentence."""
        return _SENTENCES[self]


_SENTENCES: dict[Reason, str] = {
    Reason.EMERGENCY_STOP: "The emergency stop is set; nothing is changed until a person resumes.",
    Reason.SAFE_MODE: "Safe mode is on; checks and alerts go on, nothing is changed.",
    Reason.PAUSED: "A person paused this.",
    Reason.MAINTENANCE: "A maintenance window, or a schedule that is not due, forbids actions now.",
    Reason.MODE_OBSERVE: "The mode is observe; nothing is ever changed.",
    Reason.AUTO_MITIGATE_OFF: "The agent's auto_mitigate is false; it only tells.",
    Reason.NOT_ALLOWED: "The allow-list does not name this action.",
    Reason.OUT_OF_SCOPE: "The target is outside what the configuration allows for this action.",
    Reason.NO_TARGET: "The target is empty or not known; that never means all.",
    Reason.PROTECTED: "The target, or something its restart takes along, is never touched.",
    Reason.DEPENDENCY_DOWN: "Something this target depends on is down itself; that is repaired first.",
    Reason.STORM_BRAKE: "Too many targets fail at once; a shared cause or the observer is suspected.",
    Reason.LEASE_HELD: "Another action holds this target.",
    Reason.DUPLICATE: "The same action is already running or reserved.",
    Reason.COOLDOWN: "The target was acted on a short while ago for another incident.",
    Reason.BACKOFF: "The next retry of this incident is not due yet.",
    Reason.RATE_LIMIT: "The hourly budget is spent.",
    Reason.BREAKER_OPEN: "This action failed too often here; its breaker is open.",
    Reason.RECURRENCE: "The same fault came back after too many repairs; repairing it again would hide it.",
    Reason.FLAPPING: "The state changes too often to be believed.",
    Reason.NOT_HELD: "The problem has not lasted long enough to count.",
    Reason.SETTLING: "An action was just taken; its effect is waited for.",
    Reason.LOOKING: "What an action would do is being found out, which takes long; others are decided about meanwhile.",
    Reason.UNKNOWN_OBSERVATION: "The check could not tell; no data is not a problem.",
    Reason.STALE_PLAN: "The target changed between the decision and the act.",
    Reason.NOT_OURS: "The target belongs to Kubernetes, a container engine or another owner.",
    Reason.BUSY_ELSEWHERE: "The host is being worked on: booting, upgrading, or run by configuration management.",
    Reason.STATEFUL: "The target is a database, broker or storage daemon, or is still recovering.",
    Reason.STOPPED_BY_PERSON: "A person stopped, disabled or masked it; that is not a fault.",
    Reason.ANSWERS: "No process of it is known, but it answers; a second copy is never started.",
    Reason.UNCONFIRMED: "Only a log line says so; no present-state check confirms it.",
    Reason.FOREIGN_STATE: "The state is from another machine or was restored; the engine only observes.",
    Reason.MOUNT_MISSING: "A file system that should be mounted is not.",
    Reason.APPROVAL_PENDING: "A person has been asked and has not answered.",
    Reason.APPROVAL_DENIED: "A person said no, or it was not agreed to and done in time.",
    Reason.NO_APPROVER: "The action needs more people to agree than the configuration lets approve.",
    Reason.GUARD_ERROR: "A guard could not tell; that means no.",
    Reason.DRY_RUN: "Dry run: the plan is shown, nothing is done.",
    Reason.FLEET_LIMIT: "Too many hosts act at once.",
    Reason.ACKNOWLEDGED: "A person has it.",
    Reason.VERIFYING: "An action is being verified.",
    Reason.ESCALATED: "People have been told.",
    Reason.LADDER_EXHAUSTED: "Every rung was tried without success.",
    Reason.NO_ACTION: "The rule has no action; people are told.",
    Reason.UNKNOWN_TOO_LONG: "The check has not been able to tell for too long.",
    Reason.REFUSED_TOO_LONG: "The action has been refused for longer than the rule's patience.",
    Reason.UNKNOWN_OUTCOME: "It is not known whether the action worked.",
    Reason.CLEARED: "The problem is gone and has stayed gone.",
    Reason.HELD: "The problem lasted long enough to count.",
    Reason.RETRY: "The action is tried again.",
    Reason.NEXT_RUNG: "The previous action did not help; the next one is tried.",
}
