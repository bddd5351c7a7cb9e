from __future__ import annotations

from dataclasses import replace

import pytest

from tests.support.guarding import ALICE, NOW, by_alice, plan, policy, question, request
from zen_agents.actions.base import ActionPolicy
from zen_agents.actions.base import Approval as Who
from zen_agents.adapters.sqlite_store import SqliteStore
from zen_agents.guards.approval import DEMOTED, NEEDS_PERSON, Approval, demotion_scope
from zen_agents.guards.base import ApprovalTerms, Question
from zen_agents.guards.dry_run import DryRun
from zen_agents.guards.pipeline import assess
from zen_agents.model.action import Resource, ResourceKind
from zen_agents.model.approval import Approval as Asked
from zen_agents.model.approval import ApprovalAnswer, ApprovalState
from zen_agents.model.principal import Principal
from zen_agents.model.reason import Reason
from zen_agents.model.verdict import Answer, Ruling
from zen_agents.ports.store import Brake

APPROVAL_OF_RESTART = "actions.allow.restart_service.approval"


def approved(asked: Question) -> Asked:
    """Return a yes by alice to exactly what is asked."""
    plan, request = asked.plan, asked.request
    return Asked(
        "apr-1", plan.digest, request.action, request.target, "system_health", "", None, Principal("engine"), 1, NOW,
        NOW.steady + 60.0, {}, state=ApprovalState.APPROVED, answers=(ApprovalAnswer("alice", 1000, True, "seen", 0.0),),
    )  # fmt: skip


def needing(who: Who, **changes):
    return policy(allowed={"restart_service": ActionPolicy(approval=who)}, **changes)


def test_auto_needs_nobody(store: SqliteStore) -> None:
    answer = Approval().assess(question(store))
    assert (answer.ruling, answer.value, answer.origin) == (Ruling.ALLOW, "auto", "")


def test_what_is_not_listed_needs_nobody_either(store: SqliteStore) -> None:
    """The allow-list refuses it; this guard has nothing to add."""
    assert Approval().assess(question(store, policy=policy(allowed={}))).value == "auto"


@pytest.mark.parametrize("who", [Who.REQUIRED, Who.TWO_PERSON])
def test_what_needs_a_yes_says_where_that_is_written(store: SqliteStore, who: Who) -> None:
    written = {"actions.allow.restart_service": "zen.yaml:9:5", "actions.allow.restart_service.approval": "zen.yaml:10:7"}
    answer = Approval().assess(question(store, policy=needing(who, origins=written)))
    assert (answer.reason, answer.value, answer.origin) == (Reason.APPROVAL_PENDING, who.value, "zen.yaml:10:7")


@pytest.mark.parametrize("who", [Who.REQUIRED, Who.TWO_PERSON])
def test_what_needs_a_yes_is_held_until_people_were_asked(store: SqliteStore, who: Who) -> None:
    answer = Approval().assess(question(store, policy=needing(who)))
    assert (answer.ruling, answer.reason, answer.value) == (Ruling.HOLD, Reason.APPROVAL_PENDING, who.value)


@pytest.mark.parametrize(
    ("changes", "ruling", "said", "until"),
    [
        ({}, Ruling.ALLOW, "required; apr-1 approved by alice", None),
        ({"state": ApprovalState.PENDING}, Ruling.HOLD, "required; apr-1: 1 of 1 agreed", NOW.steady + 60.0),
        ({"digest": "0" * 64}, Ruling.HOLD, "required; approval stale: apr-1 is about another plan or state", None),
        ({"expires_at": NOW.steady}, Ruling.HOLD, "required", None),
        ({"answers": ()}, Ruling.HOLD, "required; apr-1: 0 of 1 agreed", NOW.steady + 60.0),
    ],
)
def test_only_an_open_yes_to_this_very_plan_lets_it_pass(
    store: SqliteStore, changes, ruling: Ruling, said: str, until: float | None
) -> None:
    written = {"actions.allow.restart_service.approval": "zen.yaml:10:7"}
    asked = question(store, policy=needing(Who.REQUIRED, origins=written))
    store.save_approval(replace(approved(asked), **changes))
    reason = Reason.APPROVAL_PENDING if ruling is Ruling.HOLD else None
    assert Approval().assess(asked) == Answer("approval", ruling, reason, said, "zen.yaml:10:7", until)


def test_one_yes_is_not_enough_once_the_file_wants_two(store: SqliteStore) -> None:
    asked = question(store, policy=needing(Who.TWO_PERSON))
    store.save_approval(approved(asked))
    assert Approval().assess(asked).value == "two_person; apr-1: 1 of 2 agreed"


def test_who_agreed_is_named_once_each(store: SqliteStore) -> None:
    asked = question(store, policy=needing(Who.TWO_PERSON))
    yes, also = (ApprovalAnswer(name, uid, True, "seen", 0.0) for name, uid in (("alice", 1000), ("bob", 1001)))
    store.save_approval(replace(approved(asked), needed=2, answers=(yes, also)))
    assert Approval().assess(asked).value == "two_person; apr-1 approved by alice and bob"


def test_two_people_cannot_be_had_where_one_is_named(store: SqliteStore) -> None:
    terms = {
        "approvals": ApprovalTerms(frozenset({"user:alice"})),
        "origins": {"actions.allow.restart_service.approval": "zen.yaml:10:7"},
    }
    two, one = (Approval().assess(question(store, policy=needing(who, **terms))) for who in (Who.TWO_PERSON, Who.REQUIRED))
    said = "two_person, but approvals.approvers names one person"
    assert two == Answer("approval", Ruling.DENY, Reason.NO_APPROVER, said, "zen.yaml:10:7")
    assert one.reason is Reason.APPROVAL_PENDING


def test_whoever_may_not_approve_does_not_agree_by_asking(store: SqliteStore) -> None:
    asked = question(
        store, request=replace(by_alice(), requested_by=replace(ALICE, approves=False)), policy=needing(Who.REQUIRED)
    )
    assert Approval().assess(asked).ruling is Ruling.HOLD


@pytest.mark.parametrize(
    ("level", "answer"),
    [
        ("observe", Answer("approval", Ruling.DENY, Reason.MODE_OBSERVE, "autonomy: observe", "zen.yaml:50:3")),
        ("approve", Answer("approval", Ruling.HOLD, Reason.APPROVAL_PENDING, "autonomy: approve", "zen.yaml:50:3")),
        ("auto", Answer("approval", Ruling.ALLOW, None, "auto")),
    ],
)
def test_a_rule_may_be_given_less_autonomy_than_the_action_has(store: SqliteStore, level: str, answer: Answer) -> None:
    less = policy(autonomy={("system_health.web", "restart_service"): level}, origins={"autonomy": "zen.yaml:50:3"})
    asked = request(rule="system_health.web")
    assert Approval().assess(question(store, request=asked, plan=plan(asked), policy=less)) == answer
    other = request(rule="system_health.db")
    assert Approval().assess(question(store, request=other, plan=plan(other), policy=less)).ruling is Ruling.ALLOW


def test_autonomy_never_loosens_what_the_allow_list_asks_for(store: SqliteStore) -> None:
    for level, said in (("auto", "two_person"), ("approve", "two_person"), ("observe", "autonomy: observe")):
        most = needing(Who.TWO_PERSON, autonomy={("system_health.web", "restart_service"): level})
        asked = request(rule="system_health.web")
        assert Approval().assess(question(store, request=asked, plan=plan(asked), policy=most)).value == said


def test_how_far_the_engine_may_go_alone_binds_no_person(store: SqliteStore) -> None:
    less = policy(autonomy={("system_health.web", "restart_service"): "observe"})
    answer = Approval().assess(question(store, request=by_alice(rule="system_health.web"), policy=less))
    assert answer == Answer("approval", Ruling.ALLOW, None, "auto")


def test_what_went_wrong_the_last_time_is_asked_for(store: SqliteStore) -> None:
    scope = demotion_scope("system_health.web", "restart_service")
    store.set_brake(Brake(DEMOTED, scope, "act-1 failed", "engine", NOW, None))
    asked = request(rule="system_health.web")
    answer = Approval().assess(question(store, request=asked, plan=plan(asked)))
    assert answer == Answer("approval", Ruling.HOLD, Reason.APPROVAL_PENDING, "demoted: act-1 failed")
    by_hand = by_alice()
    assert Approval().assess(question(store, request=by_hand, plan=plan(by_hand))).ruling is Ruling.ALLOW


def test_mode_approve_asks_for_everything(store: SqliteStore) -> None:
    answer = Approval().assess(question(store, policy=policy(mode="approve", origins={"mode": "zen.yaml:1:7"})))
    assert (answer.reason, answer.value, answer.origin) == (Reason.APPROVAL_PENDING, "required", "zen.yaml:1:7")


@pytest.mark.parametrize("mode", ["approve", "enforce"])
def test_a_persons_own_act_with_a_reason_is_one_agreement(store: SqliteStore, mode: str) -> None:
    written = {"actions.allow.restart_service.approval": "zen.yaml:9:5"}
    asked = question(store, request=by_alice(), policy=needing(Who.REQUIRED, mode=mode, origins=written))
    answer = Approval().assess(asked)
    assert (answer.value, answer.origin) == ("required, and alice asks in person", "zen.yaml:9:5")
    silent = question(store, request=by_alice(because=" "), policy=needing(Who.REQUIRED, mode=mode))
    assert Approval().assess(silent).reason is Reason.APPROVAL_PENDING


def test_one_person_is_not_two(store: SqliteStore) -> None:
    asked = question(store, request=by_alice("approval", "approval_pending"), policy=needing(Who.TWO_PERSON))
    assert assess(asked, [Approval()]).reason is Reason.APPROVAL_PENDING


@pytest.mark.parametrize("action", sorted(NEEDS_PERSON))
def test_what_needs_a_person_stays_so_until_the_hosts_own_file_says_auto(store: SqliteStore, action: str) -> None:
    asked = request(action=action)
    loosened = {"allowed": {action: ActionPolicy(approval=Who.AUTO)}}
    by_preset = question(store, request=asked, plan=plan(asked), policy=policy(**loosened))
    refused = Approval().assess(by_preset)
    assert (refused.reason, refused.value) == (Reason.APPROVAL_PENDING, "required")
    by_hand = by_alice(action=action)
    assert Approval().assess(question(store, request=by_hand, policy=policy(**loosened))).ruling is Ruling.ALLOW
    written = policy(**loosened, origins={f"actions.allow.{action}.approval": "zen.yaml:9:30"})
    assert Approval().assess(question(store, request=asked, plan=plan(asked), policy=written)).ruling is Ruling.ALLOW


def _asking(store: SqliteStore, **changes) -> Question:
    return _with_asks(question(store, policy=policy(**changes)))


def _with_asks(asked: Question) -> Question:
    return replace(asked, plan=replace(asked.plan, asks=("it is a major upgrade", "it ends log-ins")))


def test_a_plan_that_asks_is_held_whatever_the_allow_list_says(store: SqliteStore) -> None:
    auto = {
        "allowed": {"restart_service": ActionPolicy(approval=Who.AUTO)},
        "origins": {APPROVAL_OF_RESTART: "zen.yaml:9:5"},
    }
    answer = Approval().assess(_asking(store, **auto))
    assert answer == Answer("approval", Ruling.HOLD, Reason.APPROVAL_PENDING, "it is a major upgrade; it ends log-ins")


def test_a_persons_own_act_is_an_agreement_to_what_its_plan_asks(store: SqliteStore) -> None:
    asked = _with_asks(question(store, request=by_alice()))
    answer = Approval().assess(asked)
    assert (answer.ruling, answer.value) == (
        Ruling.ALLOW,
        "it is a major upgrade; it ends log-ins, and alice asks in person",
    )


def test_a_plan_that_asks_loosens_nothing(store: SqliteStore) -> None:
    two = {"allowed": {"restart_service": ActionPolicy(approval=Who.TWO_PERSON)}}
    assert Approval().assess(_asking(store, **two)).value == "two_person"
    less = {"autonomy": {("system_health.web", "restart_service"): "observe"}}
    assert Approval().assess(_asking(store, **less)).ruling is Ruling.DENY


def test_an_approval_nobody_knows_is_refused(store: SqliteStore) -> None:
    class Odd(ActionPolicy):
        approval: str = "sometimes"  # type: ignore[assignment]

    verdict = assess(question(store, policy=policy(allowed={"restart_service": Odd()})), [Approval()])
    assert (verdict.reason, verdict.answers[0].value) == (Reason.GUARD_ERROR, "ValueError: unknown approval 'sometimes'")


@pytest.mark.parametrize("asked", [None, by_alice("dry_run")])
def test_a_dry_run_shows_and_does_not_do_for_everyone(store: SqliteStore, asked) -> None:
    written = policy(dry_run=True, origins={"dry_run": "zen.yaml:2:1"})
    verdict = assess(question(store, request=asked, policy=written), [DryRun()])
    assert (verdict.ruling, verdict.reason) == (Ruling.SIMULATE, Reason.DRY_RUN)
    assert verdict.answers == (Answer("dry_run", Ruling.SIMULATE, Reason.DRY_RUN, "on", "zen.yaml:2:1"),)


def test_without_a_dry_run_the_last_guard_allows(store: SqliteStore) -> None:
    answer = DryRun().assess(question(store, policy=policy(origins={"dry_run": "zen.yaml:2:1"})))
    assert (answer.ruling, answer.value, answer.origin) == (Ruling.ALLOW, "off", "zen.yaml:2:1")


@pytest.mark.parametrize(
    ("shipped", "said"),
    [
        ("ssh.service", "it ships ssh.service, which is protected"),
        ("postgresql@15-main.service", "it ships postgresql@15-main.service, which is stateful"),
        ("acme.service", "auto"),
    ],
)
def test_packages_that_ship_what_no_engine_restarts_are_a_persons_to_upgrade(
    store: SqliteStore, shipped: str, said: str
) -> None:
    touches, along = (Resource(ResourceKind.PACKAGE, "acme"),), (Resource(ResourceKind.UNIT, shipped),)
    answer = Approval().assess(question(store, plan=replace(plan(), touches=touches, along=along)))
    assert answer.value == said
    assert answer.ruling is (Ruling.ALLOW if said == "auto" else Ruling.HOLD)
