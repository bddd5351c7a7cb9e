from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.support.ruling import OK, PROBLEM, RELOAD, RESTART, UNKNOWN, moment, rule, rung
from zen_agents.model.decision import Decision, DecisionKind
from zen_agents.model.incident import Incident, IncidentState
from zen_agents.model.principal import Principal
from zen_agents.model.reason import Reason
from zen_agents.model.severity import Severity
from zen_agents.rules.decide import CALM_AGAIN_SECONDS, alternatives, decide
from zen_agents.rules.rule import Hold, Rule

NOW = 1000.0
ACT, WAIT, RESOLVE, ESCALATE, FAIL_RUNG = DecisionKind


def incident(**changes: Any) -> Incident:
    """An open incident of web that is bad now."""
    plain = Incident(
        id="inc-1", key="system_health.web|service:web", agent="system_health", rule="system_health.web",
        target="service:web", severity=Severity.WARNING, state=IncidentState.OPEN, began_at=moment(900.0),
        opened_at=moment(900.0), changed_at=moment(900.0), last_status=PROBLEM, detail="no answer", bad_streak=1,
    )  # fmt: skip
    return replace(plain, **changes)


def verifying(**changes: Any) -> Incident:
    return incident(
        **{
            "state": IncidentState.VERIFYING,
            "action": "act-1",
            "settle_until": 990.0,
            "verify_deadline": 1020.0,
            **changes,
        }
    )


def good(since: float, streak: int = 1) -> dict[str, Any]:
    return {"last_status": OK, "good_since": since, "good_streak": streak, "bad_streak": 0}


def unknown(since: float) -> dict[str, Any]:
    return {"last_status": UNKNOWN, "unknown_since": since}


def decided(an_incident: Incident, a_rule: Rule | None = None, *, flapping: bool = False, at: float = NOW) -> Decision:
    return decide(an_incident, a_rule or rule(), moment(at), flapping=flapping)


def answer(an_incident: Incident, a_rule: Rule | None = None, *, flapping: bool = False) -> tuple[DecisionKind, Reason]:
    decision = decided(an_incident, a_rule, flapping=flapping)
    return decision.kind, decision.reason


class TestActing:
    def test_an_open_problem_is_acted_on(self) -> None:
        decision = decided(incident())

        assert (decision.kind, decision.reason, decision.detail) == (ACT, Reason.HELD, "attempt 1 of 4")
        assert decision.request == replace(
            RESTART, because="no answer", incident="inc-1", rule="system_health.web", agent="system_health", attempt=1
        )

    def test_a_retry_says_which_it_is(self) -> None:
        decision = decided(incident(attempts=2))

        assert (decision.kind, decision.reason, decision.detail) == (ACT, Reason.RETRY, "attempt 3 of 4")
        assert decision.request is not None
        assert decision.request.attempt == 3

    def test_the_next_rung_is_named(self) -> None:
        two = rule(ladder=(rung(), rung(alternatives=(RELOAD,), attempts=1)))
        decision = decided(incident(rung=1), two)

        assert (decision.reason, decision.detail) == (Reason.NEXT_RUNG, "attempt 1 of 1")
        assert decision.request is not None
        assert decision.request.action == "reload_service"

    def test_all_alternatives_of_a_rung_are_offered_in_order(self) -> None:
        either = rule(ladder=(rung(alternatives=(RELOAD, RESTART)),))

        offered = alternatives(incident(detail=""), replace(either, summary="web answers"))

        assert [request.action for request in offered] == ["reload_service", "restart_service"]
        assert {(request.incident, request.because) for request in offered} == {("inc-1", "web answers")}
        assert decided(incident(), either).request == alternatives(incident(), either)[0]
        assert alternatives(incident(rung=1), either) == ()


class TestWaiting:
    @pytest.mark.parametrize(
        ("case", "reason", "again_at"),
        [
            (verifying(settle_until=1005.0, **good(990.0)), Reason.SETTLING, 1005.0),
            (verifying(), Reason.VERIFYING, 1020.0),
            (verifying(**unknown(995.0)), Reason.VERIFYING, 1020.0),
            (incident(acknowledged_by="alice", acknowledged_until=2000.0), Reason.ACKNOWLEDGED, 2000.0),
            (incident(acknowledged_by="alice"), Reason.ACKNOWLEDGED, None),
            (incident(state=IncidentState.ESCALATED), Reason.ESCALATED, None),
            (incident(state=IncidentState.ESCALATED, outcome_unknown=True), Reason.ESCALATED, None),
            (incident(**unknown(500.0)), Reason.UNKNOWN_OBSERVATION, 1400.0),
            (incident(state=IncidentState.SUSPECTED, opened_at=None), Reason.NOT_HELD, None),
            (incident(next_attempt_at=1030.0, attempts=1), Reason.BACKOFF, 1030.0),
        ],
    )
    def test_says_why_and_until_when(self, case: Incident, reason: Reason, again_at: float | None) -> None:
        decision = decided(case)

        assert (decision.kind, decision.reason, decision.again_at) == (WAIT, reason, again_at)

    def test_an_acknowledgement_ends_and_can_let_the_engine_go_on(self) -> None:
        assert decided(incident(acknowledged_by="alice", acknowledged_until=NOW)).kind is ACT
        assert decided(incident(acknowledged_by="alice", keep_acting=True)).kind is ACT

    def test_what_is_good_at_this_moment_is_not_acted_on(self) -> None:
        calm = rule(hold=Hold(recover_after=2))

        decision = decided(incident(**good(999.0)), calm)

        assert (decision.kind, decision.reason) == (WAIT, Reason.NOT_HELD)
        assert decision.again_at is not None


class TestResolving:
    @pytest.mark.parametrize(
        "case",
        [
            incident(**good(990.0)),
            verifying(**good(995.0)),
            verifying(**good(995.0), verify_deadline=996.0),
            incident(state=IncidentState.ESCALATED, **good(990.0)),
            incident(acknowledged_by="alice", **good(990.0)),
            incident(outcome_unknown=True, **good(990.0)),
        ],
    )
    def test_what_has_cleared_is_over_whatever_was_before(self, case: Incident) -> None:
        assert answer(case) == (RESOLVE, Reason.CLEARED)

    def test_it_takes_enough_good_findings_over_enough_time(self) -> None:
        calm = rule(hold=Hold(recover_after=3, clear_for_seconds=60.0))

        assert answer(incident(**good(900.0, streak=2)), calm) == (WAIT, Reason.NOT_HELD)
        assert answer(incident(**good(941.0, streak=3)), calm) == (WAIT, Reason.NOT_HELD)
        assert decided(incident(**good(941.0, streak=3)), calm).again_at == 1001.0
        assert answer(incident(**good(940.0, streak=3)), calm) == (RESOLVE, Reason.CLEARED)

    def test_unknown_is_no_recovery_however_good_it_was(self) -> None:
        assert answer(incident(**{**good(900.0), **unknown(990.0)})) == (WAIT, Reason.UNKNOWN_OBSERVATION)

    def test_while_it_flaps_and_people_know_it_is_not_over(self) -> None:
        told = incident(state=IncidentState.ESCALATED, escalated_for=Reason.FLAPPING, **good(990.0))

        waiting = decided(told, flapping=True)

        assert (waiting.kind, waiting.reason) == (WAIT, Reason.FLAPPING)
        assert waiting.again_at is not None
        assert answer(told) == (RESOLVE, Reason.CLEARED)
        assert answer(incident(**good(990.0)), flapping=True) == (RESOLVE, Reason.CLEARED)


class TestVerifying:
    def test_one_look_that_could_not_tell_at_the_deadline_is_no_unknown_outcome(self) -> None:
        decision = decided(verifying(verify_deadline=999.0, **unknown(995.0)))
        assert (decision.kind, decision.reason, decision.again_at) == (WAIT, Reason.VERIFYING, 1005.0)
        assert answer(verifying(verify_deadline=999.0, **unknown(990.0)))[0] is FAIL_RUNG
        assert answer(verifying(verify_deadline=999.0, relapsed=True, **unknown(995.0)))[0] is FAIL_RUNG
        assert answer(verifying(verify_deadline=999.0))[0] is FAIL_RUNG, "what is seen to be bad is bad"

    def test_a_check_that_has_to_look_for_long_is_given_that_time_after_a_start(self) -> None:
        slow = rule(known_after_seconds=600.0)
        assert answer(verifying(verify_deadline=999.0, **unknown(400.0)), slow) == (WAIT, Reason.VERIFYING)
        assert answer(verifying(verify_deadline=999.0, **unknown(390.0)), slow)[0] is FAIL_RUNG

    baking = rule(ladder=(rung(bake_seconds=30.0),))

    def test_good_is_no_success_before_it_stayed_good(self) -> None:
        decision = decided(verifying(**good(995.0)), self.baking)

        assert (decision.kind, decision.reason, decision.again_at) == (WAIT, Reason.VERIFYING, 1025.0)
        assert answer(verifying(**good(970.0)), self.baking) == (RESOLVE, Reason.CLEARED)

    def test_it_may_bake_past_the_deadline(self) -> None:
        assert answer(verifying(verify_deadline=999.0, **good(980.0)), self.baking) == (WAIT, Reason.VERIFYING)

    def test_unknown_does_not_end_the_baking(self) -> None:
        blind = {**good(900.0), **unknown(999.0)}

        assert answer(verifying(verify_deadline=950.0, **blind), self.baking) == (WAIT, Reason.VERIFYING)
        too_long = {**good(50.0), **unknown(99.0)}
        assert answer(verifying(verify_deadline=90.0, **too_long), self.baking)[0] is FAIL_RUNG

    @pytest.mark.parametrize("state", [{}, unknown(900.0), good(999.0, streak=1)])
    def test_not_good_often_enough_by_the_deadline_is_a_failure(self, state: dict[str, Any]) -> None:
        calm = rule(hold=Hold(recover_after=2))

        assert answer(verifying(verify_deadline=NOW, **state), calm) == (FAIL_RUNG, Reason.RETRY)

    def test_a_failure_says_what_follows(self) -> None:
        late, two = {"verify_deadline": NOW, "attempts": 3}, rule(ladder=(rung(), rung()))

        assert answer(verifying(**late), two) == (FAIL_RUNG, Reason.NEXT_RUNG)
        assert answer(verifying(**late, rung=1), two) == (FAIL_RUNG, Reason.LADDER_EXHAUSTED)

    def test_an_acknowledgement_does_not_stop_the_judging(self) -> None:
        assert answer(verifying(verify_deadline=NOW, acknowledged_by="alice")) == (FAIL_RUNG, Reason.RETRY)


class TestEscalating:
    @pytest.mark.parametrize(
        ("case", "changes", "reason"),
        [
            (incident(outcome_unknown=True), {}, Reason.UNKNOWN_OUTCOME),
            (incident(**unknown(100.0)), {}, Reason.UNKNOWN_TOO_LONG),
            (incident(state=IncidentState.SUSPECTED, opened_at=None, **unknown(100.0)), {}, Reason.UNKNOWN_TOO_LONG),
            (incident(), {"ladder": ()}, Reason.NO_ACTION),
            (incident(), {"ladder": (rung(alternatives=()),)}, Reason.NO_ACTION),
            (incident(rung=1), {}, Reason.LADDER_EXHAUSTED),
            (incident(refused_since=100.0, refused_for=Reason.COOLDOWN), {}, Reason.REFUSED_TOO_LONG),
            (
                incident(refused_since=700.0, refused_for=Reason.COOLDOWN),
                {"patience_seconds": 300.0},
                Reason.REFUSED_TOO_LONG,
            ),
        ],
    )
    def test_people_are_told_why(self, case: Incident, changes: dict[str, Any], reason: Reason) -> None:
        assert answer(case, rule(**changes)) == (ESCALATE, reason)

    def test_flapping_is_told_and_not_acted_on(self) -> None:
        assert answer(incident(), flapping=True) == (ESCALATE, Reason.FLAPPING)

    def test_a_refusal_within_patience_is_asked_again(self) -> None:
        assert decided(incident(refused_since=999.0, refused_for=Reason.COOLDOWN)).kind is ACT

    @pytest.mark.parametrize("flapping", [False, True])
    @pytest.mark.parametrize("owned", [{"state": IncidentState.ESCALATED}, {"acknowledged_by": "alice"}])
    def test_people_who_know_are_not_told_again(self, owned: dict[str, Any], flapping: bool) -> None:
        for trouble in ({"outcome_unknown": True}, unknown(0.0), {"rung": 9}, {"refused_since": 0.0}):
            assert answer(incident(**{**owned, **trouble}), flapping=flapping)[0] is WAIT


class TestWhatADecisionSays:
    def test_whom_an_action_is_for_and_what_it_may_pass_comes_from_the_rule(self) -> None:
        by_hand = replace(RESTART, requested_by=Principal("alice", 1000), override=frozenset({"cooldown"}))

        (request,) = alternatives(incident(), rule(ladder=(rung(alternatives=(by_hand,)),)))

        assert (request.requested_by, request.override) == (Principal("alice", 1000), frozenset({"cooldown"}))

    def test_every_decision_is_of_its_moment(self) -> None:
        told = decided(incident(), flapping=True)
        assert (told.kind, told.at) == (ESCALATE, moment(NOW))
        assert decided(incident()).at == moment(NOW)

    def test_people_are_told_what_is_wrong(self) -> None:
        assert decided(incident(detail="no answer"), flapping=True).detail == "no answer"

    def test_people_are_told_why_the_engine_was_held_back(self) -> None:
        refused = decided(incident(refused_since=100.0, refused_for=Reason.COOLDOWN))
        assert (refused.kind, refused.detail) == (ESCALATE, Reason.COOLDOWN.sentence)
        for_no_reason = decided(incident(refused_since=100.0, refused_for=None))
        assert (for_no_reason.kind, for_no_reason.detail) == (ESCALATE, "no answer")

    @pytest.mark.parametrize(
        ("seen", "a_rule", "expected"),
        [
            (verifying(settle_until=1005.0), {}, Decision(WAIT, Reason.SETTLING, moment(NOW), again_at=1005.0)),
            (
                verifying(settle_until=NOW, verify_deadline=1010.0),
                {},
                Decision(WAIT, Reason.VERIFYING, moment(NOW), again_at=1010.0),
            ),
            (incident(**good(900.0)), {}, Decision(RESOLVE, Reason.CLEARED, moment(NOW), "no answer")),
            (
                verifying(**good(995.0)),
                {"hold": Hold(clear_for_seconds=30.0)},
                Decision(WAIT, Reason.VERIFYING, moment(NOW), "good, and has to stay so", again_at=1025.0),
            ),
            (
                verifying(verify_deadline=999.0, **unknown(995.0)),
                {},
                Decision(WAIT, Reason.VERIFYING, moment(NOW), "it cannot be told at this moment", again_at=1005.0),
            ),
            (verifying(verify_deadline=999.0), {}, Decision(FAIL_RUNG, Reason.RETRY, moment(NOW), "no answer")),
            (
                incident(acknowledged_by="alice", acknowledged_until=1500.0),
                {},
                Decision(WAIT, Reason.ACKNOWLEDGED, moment(NOW), "alice", again_at=1500.0),
            ),
            (
                incident(**unknown(995.0)),
                {"unknown_patience_seconds": 60.0},
                Decision(WAIT, Reason.UNKNOWN_OBSERVATION, moment(NOW), "no answer", again_at=1055.0),
            ),
            (
                incident(**good(995.0)),
                {"hold": Hold(clear_for_seconds=30.0)},
                Decision(
                    WAIT,
                    Reason.NOT_HELD,
                    moment(NOW),
                    "good at this moment, but not for long enough to be over",
                    again_at=1025.0,
                ),
            ),
        ],
        ids=lambda value: value.reason.value if isinstance(value, Decision) else "",
    )
    def test_the_whole_of_it(self, seen: Incident, a_rule: dict[str, Any], expected: Decision) -> None:
        assert decided(seen, rule(**a_rule)) == expected

    def test_good_but_flapping_is_looked_at_again(self) -> None:
        told = incident(state=IncidentState.ESCALATED, escalated_for=Reason.FLAPPING, **good(990.0))
        again_at = NOW + CALM_AGAIN_SECONDS
        expected = Decision(WAIT, Reason.FLAPPING, moment(NOW), "good, but not calm yet", again_at=again_at)
        assert decided(told, flapping=True) == expected

    def test_good_and_then_untold_waits_for_the_patience_and_no_longer(self) -> None:
        a_rule = rule(hold=Hold(recover_after=1), unknown_patience_seconds=60.0)
        untold = verifying(**{**good(980.0), "last_status": UNKNOWN, "unknown_since": 950.0})
        waiting = decide(untold, a_rule, moment(1009.9), flapping=False)
        assert (waiting.kind, waiting.reason, waiting.again_at) == (WAIT, Reason.VERIFYING, 1010.0)
        assert decide(untold, a_rule, moment(1010.0), flapping=False).kind is FAIL_RUNG
