from __future__ import annotations

from dataclasses import replace
from random import Random

from tests.support.ruling import OK, PROBLEM, finding, moment, new_ids, rule, rung
from zen_agents.model.incident import Incident, IncidentState
from zen_agents.model.reason import Reason
from zen_agents.rules import transitions
from zen_agents.rules.hysteresis import fold


def opened() -> Incident:
    incident = fold(rule(), None, finding(PROBLEM, moment(0.0)), moment(0.0), new_id=new_ids())
    assert incident is not None
    return incident


def test_an_action_that_starts_is_judged_from_its_end() -> None:
    good_before = replace(
        opened(), good_streak=2, good_since=1.0, relapsed=True, refused_since=1.0, refused_for=Reason.COOLDOWN
    )

    started = transitions.started(good_before, "act-1", rung(), moment(10.0), running_seconds=60.0)
    ended = transitions.started(started, "act-1", rung(), moment(13.0))

    assert (started.state, started.action, started.attempts) == (IncidentState.VERIFYING, "act-1", 0)
    assert (started.settle_until, started.verify_deadline) == (72.0, 92.0)
    assert (ended.settle_until, ended.verify_deadline, ended.attempts) == (15.0, 35.0, 0)
    assert (started.good_streak, started.good_since, started.refused_since) == (0, None, None)
    assert (started.changed_at, started.relapsed, started.refused_for) == (moment(10.0), False, None)


def test_a_failed_attempt_backs_off_and_the_last_one_goes_to_the_next_rung_at_once() -> None:
    two = rule(ladder=(rung(attempts=3), rung()))
    incident, positions = opened(), []
    for _ in range(4):
        incident = transitions.attempt_failed(incident, two, moment(100.0), Random(0))
        positions.append((incident.rung, incident.attempts, incident.next_attempt_at))

    assert positions == [(0, 1, 110.0), (0, 2, 120.0), (1, 0, 100.0), (1, 1, 110.0)]
    assert (incident.state, incident.action) == (IncidentState.OPEN, None)


def test_what_was_good_while_a_failed_action_ran_is_not_what_cleared_it() -> None:
    # It had its effect and took it back: what was seen in between is not there any more.
    running = transitions.started(opened(), "act-1", rung(), moment(1.0), running_seconds=60.0)
    seen = fold(rule(), running, finding(OK, moment(5.0)), moment(5.0), new_id=new_ids())
    assert seen is not None
    failed = transitions.attempt_failed(seen, rule(ladder=(rung(attempts=2),)), moment(6.0), Random(0))

    late = fold(rule(), failed, finding(OK, moment(5.0)), moment(7.0), new_id=new_ids())
    assert late is not None
    assert late.good_since is None
    after = fold(rule(), late, finding(OK, moment(8.0)), moment(8.0), new_id=new_ids())
    assert after is not None
    assert after.good_since == 8.0


def test_a_failed_attempt_forgets_what_was_good_and_takes_nothing_from_before_its_end() -> None:
    one = rule(ladder=(rung(attempts=2),))
    good = replace(opened(), good_streak=2, good_since=3.0, counted_at=None)
    ahead = replace(good, counted_at=9.0)

    failed = transitions.attempt_failed(good, one, moment(0.5), Random(0))

    assert (failed.good_streak, failed.good_since, failed.counted_at) == (0, None, 0.5)
    assert transitions.attempt_failed(ahead, one, moment(6.0), Random(0)).counted_at == 9.0


def test_what_has_not_begun_leaves_the_incident_as_it_was_before() -> None:
    running = transitions.started(opened(), "act-1", rung(), moment(1.0), running_seconds=60.0)

    assert transitions.not_begun(running, moment(2.0)) == replace(opened(), changed_at=moment(2.0))


def test_patience_counts_from_the_first_refusal_whatever_its_reason() -> None:
    first = transitions.refused(opened(), Reason.COOLDOWN, moment(5.0))
    again = transitions.refused(first, Reason.COOLDOWN, moment(6.0))
    other = transitions.refused(again, Reason.RATE_LIMIT, moment(7.0))

    assert again is first
    assert (other.refused_since, other.refused_for) == (5.0, Reason.RATE_LIMIT)


def test_an_unknown_outcome_closes_the_incident_to_the_engine() -> None:
    running = transitions.started(opened(), "act-1", rung(), moment(1.0))

    closed = transitions.outcome_unknown(running, moment(2.0))

    assert (closed.state, closed.action, closed.outcome_unknown) == (IncidentState.OPEN, None, True)
    assert closed.changed_at == moment(2.0)


def test_telling_acknowledging_and_resolving_say_who_and_when() -> None:
    told = transitions.escalated(replace(opened(), action="act-1"), Reason.NO_ACTION, moment(1.0))
    taken = transitions.acknowledged(told, by="alice", until=3600.0, keep_acting=False, now=moment(2.0))
    over = transitions.resolved(taken, "itself", moment(3.0))

    assert (told.state, told.escalated_for, told.escalated_at) == (IncidentState.ESCALATED, Reason.NO_ACTION, moment(1.0))
    assert (told.changed_at, told.action) == (moment(1.0), None)
    assert (taken.acknowledged_by, taken.acknowledged_until, taken.state) == ("alice", 3600.0, IncidentState.ESCALATED)
    assert (over.is_live, over.resolved_by, over.resolved_at, over.id) == (False, "itself", moment(3.0), told.id)


def test_being_asked_is_told_once_and_takes_the_place_of_the_patience() -> None:
    waiting = transitions.refused(opened(), Reason.COOLDOWN, moment(1.0))

    told = transitions.asked(waiting, moment(2.0))

    pending = Reason.APPROVAL_PENDING
    assert told == replace(
        opened(), refused_since=None, refused_for=pending, escalated_for=pending, escalated_at=moment(2.0)
    )
    assert transitions.asked(told, moment(3.0)) is told
    for lapsed in (replace(told, refused_for=Reason.COOLDOWN), replace(told, escalated_for=Reason.NO_ACTION)):
        assert transitions.asked(lapsed, moment(3.0)) == replace(told, escalated_at=moment(3.0))


def test_the_patience_begins_anew_once_its_very_reason_is_over() -> None:
    waiting = transitions.refused(opened(), Reason.DEPENDENCY_DOWN, moment(1.0))

    assert transitions.released(waiting, Reason.DEPENDENCY_DOWN) == opened()
    assert transitions.released(waiting, Reason.COOLDOWN) is waiting


def refused_and_told(reason: Reason = Reason.COOLDOWN, told: Reason = Reason.REFUSED_TOO_LONG) -> Incident:
    return transitions.escalated(transitions.refused(opened(), reason, moment(1.0)), told, moment(2.0))


def test_what_was_refused_too_long_is_open_again_once_that_reason_is_gone() -> None:
    again = transitions.readmitted(refused_and_told(), Reason.COOLDOWN, moment(9.0))

    assert (again.state, again.changed_at) == (IncidentState.OPEN, moment(9.0))
    assert (again.refused_since, again.refused_for) == (None, None)
    assert again.id == refused_and_told().id


def test_nothing_else_is_readmitted() -> None:
    other_reason = refused_and_told(Reason.RATE_LIMIT)
    told_for_another = refused_and_told(told=Reason.NO_ACTION)
    verifying = transitions.started(refused_and_told(), "act-1", rung(), moment(3.0))
    for incident in (other_reason, told_for_another, opened()):
        assert transitions.readmitted(incident, Reason.COOLDOWN, moment(9.0)) is incident
    kept = transitions.readmitted(verifying, Reason.COOLDOWN, moment(9.0))
    assert (kept.state, kept.action) == (IncidentState.VERIFYING, "act-1")


def test_acknowledging_and_resolving_end_the_count_of_refusals() -> None:
    waiting = refused_and_told()

    taken = transitions.acknowledged(waiting, by="alice", until=None, keep_acting=True, now=moment(4.0))
    over = transitions.resolved(waiting, "itself", moment(5.0))

    assert (taken.keep_acting, taken.changed_at, taken.refused_since, taken.refused_for) == (True, moment(4.0), None, None)
    assert (over.changed_at, over.refused_since, over.refused_for) == (moment(5.0), None, None)


def test_a_failed_attempt_is_over_and_nothing_of_its_action_is_left() -> None:
    running = transitions.started(opened(), "act-1", rung(), moment(1.0))

    failed = transitions.attempt_failed(running, rule(), moment(30.0), Random(0))

    assert (failed.changed_at, failed.action) == (moment(30.0), None)
    assert (failed.settle_until, failed.verify_deadline) == (0.0, 0.0)
