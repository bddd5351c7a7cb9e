"""Level 4: when acting itself looks dangerous, nothing more is changed; checks and alerts go on."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable

from zen_agents.clock import Clock, Instant
from zen_agents.dataclass import dataclass
from zen_agents.engine.journal import Journal
from zen_agents.errors import StoreError
from zen_agents.model.action import OutcomeKind
from zen_agents.model.principal import ENGINE, Principal
from zen_agents.model.reason import Reason
from zen_agents.ports.store import Brake, Store

log = logging.getLogger("zen_agents.safe_mode")

SAFE_MODE = "safe_mode"
#: The fact that says when safe mode was last left (steady): what was counted before that is forgotten.
_LEFT = "safe_mode_left"
#: No action runs longer, until it is judged too; one reserved before a window may have ended in it.
_LONGEST_RUN_SECONDS = 14400.0
HOST = "host"


@dataclass(frozen=True, slots=True)
class SafeModeTriggers:
    """When the engine stops trusting itself; windows in seconds. 0 switches a trigger off."""

    #: Incidents whose ladder was exhausted within `exhausted_within_seconds`.
    exhausted: int = 3
    exhausted_within_seconds: float = 3600.0
    #: Targets with an unknown outcome within an hour.
    unknown_outcomes: int = 2
    unknown_within_seconds: float = 3600.0
    #: Starts of the engine within `restarts_within_seconds`.
    engine_restarts: int = 3
    restarts_within_seconds: float = 600.0
    audit_write_fails: bool = True
    storm: bool = True


class SafeMode:
    """Counts what speaks against acting, and sets the brake.

    The brake is durable; if the store cannot be written it is written as soon as that can (a lasting write), and a start
    with an unwritable store enters it again. Until then it is remembered here, and guards refuse since nothing can be
    written.
    """

    def __init__(
        self, *, store: Store, journal: Journal, clock: Clock, triggers: SafeModeTriggers,
        entered: Callable[[str, Instant], None],
    ) -> None:  # fmt: skip
        self._store, self._journal, self._clock, self.triggers = store, journal, clock, triggers
        #: Told once each time safe mode is entered, with the reason.
        self._entered = entered
        self._exhausted: deque[float] = deque(maxlen=64)
        self._unknown: dict[str, float] = {}
        self._unwritten: Brake | None = None
        self._recall()

    def _recall(self) -> None:
        """Count again what an earlier engine counted since safe mode was last left: a crash is no fresh start."""
        now, triggers = self._clock.now().steady, self.triggers
        try:
            left = float(self._store.get(_LEFT) or "-inf")
            exhausted = self._store.incidents(since=max(left, now - triggers.exhausted_within_seconds))
            ended = self._store.actions(since=max(left, now - triggers.unknown_within_seconds) - _LONGEST_RUN_SECONDS)
        except StoreError as error:
            log.error("what an earlier engine counted cannot be read: %s", error)
            return
        for incident in exhausted:
            told = incident.escalated_at
            if incident.escalated_for is Reason.LADDER_EXHAUSTED and told is not None and told.steady > left:
                self._exhausted.append(told.steady)
        for row in ended:
            at = row.ended_at.steady if row.ended_at is not None else left
            if row.kind is OutcomeKind.UNKNOWN and row.requested_by == ENGINE.name and at > left:
                self._unknown[row.target] = max(at, self._unknown.get(row.target, at))

    @property
    def brake(self) -> Brake | None:
        """Return the brake if safe mode is on."""
        if self._unwritten is not None:
            return self._unwritten
        try:
            return next((brake for brake in self._store.brakes() if brake.kind == SAFE_MODE), None)
        except StoreError as error:
            # Guards that cannot read it refuse; here somebody wants to enter it, or to see it.
            log.error("whether safe mode is on cannot be read: %s", error)
            return None

    def enter(self, reason: str, by: Principal = ENGINE) -> None:
        """Set the brake and tell; a second reason while it is on changes nothing."""
        if self.brake is not None:
            return
        now = self._clock.now()
        brake = Brake(SAFE_MODE, HOST, reason, by.name, now, None)
        try:
            self._store.set_brake(brake)
            self._journal.engine(now, "safe_mode_on", reason=reason, by=by.name)
        except StoreError as error:
            self._not_written(brake, error)
        # In one batch with the brake: a crash in between is not to leave one that nobody was told of.
        self._entered(reason, now)
        try:
            self._store.commit()
        except StoreError as error:
            self._not_written(brake, error)

    def _not_written(self, brake: Brake, error: StoreError) -> None:
        self._unwritten = brake
        log.critical("safe mode is not written yet, the state cannot be: %s", error)

    def leave(self, by: Principal, reason: str) -> bool:
        """Lift the brake; True if it was on. What piled up is forgotten, everything is looked at anew (R13)."""
        was_on = self.brake is not None
        # First: if this cannot be written, safe mode stays.
        self._store.lift_brake(SAFE_MODE, HOST)
        self._unwritten = None
        self._store.put(_LEFT, repr(self._clock.now().steady))
        self._exhausted.clear()
        self._unknown.clear()
        if was_on:
            self._journal.engine(self._clock.now(), "safe_mode_off", reason=reason, by=by.name)
            self._store.commit()
        return was_on

    def ladder_exhausted(self) -> None:
        """Count an incident that no rung could help."""
        now = self._clock.now().steady
        self._exhausted.append(now)
        recent = sum(1 for at in self._exhausted if at > now - self.triggers.exhausted_within_seconds)
        if 0 < self.triggers.exhausted <= recent:
            self.enter(
                f"{recent} incidents could not be repaired within {self.triggers.exhausted_within_seconds / 60:.0f} min"
            )

    def outcome_unknown(self, target: str) -> None:
        """Count a target whose action ended nobody knows how."""
        now = self._clock.now().steady
        self._unknown[target] = now
        recent = [name for name, at in self._unknown.items() if at > now - self.triggers.unknown_within_seconds]
        if 0 < self.triggers.unknown_outcomes <= len(recent):
            self.enter(f"the outcome of actions on {len(recent)} targets is unknown: {', '.join(sorted(recent))}")

    def store_failed(self, error: str) -> None:
        """Enter because the ledger could not be written."""
        if self.triggers.audit_write_fails:
            self.enter(f"audit log not writable: {error}")

    def storm(self, failing: int, actionable: int) -> None:
        """Enter because too many targets fail at once."""
        if self.triggers.storm:
            self.enter(f"{failing} of {actionable} targets fail at once; a shared cause is suspected")

    def started(self, earlier_starts: list[float]) -> None:
        """Enter if the engine itself keeps being restarted; `earlier_starts` are steady times, this one included."""
        now = self._clock.now().steady
        recent = [at for at in earlier_starts if at > now - self.triggers.restarts_within_seconds]
        if 0 < self.triggers.engine_restarts < len(recent):
            self.enter(
                f"the engine was started {len(recent)} times within {self.triggers.restarts_within_seconds / 60:.0f} min"
            )
