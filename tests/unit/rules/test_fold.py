from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.ruling import OK, PROBLEM, UNKNOWN, finding, moment, new_ids, observation, rule, rung, seen
from zen_agents.model.incident import Incident, IncidentState
from zen_agents.model.observation import Observation, Status
from zen_agents.model.reason import Reason
from zen_agents.model.severity import Severity
from zen_agents.rules import transitions
from zen_agents.rules.condition import StatusIs
from zen_agents.rules.hysteresis import fold, has_moved, is_flapping, refold
from zen_agents.rules.rule import FlapLimit, Hold, Rule

Steps = list[tuple[Status, float]]


def folded(steps: Steps, a_rule: Rule, *, wall_off: float = 0.0, start: Incident | None = None) -> list[Incident | None]:
    """Fold findings (status, steady time) and return the incident after each."""
    incident, states, ids = start, [], new_ids()
    for status, at in steps:
        now = moment(at, wall_off=wall_off * at)
        incident = fold(a_rule, incident, finding(status, now), now, new_id=ids)
        states.append(incident)
    return states


def last(steps: Steps, a_rule: Rule | None = None) -> Incident:
    incident = folded(steps, a_rule or rule())[-1]
    assert incident is not None
    return incident


class TestOpening:
    def test_nothing_comes_of_ok(self) -> None:
        assert folded([(OK, 0.0), (OK, 1.0)], rule()) == [None, None]

    def test_without_a_hold_the_first_problem_opens(self) -> None:
        incident = last([(PROBLEM, 3.0)], rule(severity=Severity.CRITICAL))

        assert (incident.state, incident.opened_at, incident.began_at) == (IncidentState.OPEN, moment(3.0), moment(3.0))
        assert (incident.key, incident.severity, incident.bad_streak) == (
            "system_health.web|service:web",
            Severity.CRITICAL,
            1,
        )

    def test_n_in_a_row_open(self) -> None:
        states = folded([(PROBLEM, 0.0), (PROBLEM, 1.0), (PROBLEM, 2.0)], rule(hold=Hold(fail_after=3)))

        assert [one.state.value for one in states if one] == ["suspected", "suspected", "open"]
        assert len({one.id for one in states if one}) == 1

    def test_it_must_last_as_well(self) -> None:
        held = rule(hold=Hold(fail_after=2, held_for_seconds=60.0))
        steps = [(PROBLEM, 0.0), (PROBLEM, 30.0), (PROBLEM, 59.9), (PROBLEM, 60.0)]

        assert [one.state.value for one in folded(steps, held) if one] == ["suspected", "suspected", "suspected", "open"]

    def test_a_hold_of_less_than_a_second_is_one_too(self) -> None:
        states = folded([(PROBLEM, 0.0), (PROBLEM, 0.5)], rule(hold=Hold(held_for_seconds=0.5)))

        assert [one.state.value for one in states if one] == ["suspected", "open"]

    def test_a_suspicion_that_clears_vanishes_and_counts_anew(self) -> None:
        states = folded([(PROBLEM, 0.0), (OK, 1.0), (PROBLEM, 2.0)], rule(hold=Hold(fail_after=2)))

        assert states[1] is None
        assert states[2] is not None
        assert (states[2].state, states[2].bad_streak, states[2].id) == (IncidentState.SUSPECTED, 1, "inc-2")

    def test_a_certain_finding_needs_no_hold(self) -> None:
        now = moment(0.0)
        held = rule(hold=Hold(fail_after=5, held_for_seconds=600.0))

        incident = fold(held, None, finding(PROBLEM, now, certain=True), now, new_id=new_ids())

        assert incident is not None
        assert incident.state is IncidentState.OPEN

    def test_one_observation_counts_once(self) -> None:
        held, seen_at, ids = rule(hold=Hold(fail_after=2)), moment(0.0), new_ids()
        incident = None
        for at in (0.0, 1.0, 2.0):
            incident = fold(held, incident, finding(PROBLEM, seen_at), moment(at), new_id=ids)

        assert incident is not None
        assert (incident.state, incident.bad_streak) == (IncidentState.SUSPECTED, 1)

    def test_what_was_seen_before_what_is_counted_counts_for_nothing(self) -> None:
        held, ids = rule(hold=Hold(fail_after=3)), new_ids()
        incident = None
        for seen_at, now in ((10.0, 10.0), (5.0, 11.0), (10.0, 12.0)):
            incident = fold(held, incident, finding(PROBLEM, moment(seen_at)), moment(now), new_id=ids)

        assert incident is not None
        assert (incident.bad_streak, incident.counted_at) == (1, 10.0)

    def test_a_resolved_incident_is_not_taken_up_again(self) -> None:
        over = transitions.resolved(last([(PROBLEM, 0.0)]), "itself", moment(1.0))

        assert fold(rule(), over, finding(OK, moment(2.0)), moment(2.0), new_id=new_ids()) is None
        again = fold(rule(), over, finding(PROBLEM, moment(2.0)), moment(2.0), new_id=lambda: "inc-new")
        assert again is not None
        assert (again.id, again.began_at) == ("inc-new", moment(2.0))

    def test_a_first_problem_is_all_that_is_known_of_it(self) -> None:
        now = moment(3.0)
        seen = finding(PROBLEM, moment(2.5), detail="it is slow", value=9.5, fingerprint="4242:9")
        warned = rule(severity=Severity.WARNING)

        incident = fold(warned, None, seen, now, new_id=lambda: "inc-7")

        assert incident == Incident(
            id="inc-7", key="system_health.web|service:web", agent="system_health", rule="system_health.web",
            target="service:web", severity=Severity.WARNING, state=IncidentState.OPEN, began_at=now, opened_at=now,
            changed_at=now, last_status=PROBLEM, detail="it is slow", value=9.5, fingerprint="4242:9", bad_streak=1,
            counted_at=2.5,
        )  # fmt: skip

    def test_a_later_problem_is_what_is_known_from_then_on(self) -> None:
        first = last([(PROBLEM, 0.0)])
        seen = finding(PROBLEM, moment(8.0), detail="it is slower", value=19.5, fingerprint="4243:10")

        later = fold(rule(severity=Severity.CRITICAL), first, seen, moment(9.0), new_id=new_ids())

        assert later == replace(
            first, severity=Severity.CRITICAL, detail="it is slower", value=19.5, fingerprint="4243:10", bad_streak=2,
            counted_at=8.0,
        )  # fmt: skip

    def test_a_problem_after_good_findings_is_a_change(self) -> None:
        relapse = last([(PROBLEM, 0.0), (OK, 10.0), (PROBLEM, 20.0), (PROBLEM, 30.0)])

        assert (relapse.changed_at, relapse.opened_at, relapse.began_at) == (moment(20.0), moment(0.0), moment(0.0))

    @pytest.mark.parametrize(("certain", "at", "relapsed"), [(True, 15.0, True), (True, 14.9, False), (False, 15.0, False)])
    def test_only_what_is_certain_and_judged_is_a_relapse(self, certain: bool, at: float, relapsed: bool) -> None:
        opened = last([(PROBLEM, 0.0)])
        running = transitions.started(opened, "act-1", rung(settle_seconds=5.0), moment(10.0))
        now = moment(at)

        def relapses(incident: Incident) -> bool:
            after = fold(rule(), incident, finding(PROBLEM, now, certain=certain), now, new_id=new_ids())
            assert after is not None
            return after.relapsed

        assert relapses(running) is relapsed
        assert relapses(replace(running, relapsed=True))
        assert not relapses(opened)

    def test_a_problem_seen_twice_in_one_look_is_no_relapse(self) -> None:
        running = transitions.started(last([(PROBLEM, 20.0)]), "act-1", rung(settle_seconds=0.0), moment(10.0))

        again = fold(rule(), running, finding(PROBLEM, moment(20.0), certain=True), moment(21.0), new_id=new_ids())

        assert again is not None
        assert (again.relapsed, again.bad_streak, again.counted_at) == (False, 1, 20.0)


class TestUnknown:
    def test_what_cannot_be_told_is_told_anew_when_it_changes(self) -> None:
        dark = last([(PROBLEM, 0.0), (UNKNOWN, 5.0)])
        same = fold(rule(), dark, finding(UNKNOWN, moment(6.0)), moment(6.0), new_id=new_ids())
        other = fold(rule(), dark, finding(UNKNOWN, moment(7.0), detail="no answer"), moment(7.0), new_id=new_ids())

        assert same is dark
        assert other == replace(dark, detail="no answer")

    def test_it_is_all_that_is_known_of_what_cannot_be_told(self) -> None:
        now = moment(3.0)
        seen = finding(UNKNOWN, now, detail="no answer", value=9.5, fingerprint="4242:9")

        incident = fold(rule(severity=Severity.WARNING), None, seen, now, new_id=lambda: "inc-7")

        assert incident == Incident(
            id="inc-7", key="system_health.web|service:web", agent="system_health", rule="system_health.web",
            target="service:web", severity=Severity.WARNING, state=IncidentState.SUSPECTED, began_at=now, opened_at=None,
            changed_at=now, last_status=UNKNOWN, detail="no answer", value=9.5, fingerprint="4242:9", unknown_since=3.0,
        )  # fmt: skip

    def test_alone_it_makes_a_suspicion_that_counts_nothing(self) -> None:
        incident = last([(UNKNOWN, 5.0), (UNKNOWN, 9.0)])

        assert (incident.state, incident.bad_streak, incident.opened_at) == (IncidentState.SUSPECTED, 0, None)
        assert incident.unknown_since == 5.0

    def test_that_suspicion_vanishes_silently(self) -> None:
        assert folded([(UNKNOWN, 0.0), (OK, 1.0)], rule())[-1] is None

    def test_a_problem_after_it_begins_then(self) -> None:
        incident = last([(UNKNOWN, 0.0), (PROBLEM, 50.0)])

        assert (incident.state, incident.began_at, incident.unknown_since) == (IncidentState.OPEN, moment(50.0), None)

    def test_it_neither_breaks_nor_lengthens_a_streak(self) -> None:
        incident = last([(PROBLEM, 0.0), (UNKNOWN, 1.0), (PROBLEM, 2.0)], rule(hold=Hold(fail_after=3)))

        assert (incident.state, incident.bad_streak) == (IncidentState.SUSPECTED, 2)

    def test_time_without_knowing_is_not_bad_time(self) -> None:
        held = rule(hold=Hold(held_for_seconds=60.0))
        steps = [(PROBLEM, 0.0), (UNKNOWN, 10.0), (PROBLEM, 55.0), (PROBLEM, 100.0), (PROBLEM, 105.0)]

        assert [one.state.value for one in folded(steps, held) if one] == ["suspected"] * 4 + ["open"]

    def test_time_without_knowing_is_not_good_time(self) -> None:
        incident = last([(PROBLEM, 0.0), (OK, 10.0), (UNKNOWN, 20.0), (OK, 90.0), (OK, 100.0)])

        assert (incident.good_streak, incident.good_since, incident.unknown_since) == (3, 80.0, None)

    def test_an_open_incident_keeps_its_state(self) -> None:
        before, after = folded([(PROBLEM, 0.0), (UNKNOWN, 1.0)], rule())
        assert before is not None
        assert after == replace(
            before, last_status=UNKNOWN, unknown_since=1.0, changed_at=moment(1.0), detail="web is unknown"
        )


class TestGettingBetter:
    def test_good_findings_are_counted_and_the_incident_stays(self) -> None:
        incident = last([(PROBLEM, 0.0), (OK, 10.0), (OK, 20.0)])

        assert (incident.state, incident.good_streak, incident.good_since, incident.bad_streak) == (
            IncidentState.OPEN,
            2,
            10.0,
            0,
        )

    def test_a_bad_one_starts_over(self) -> None:
        incident = last([(PROBLEM, 0.0), (OK, 10.0), (PROBLEM, 20.0)])

        assert (incident.good_streak, incident.good_since, incident.bad_streak) == (0, None, 1)

    def test_what_was_seen_before_the_action_settled_is_not_its_success(self) -> None:
        running = transitions.started(last([(PROBLEM, 0.0)]), "act-1", rung(settle_seconds=5.0), moment(10.0))

        early, judged = folded([(OK, 14.9), (OK, 15.0)], rule(), start=running)

        assert early is not None
        assert judged is not None
        assert (early.good_streak, early.good_since, early.last_status) == (0, None, OK)
        assert (judged.good_streak, judged.good_since) == (1, 15.0)

    def test_what_was_bad_while_it_settled_is_not_counted(self) -> None:
        running = transitions.started(last([(PROBLEM, 0.0)]), "act-1", rung(settle_seconds=5.0), moment(10.0))

        (early,) = folded([(PROBLEM, 12.0)], rule(), start=running)

        assert early is not None
        assert (early.bad_streak, early.state) == (1, IncidentState.VERIFYING)

    def test_people_told_of_unknown_and_then_of_a_problem_it_opens(self) -> None:
        told = transitions.escalated(last([(UNKNOWN, 0.0)]), Reason.UNKNOWN_TOO_LONG, moment(900.0))

        (incident,) = folded([(PROBLEM, 901.0)], rule(), start=told)

        assert incident is not None
        assert (incident.state, incident.opened_at) == (IncidentState.OPEN, moment(901.0))

    def test_it_began_when_the_problem_did_not_when_it_could_not_be_told(self) -> None:
        told = transitions.escalated(last([(UNKNOWN, 0.0)]), Reason.UNKNOWN_TOO_LONG, moment(900.0))

        incident = folded([(OK, 901.0), (PROBLEM, 950.0)], rule(), start=told)[-1]

        assert incident is not None
        assert incident.began_at == moment(950.0)

    def test_an_escalated_problem_stays_escalated(self) -> None:
        told = transitions.escalated(last([(PROBLEM, 0.0)]), Reason.NO_ACTION, moment(1.0))

        (incident,) = folded([(PROBLEM, 2.0)], rule(), start=told)

        assert incident is not None
        assert incident.state is IncidentState.ESCALATED


STEPS = st.lists(st.tuples(st.sampled_from(list(Status)), st.floats(0.1, 120.0)), min_size=1, max_size=30)
HOLDS = st.builds(
    Hold, fail_after=st.integers(0, 4), recover_after=st.integers(0, 4), held_for_seconds=st.sampled_from([0.0, 30.0, 300.0])
)


def over_time(steps: Steps) -> Steps:
    at, timed = 0.0, []
    for status, pause in steps:
        at += pause
        timed.append((status, at))
    return timed


@given(STEPS, HOLDS, st.floats(-1000.0, 1000.0))
def test_setting_the_wall_clock_changes_no_decision(steps: Steps, hold: Hold, drift: float) -> None:
    def ages(states: list[Incident | None]) -> list[object]:
        return [
            one and (one.state, one.bad_streak, one.good_streak, one.good_since, one.unknown_since, one.began_at.steady)
            for one in states
        ]

    timed, held = over_time(steps), rule(hold=hold)

    assert ages(folded(timed, held)) == ages(folded(timed, held, wall_off=drift))


@given(STEPS, HOLDS)
def test_unknown_never_opens_and_never_ends_an_incident(steps: Steps, hold: Hold) -> None:
    timed, held = over_time(steps), rule(hold=hold)
    before: Incident | None = None
    for (status, _), after in zip(timed, folded(timed, held), strict=True):
        if status is UNKNOWN:
            assert after is not None
            assert after.opened_at == (before.opened_at if before else None)
            assert (after.bad_streak, after.good_streak) == ((before.bad_streak, before.good_streak) if before else (0, 0))
        before = after


@given(STEPS, HOLDS)
def test_times_never_go_back(steps: Steps, hold: Hold) -> None:
    timed = over_time(steps)
    states = folded(timed, rule(hold=hold))
    for (_, at), before, after in zip(timed[1:], states[:-1], states[1:], strict=True):
        if before is not None and after is not None and before.id == after.id:
            assert before.began_at.steady <= after.began_at.steady <= at
            assert before.changed_at.steady <= after.changed_at.steady <= at
            if before.opened_at is not None:
                assert after.opened_at == before.opened_at


@given(STEPS, HOLDS)
def test_it_opens_only_after_enough_bad_findings_over_enough_time(steps: Steps, hold: Hold) -> None:
    timed = over_time(steps)
    states = folded(timed, rule(hold=hold))
    for index, incident in enumerate(states):
        if incident is None or incident.opened_at is None or incident.opened_at.steady != timed[index][1]:
            continue
        begun = max([i for i in range(index) if timed[i][0] is OK], default=-1) + 1
        bad = [at for status, at in timed[begun : index + 1] if status is PROBLEM]
        assert len(bad) >= max(1, hold.fail_after)
        assert bad[-1] - bad[0] >= hold.held_for_seconds


def seen_good(incident: Incident, at: float, **changes: object) -> Incident:
    now = moment(at)
    folded_in = fold(rule(), incident, finding(OK, now, **changes), now, new_id=new_ids())
    assert folded_in is not None
    return folded_in


def test_a_good_finding_is_what_is_known_from_then_on() -> None:
    opened = last([(PROBLEM, 0.0)])

    first = seen_good(opened, 5.0, detail="it answers", value=3.5)
    second = seen_good(first, 7.0, detail="it answers well", value=4.5)

    assert (first.detail, first.value, first.last_status) == ("it answers", 3.5, Status.OK)
    assert (second.detail, second.value) == ("it answers well", 4.5)
    # It changed when it became good, and not again.
    assert (first.changed_at, second.changed_at) == (moment(5.0), moment(5.0))
    assert (first.counted_at, second.counted_at) == (5.0, 7.0)


def test_a_good_finding_that_counts_for_nothing_leaves_the_counts() -> None:
    opened = last([(PROBLEM, 0.0), (PROBLEM, 1.0)])
    settling = transitions.started(opened, "act-1", rung(settle_seconds=60.0), moment(2.0))

    good = seen_good(settling, 5.0)

    assert (good.bad_streak, good.good_streak, good.counted_at) == (opened.bad_streak, 0, opened.counted_at)
    assert good.last_status is Status.OK


@pytest.mark.parametrize(("openings", "flapping"), [(0, False), (4, False), (5, True)])
def test_more_openings_than_are_believed_is_flapping(openings: int, flapping: bool) -> None:
    times = [100.0 + i for i in range(openings)]

    assert is_flapping(times, FlapLimit(4, 1800.0), moment(200.0)) is flapping
    assert is_flapping(times, FlapLimit(4, 100.0), moment(200.0)) is flapping
    assert not is_flapping(times, FlapLimit(4, 99.5), moment(200.0))
    assert not is_flapping(times, FlapLimit(4, 1800.0), moment(2000.0))


def while_down() -> Rule:
    """Return a rule of the probe that is clear only once web listens as well."""
    return rule(clear=StatusIs("listens.web", "service:web", 60.0))


def sampled(name: str, status: Status, steady: float = 1.0) -> Observation:
    return observation(name, None, steady, target="service:web", status=status)


@pytest.mark.parametrize(("clear", "streaks"), [(OK, (0, 1)), (PROBLEM, (2, 0)), (UNKNOWN, (1, 0))])
def test_once_it_is_open_its_own_word_for_clear_decides(clear: Status, streaks: tuple[int, int]) -> None:
    opened = last([(PROBLEM, 0.0)])
    window = seen(sampled("probe.web", OK), sampled("listens.web", clear))

    after = refold(while_down(), opened, window, moment(1.0), as_of=moment(1.0), new_id=new_ids())

    assert after is not None
    assert (after.id, after.last_status, after.bad_streak, after.good_streak) == (opened.id, clear, *streaks)


def test_what_is_bad_is_bad_whatever_its_word_for_clear_says() -> None:
    opened = last([(PROBLEM, 0.0)])
    window = seen(sampled("probe.web", PROBLEM), sampled("listens.web", OK))

    after = refold(while_down(), opened, window, moment(1.0), as_of=moment(1.0), new_id=new_ids())

    assert after is not None and after.last_status is PROBLEM


def test_before_it_is_open_the_condition_alone_decides() -> None:
    window = seen(sampled("probe.web", OK), sampled("listens.web", PROBLEM))
    (suspected,) = folded([(PROBLEM, 0.0)], rule(hold=Hold(fail_after=3)))

    assert refold(while_down(), None, window, moment(1.0), as_of=moment(1.0), new_id=new_ids()) is None
    assert refold(while_down(), suspected, window, moment(1.0), as_of=moment(1.0), new_id=new_ids()) is None


@pytest.mark.parametrize(("as_of", "status"), [(61.0, OK), (61.1, UNKNOWN)])
def test_how_old_a_word_for_clear_is_counts_at_the_moment_of_the_look(as_of: float, status: Status) -> None:
    opened = last([(PROBLEM, 0.0)])
    window = seen(sampled("probe.web", OK, 60.0), sampled("listens.web", OK, 1.0))

    after = refold(while_down(), opened, window, moment(70.0), as_of=moment(as_of), new_id=new_ids())

    assert after is not None and after.last_status is status


def test_another_state_or_another_word_of_the_check_is_worth_a_decision() -> None:
    opened = last([(PROBLEM, 0.0)])

    assert has_moved(None, opened)
    assert not has_moved(opened, replace(opened, detail="still"))
    assert has_moved(opened, replace(opened, state=IncidentState.VERIFYING))
    assert has_moved(opened, replace(opened, last_status=OK))
