"""A configuration on the recorded past: the engine's own rules, hold, ladder, guards and limits on a clock that is replayed.

Nothing is done and nothing is written: limits count in a store of the replay's own. What an action would have changed is not
in the recording; it counts as having helped if the recording says that it was good in time, as the engine would judge.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import field
from datetime import datetime

from zen_agents.clock import Instant, ManualClock
from zen_agents.dataclass import dataclass
from zen_agents.engine.parts import Parts
from zen_agents.errors import RefusedError
from zen_agents.model.action import Budget, Effect, Intent, Outcome, OutcomeKind, Plan
from zen_agents.model.decision import Decision, DecisionKind
from zen_agents.model.ids import ACTION, INCIDENT, new_id
from zen_agents.model.incident import Incident, IncidentState
from zen_agents.model.observation import Observation, Status
from zen_agents.model.reason import Reason
from zen_agents.model.verdict import Ruling
from zen_agents.rehearsal.past_plan import asked_then
from zen_agents.rehearsal.recording import LONGEST_SILENCE, Gap, Moment
from zen_agents.rules import transitions
from zen_agents.rules.decide import decide
from zen_agents.rules.hysteresis import has_moved, is_flapping, refold
from zen_agents.rules.rule import Rule
from zen_agents.rules.window import RecentObservations

#: What was refused, or asked, is asked again after so many seconds.
_ASK_AGAIN = 30.0
#: No two steps are closer than this (seconds).
_SHORTEST_STEP = 1.0
_NEVER = float("inf")

_Pair = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Decided:
    """One decision that mattered, replayed or recorded."""

    at: Instant
    rule: str
    target: str
    #: act, skip, ask, alert.
    outcome: str
    reason: str
    action: str = ""


@dataclass(frozen=True, slots=True)
class Episode:
    """One incident of the replay."""

    rule: str
    target: str
    began: datetime
    #: None if it was not over at the end.
    ended: datetime | None
    #: Actions that would have been taken.
    actions: int
    #: True if people would have been told.
    told: bool


@dataclass(slots=True)
class Replay:
    """Goes through moments in their order; `decided`, `episodes` and `gaps` are what came of it."""

    parts: Parts
    clock: ManualClock
    rules: Sequence[Rule]
    #: By (name, target): how often it is looked at (seconds).
    every: Mapping[_Pair, float]
    #: Nothing before this (steady) is told; it only lets windows fill.
    tell_from: float
    #: After how many seconds the same action on a target failed by itself at about that time (steady); None: it did not.
    failed_then: Callable[[str, str, float], float | None] = lambda *_: None
    decided: list[Decided] = field(default_factory=list)
    episodes: list[Episode] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)
    #: Seconds of the recording that were judged.
    judged_seconds: float = 0.0
    _window: RecentObservations = field(default_factory=RecentObservations)
    _readers: dict[_Pair, list[Rule]] = field(default_factory=dict)
    _by_key: dict[str, Rule] = field(default_factory=dict)
    #: Statuses without a number that hold until they change.
    _held: dict[_Pair, Observation] = field(default_factory=dict)
    _ask_again: dict[str, float] = field(default_factory=dict)
    _intents: dict[str, Intent] = field(default_factory=dict)
    #: By incident: actions so far, and what was told last of it.
    _acted: dict[str, int] = field(default_factory=dict)
    _gist: dict[str, tuple[object, ...]] = field(default_factory=dict)
    #: The last moment of which anything is known.
    last_seen: Instant | None = None

    def __post_init__(self) -> None:
        for rule in self.rules:
            self._by_key[rule.key] = rule
            for pair in pairs_of(rule):
                self._readers.setdefault(pair, []).append(rule)
        self._require()

    def _require(self) -> None:
        for rule in self.rules:
            for condition in (rule.condition, rule.clear):
                if condition is not None:
                    self._window.require_all(condition)

    def run(self, moments: Iterable[Moment]) -> None:
        """Live through them all; a silence is told as a gap and never bridged."""
        longest = max(LONGEST_SILENCE, 3 * min(self.every.values(), default=0.0))
        for moment in moments:
            last = self.last_seen
            if last is not None and moment.at.steady - last.steady > longest:
                self._forget(Gap(last, moment.at))
            elif last is not None:
                self._live_until(moment.at, last)
                told_from = max(last.steady, self.tell_from)
                self.judged_seconds += max(0.0, moment.at.steady - told_from)
            self._set_clock(moment.at)
            if moment.seen:
                self._see(moment)
            self.last_seen = moment.at
        for incident in self.parts.book:
            self._end(incident, None)

    def _set_clock(self, at: Instant) -> None:
        now = self.clock.now()
        self.clock.advance(at.steady - now.steady)
        self.clock.jump_wall((at.wall - self.clock.now().wall).total_seconds())

    # -- seeing -------------------------------------------------------------------------------------------------------
    def _see(self, moment: Moment) -> None:
        touched: dict[str, Rule] = {}
        for seen in moment.seen:
            pair = (seen.name, seen.target)
            self._window.add(seen)
            if seen.value is None:
                self._held[pair] = seen
            else:
                self._held.pop(pair, None)
            for rule in self._readers.get(pair, ()):
                touched[rule.key] = rule
        self._look_at(touched.values(), moment.at)

    def _look_at(self, rules: Iterable[Rule], now: Instant) -> None:
        for rule in rules:
            self._fold(rule, now)
        due = [key for key, at in self._ask_again.items() if at <= now.steady]
        for key in due:
            self._decide(key, now)

    def _fold(self, rule: Rule, now: Instant) -> None:
        book = self.parts.book
        if self._held:
            self._refresh(rule, now)
        before = book.get(rule.key)
        after = refold(rule, before, self._window, now, as_of=now, new_id=lambda: new_id(INCIDENT))
        if after is None:
            if before is not None:
                book.drop(rule.key)
                self._ask_again.pop(rule.key, None)
            return
        if has_moved(before, after):
            self._ask_again[rule.key] = now.steady
        book.put(after)

    def _refresh(self, rule: Rule, now: Instant) -> None:
        """Let statuses that hold be seen again at their check's rhythm, as the engine saw them."""
        for pair in pairs_of(rule):
            seen = self._held.get(pair)
            if seen is not None and now.steady - seen.at.steady >= self.every.get(pair, _ASK_AGAIN):
                self._held[pair] = again = seen._replace(at=now)
                self._window.add(again)

    # -- between two moments ------------------------------------------------------------------------------------------
    def _live_until(self, end: Instant, last: Instant) -> None:
        """Take the steps between two moments: deadlines, and looks at what has to be seen several times."""
        at = last.steady
        while self._ask_again or len(self.parts.book):
            at = max(min(self._next_look(), min(self._ask_again.values(), default=_NEVER)), at + _SHORTEST_STEP)
            if at >= end.steady:
                return
            now = last.after(at - last.steady)
            self._set_clock(now)
            self._look_at([rule for rule in self._watched() if self._is_due(rule, now)], now)

    def _watched(self) -> list[Rule]:
        """Return rules whose incident moves when the same is seen again."""
        return [self._by_key[incident.key] for incident in self.parts.book if _moves(incident)]

    def _next_look(self) -> float:
        dues = (self._due(pair) for rule in self._watched() for pair in pairs_of(rule))
        return min(dues, default=_NEVER)

    def _due(self, pair: _Pair) -> float:
        seen = self._held.get(pair)
        return seen.at.steady + self.every.get(pair, _ASK_AGAIN) if seen is not None else _NEVER

    def _is_due(self, rule: Rule, now: Instant) -> bool:
        return any(self._due(pair) <= now.steady for pair in pairs_of(rule))

    def _forget(self, gap: Gap) -> None:
        """Begin anew behind a gap: what happened in it, to incidents too, is not known."""
        if gap.until.steady > self.tell_from:
            self.gaps.append(gap)
        for incident in self.parts.book:
            self._end(incident, None)
            self._finish(incident, OutcomeKind.UNKNOWN, gap.since)
            self.parts.book.put(transitions.resolved(incident, "gap", gap.until))
        self._window = RecentObservations()
        self._require()
        self._held.clear()
        self._ask_again.clear()

    # -- deciding -----------------------------------------------------------------------------------------------------
    def _decide(self, key: str, now: Instant) -> None:
        rule, incident = self._by_key[key], self.parts.book.get(key)
        if incident is None:
            self._ask_again.pop(key, None)
            return
        opened = self.parts.book.openings(key, now.steady - rule.flapping.within_seconds)
        decision = decide(incident, rule, now, flapping=is_flapping(opened, rule.flapping, now))
        self._ask_again[key] = self._follow(incident, rule, decision, now)
        if self._ask_again[key] == _NEVER:
            self._ask_again.pop(key)

    def _follow(self, incident: Incident, rule: Rule, decision: Decision, now: Instant) -> float:
        """Do what was decided, but to the host; return when to decide again (steady)."""
        if decision.kind is DecisionKind.ACT:
            return self._act(incident, rule, now)
        if decision.kind is DecisionKind.RESOLVE:
            self._finish(incident, OutcomeKind.VERIFIED, now)
            self._end(incident, now)
            self.parts.book.put(transitions.resolved(incident, "replay", now))
            return _NEVER
        if decision.kind is DecisionKind.FAIL_RUNG:
            return self._failed(incident, rule, now)
        if decision.kind is DecisionKind.ESCALATE:
            self._tell(incident, "alert", decision.reason, now)
            self.parts.book.put(transitions.escalated(incident, decision.reason, now))
            return now.steady
        return decision.again_at if decision.again_at is not None else _NEVER

    def _act(self, incident: Incident, rule: Rule, now: Instant) -> float:
        asked = asked_then(self.parts, rule, incident, now)
        if asked is None:
            return now.steady + _ASK_AGAIN
        plan, verdict = asked
        if verdict.ruling is Ruling.ALLOW:
            return self._start(incident, rule, plan, now)
        reason = verdict.reason or Reason.GUARD_ERROR
        if verdict.ruling is Ruling.HOLD:
            self._tell(incident, "ask", reason, now, plan.request.action)
            self.parts.book.put(transitions.asked(incident, now))
            return now.steady + _ASK_AGAIN
        return self._refused(incident, rule, reason, plan, now)

    def _start(self, incident: Incident, rule: Rule, plan: Plan, now: Instant) -> float:
        rung = rule.ladder[incident.rung]
        leased_until = now.steady + rung.settle_seconds + rung.verify_within_seconds
        intent = Intent(new_id(ACTION), plan, now, leased_until, rule.key)
        limit = self.parts.policy.repairs if plan.budget is Budget.REPAIR else self.parts.policy.housekeeping
        try:
            self.parts.store.reserve(intent, hourly_limit=limit.most)
        except RefusedError as error:
            return self._refused(incident, rule, Reason(error.reason or Reason.GUARD_ERROR), plan, now)
        self._intents[intent.id] = intent
        self._acted[incident.id] = self._acted.get(incident.id, 0) + 1
        self._tell(incident, "act", Reason.RETRY if incident.attempts else Reason.HELD, now, plan.request.action)
        started = transitions.started(incident, intent.id, rung, now)
        self.parts.book.put(started)
        failed_after = self.failed_then(plan.request.action, plan.request.target, now.steady)
        if failed_after is not None and now.steady + failed_after < started.verify_deadline:
            # It did not even run to its end then; nobody waited for its effect.
            self._finish(started, OutcomeKind.FAILED, now)
            failed = transitions.attempt_failed(started, rule, now.after(failed_after), self.parts.random)
            self.parts.book.put(failed)
            return failed.next_attempt_at
        return now.steady + rung.settle_seconds

    def _refused(self, incident: Incident, rule: Rule, reason: Reason, plan: Plan, now: Instant) -> float:
        self._tell(incident, "skip", reason, now, plan.request.action)
        refused = transitions.refused(incident, reason, now)
        self.parts.book.put(refused)
        since = now.steady if refused.refused_since is None else refused.refused_since
        return max(min(now.steady + _ASK_AGAIN, since + rule.patience_seconds), now.steady + _SHORTEST_STEP)

    def _failed(self, incident: Incident, rule: Rule, now: Instant) -> float:
        if incident.last_status is Status.UNKNOWN:
            self._finish(incident, OutcomeKind.UNKNOWN, now)
            self.parts.book.put(transitions.outcome_unknown(incident, now))
        else:
            self._finish(incident, OutcomeKind.FAILED, now)
            self.parts.book.put(transitions.attempt_failed(incident, rule, now, self.parts.random))
        return now.steady

    def _finish(self, incident: Incident, kind: OutcomeKind, now: Instant) -> None:
        intent = self._intents.pop(incident.action or "", None)
        if intent is None:
            return
        request = intent.plan.request
        self.parts.store.finish(Outcome(intent.id, kind, now, 0.0, Effect(kind is OutcomeKind.VERIFIED, "replayed")))
        if kind is OutcomeKind.VERIFIED:
            self.parts.breakers.succeeded(request.action, request.target)
        elif kind is OutcomeKind.FAILED:
            self.parts.breakers.failed(request.action, request.target)

    # -- what came of it ----------------------------------------------------------------------------------------------
    def _tell(self, incident: Incident, outcome: str, reason: Reason, now: Instant, action: str = "") -> None:
        """Remember a decision, if it is news as the ledger counts news."""
        gist = (outcome, reason, incident.attempts, incident.rung)
        if self._gist.get(incident.id) == gist or now.steady < self.tell_from:
            return
        self._gist[incident.id] = gist
        self.decided.append(Decided(now, incident.rule, incident.target, outcome, reason.value, action))

    def _end(self, incident: Incident, now: Instant | None) -> None:
        if incident.opened_at is None or (now is not None and now.steady < self.tell_from):
            return
        acted = self._acted.pop(incident.id, 0)
        ended, told = now.wall if now else None, incident.escalated_for is not None
        self.episodes.append(Episode(incident.rule, incident.target, incident.began_at.wall, ended, acted, told))


def pairs_of(rule: Rule) -> frozenset[_Pair]:
    """Return the (observation name, target) pairs that a rule reads."""
    return rule.condition.names | rule.clear.names if rule.clear else rule.condition.names


def _moves(incident: Incident) -> bool:
    """Tell whether seeing the same again changes anything: a streak grows, a hold or a verification runs."""
    if incident.last_status is Status.UNKNOWN:
        return False
    return incident.state in (IncidentState.SUSPECTED, IncidentState.VERIFYING) or incident.last_status is Status.OK
