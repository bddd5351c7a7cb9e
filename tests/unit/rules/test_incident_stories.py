"""Whole lives of an incident, as the engine would lead them."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from random import Random

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition
from hypothesis.stateful import rule as step

from tests.support.ruling import OK, PROBLEM, UNKNOWN, LittleEngine, moment, rule, rung
from zen_agents.model.decision import DecisionKind
from zen_agents.model.incident import IncidentState
from zen_agents.model.observation import Status
from zen_agents.model.reason import Reason
from zen_agents.rules import transitions
from zen_agents.rules.rule import FlapLimit, Hold

ACT, WAIT, RESOLVE, ESCALATE, FAIL_RUNG = DecisionKind


def test_a_service_that_never_starts_is_tried_four_times_and_told_once() -> None:
    engine = LittleEngine(rule(ladder=(rung(jitter_seconds=5.0),)))
    for _ in range(600):
        engine.see(PROBLEM)

    assert [kind for _, kind, _ in engine.deeds] == [ACT, FAIL_RUNG] * 4 + [ESCALATE]
    assert engine.deeds[-1][2] is Reason.LADDER_EXHAUSTED

    engine.see(OK)

    assert engine.deeds[-1][1:] == (RESOLVE, Reason.CLEARED)
    assert engine.incident is None
    assert len({id for id, _, _ in engine.deeds}) == 1


def test_the_waits_between_the_attempts_grow() -> None:
    engine, acted_at = LittleEngine(rule()), []
    for _ in range(600):
        decision = engine.see(PROBLEM)
        if decision is not None and decision.kind is ACT:
            acted_at.append(engine.steady)

    # Each attempt takes 2 s to settle and 20 s to be judged; then it backs off for 10, 20 and 40 s.
    pauses = [later - earlier for earlier, later in pairwise(acted_at)]
    assert pauses == [32.0, 42.0, 62.0]


def test_a_repair_that_helps_ends_the_incident_without_anybody_told() -> None:
    engine = LittleEngine(rule(hold=Hold(recover_after=2), ladder=(rung(bake_seconds=5.0),)))
    engine.see(PROBLEM)
    for _ in range(10):
        engine.see(OK)

    assert [kind for _, kind, _ in engine.deeds] == [ACT, RESOLVE]
    assert engine.resolved[0].action == "act-1"


def test_a_repair_that_helps_for_a_moment_is_no_success() -> None:
    engine = LittleEngine(rule(ladder=(rung(bake_seconds=10.0),)))
    engine.see(PROBLEM)
    for _ in range(3):
        engine.see(OK, after=2.0)
    for _ in range(20):
        engine.see(PROBLEM)

    assert [kind for _, kind, _ in engine.deeds] == [ACT, FAIL_RUNG]


def test_the_second_rung_is_tried_when_the_first_is_used_up() -> None:
    engine = LittleEngine(rule(ladder=(rung(attempts=1), rung(attempts=2))))
    for _ in range(200):
        engine.see(PROBLEM)

    reasons = [reason for _, kind, reason in engine.deeds if kind is ACT]
    assert reasons == [Reason.HELD, Reason.NEXT_RUNG, Reason.RETRY]


def test_a_check_that_cannot_tell_is_told_once_and_acted_on_when_it_can() -> None:
    engine = LittleEngine(rule(unknown_patience_seconds=60.0))
    for _ in range(200):
        engine.see(UNKNOWN)

    assert [kind for _, kind, _ in engine.deeds] == [ESCALATE]
    assert engine.deeds[0][2] is Reason.UNKNOWN_TOO_LONG

    engine.see(PROBLEM)

    assert engine.deeds[-1][1] is ACT


def test_refusals_are_told_after_the_patience_and_once() -> None:
    engine = LittleEngine(rule(patience_seconds=300.0), refusing=Reason.MAINTENANCE)
    for _ in range(1000):
        engine.see(PROBLEM)

    assert engine.count(ESCALATE) == 1
    assert engine.deeds[-1][2] is Reason.REFUSED_TOO_LONG
    assert engine.incident is not None
    assert engine.incident.attempts == 0


def test_a_flapping_service_is_acted_on_no_longer_and_told_once() -> None:
    engine = LittleEngine(rule(flapping=FlapLimit(4, 1800.0)))
    for _ in range(60):
        engine.see(PROBLEM, after=2.0)
        engine.see(OK, after=5.0)

    assert engine.count(ACT) == 4
    assert [reason for _, kind, reason in engine.deeds if kind is ESCALATE] == [Reason.FLAPPING]

    for _ in range(200):
        engine.see(OK, after=10.0)

    assert engine.incident is None
    assert engine.count(RESOLVE) == 5


class AnyLife(RuleBasedStateMachine):
    """Whatever is seen, and whatever people and clocks do, these hold."""

    def __init__(self) -> None:
        super().__init__()
        ladder = (rung(attempts=3, jitter_seconds=5.0, bake_seconds=4.0), rung(attempts=2, settle_seconds=0.0))
        self.engine = LittleEngine(
            rule(
                ladder=ladder,
                hold=Hold(fail_after=2, recover_after=2),
                unknown_patience_seconds=120.0,
                flapping=FlapLimit(3, 600.0),
            ),
            random=Random(1),
        )

    @step(status=st.sampled_from(list(Status)), after=st.floats(0.1, 60.0), certain=st.booleans(), times=st.integers(1, 5))
    def see(self, status: Status, after: float, certain: bool, times: int) -> None:
        for _ in range(times):
            before = self.engine.incident
            flapping_before = len(self.engine.openings)
            decision = self.engine.see(status, after, certain=certain and status is PROBLEM)
            if decision is None:
                assert status is OK
                continue
            if decision.kind is ACT:
                assert status is PROBLEM
                assert before is None or before.state in (
                    IncidentState.SUSPECTED,
                    IncidentState.OPEN,
                    IncidentState.ESCALATED,
                )
                assert before is None or not before.outcome_unknown
                assert not self.engine.flapping
                assert before is None or before.opened_at is None or before.state is IncidentState.OPEN
            if decision.kind is RESOLVE:
                assert status is OK
            if status is UNKNOWN:
                assert len(self.engine.openings) == flapping_before

    @step(seconds=st.floats(-86400.0, 86400.0))
    def set_the_wall_clock(self, seconds: float) -> None:
        self.engine.wall_off += seconds

    @step(reason=st.sampled_from([None, Reason.COOLDOWN, Reason.RATE_LIMIT]))
    def guards_change_their_mind(self, reason: Reason | None) -> None:
        self.engine.refusing = reason

    @precondition(lambda self: self.engine.incident is not None)
    @step(keep_acting=st.booleans(), seconds=st.floats(1.0, 600.0))
    def acknowledge(self, keep_acting: bool, seconds: float) -> None:
        assert self.engine.incident is not None
        until = self.engine.steady + seconds
        self.engine.incident = transitions.acknowledged(
            self.engine.incident, by="alice", until=until, keep_acting=keep_acting, now=self.engine.now
        )
        decision = self.engine.decide()
        if not keep_acting:
            assert decision is not None
            assert decision.kind not in (ACT, ESCALATE)

    @precondition(lambda self: self.engine.incident is not None and self.engine.incident.action is not None)
    @step()
    def lose_the_outcome(self) -> None:
        assert self.engine.incident is not None
        self.engine.incident = transitions.outcome_unknown(self.engine.incident, self.engine.now)

    @invariant()
    def no_incident_is_acted_on_more_often_than_its_ladder_says(self) -> None:
        most = sum(one.attempts for one in self.engine.rule.ladder)
        assert all(self.engine.started.count(id) <= most for id in set(self.engine.started))

    @invariant()
    def one_cause_is_told_once(self) -> None:
        told = Counter((id, reason) for id, kind, reason in self.engine.deeds if kind is ESCALATE)
        # Not being able to tell is told once for the suspicion, and once more if it opened and nobody can tell again.
        assert all(times <= (2 if reason is Reason.UNKNOWN_TOO_LONG else 1) for (_, reason), times in told.items())

    @invariant()
    def every_wait_that_time_alone_ends_says_when(self) -> None:
        for decision in self.engine.decisions[-1:]:
            if decision.kind is WAIT and decision.reason in (Reason.SETTLING, Reason.BACKOFF, Reason.VERIFYING):
                assert decision.again_at is not None


TestAnyLife = AnyLife.TestCase
TestAnyLife.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)


def test_acts_are_bounded_by_the_attempts_of_all_rungs() -> None:
    seeds = range(30)
    for seed in seeds:
        random = Random(seed)
        engine = LittleEngine(rule(ladder=(rung(attempts=3), rung(attempts=2))), random=random)
        for _ in range(300):
            engine.see(random.choice([PROBLEM, PROBLEM, PROBLEM, UNKNOWN]), after=random.uniform(0.5, 20.0))
        assert engine.count(ACT) <= 5


def test_a_day_on_the_wall_clock_changes_nothing() -> None:
    steady, jumpy = LittleEngine(rule()), LittleEngine(rule())
    for turn in range(200):
        jumpy.wall_off = 86400.0 * (-1) ** turn
        steady.see(PROBLEM)
        jumpy.see(PROBLEM)

    assert jumpy.deeds == steady.deeds
    assert jumpy.now.steady == moment(200.0).steady
