"""A configuration on the recorded past: the engine's own rules, hold, ladder, guards and limits on a clock that is replayed.

Nothing is done and nothing is written: limits count in a store of the replay's own. What an action would have changed is not
in the recording; it counts as having helped if the recording says that it was good in time, as the engine would judge.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import field

from zen_agents.clock import Instant, ManualClock
from zen_agents.dataclass import dataclass
from zen_agents.engine.parts import Parts
from zen_agents.model.action import OutcomeKind
from zen_agents.model.ids import INCIDENT, new_id
from zen_agents.model.incident import Incident, IncidentState
from zen_agents.model.observation import Observation, Status
from zen_agents.rehearsal.recording import LONGEST_SILENCE, Gap, Moment
from zen_agents.rehearsal.replayed_decisions import ASK_AGAIN, NEVER, SHORTEST_STEP, Decisions
from zen_agents.rules import transitions
from zen_agents.rules.hysteresis import has_moved, refold
from zen_agents.rules.rule import Rule
from zen_agents.rules.window import RecentObservations

_Pair = tuple[str, str]


@dataclass(slots=True)
class Replay:
    """Goes through moments in their order; `decisions` and `gaps` are what came of it."""

    parts: Parts
    clock: ManualClock
    rules: Sequence[Rule]
    #: By (name, target): how often it is looked at (seconds).
    every: Mapping[_Pair, float]
    #: Nothing before this (steady) is told; it only lets windows fill.
    tell_from: float
    #: After how many seconds the same action on a target failed by itself at about that time (steady); None: it did not.
    failed_then: Callable[[str, str, float], float | None] = lambda *_: None
    decisions: Decisions = field(init=False)
    gaps: list[Gap] = field(default_factory=list)
    #: Seconds of the recording that were judged.
    judged_seconds: float = 0.0
    _window: RecentObservations = field(default_factory=RecentObservations)
    _readers: dict[_Pair, list[Rule]] = field(default_factory=dict)
    _by_key: dict[str, Rule] = field(default_factory=dict)
    #: Statuses without a number that hold until they change.
    _held: dict[_Pair, Observation] = field(default_factory=dict)
    _ask_again: dict[str, float] = field(default_factory=dict)
    #: The last moment of which anything is known.
    last_seen: Instant | None = None

    def __post_init__(self) -> None:
        self.decisions = Decisions(self.parts, self.tell_from, self.failed_then)
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
            self.decisions.end(incident, None)

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
            if seen is not None and now.steady - seen.at.steady >= self.every.get(pair, ASK_AGAIN):
                self._held[pair] = again = seen._replace(at=now)
                self._window.add(again)

    # -- between two moments ------------------------------------------------------------------------------------------
    def _live_until(self, end: Instant, last: Instant) -> None:
        """Take the steps between two moments: deadlines, and looks at what has to be seen several times."""
        at = last.steady
        while self._ask_again or len(self.parts.book):
            at = max(min(self._next_look(), min(self._ask_again.values(), default=NEVER)), at + SHORTEST_STEP)
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
        return min(dues, default=NEVER)

    def _due(self, pair: _Pair) -> float:
        seen = self._held.get(pair)
        return seen.at.steady + self.every.get(pair, ASK_AGAIN) if seen is not None else NEVER

    def _is_due(self, rule: Rule, now: Instant) -> bool:
        return any(self._due(pair) <= now.steady for pair in pairs_of(rule))

    def _forget(self, gap: Gap) -> None:
        """Begin anew behind a gap: what happened in it, to incidents too, is not known."""
        if gap.until.steady > self.tell_from:
            self.gaps.append(gap)
        for incident in self.parts.book:
            self.decisions.end(incident, None)
            self.decisions.finish(incident, OutcomeKind.UNKNOWN, gap.since)
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
        self._ask_again[key] = self.decisions.decide(incident, rule, now)
        if self._ask_again[key] == NEVER:
            self._ask_again.pop(key)


def pairs_of(rule: Rule) -> frozenset[_Pair]:
    """Return the (observation name, target) pairs that a rule reads."""
    return rule.condition.names | rule.clear.names if rule.clear else rule.condition.names


def _moves(incident: Incident) -> bool:
    """Tell whether seeing the same again changes anything: a streak grows, a hold or a verification runs."""
    if incident.last_status is Status.UNKNOWN:
        return False
    return incident.state in (IncidentState.SUSPECTED, IncidentState.VERIFYING) or incident.last_status is Status.OK
