from __future__ import annotations

import pytest

from tests.support.guarding import by_alice, plan, policy, question, request
from zen_agents.actions.base import ActionPolicy
from zen_agents.actions.base import Approval as Who
from zen_agents.adapters.sqlite_store import SqliteStore
from zen_agents.guards.approval import NEEDS_PERSON, Approval
from zen_agents.guards.dry_run import DryRun
from zen_agents.guards.pipeline import assess
from zen_agents.model.reason import Reason
from zen_agents.model.verdict import Answer, Ruling


def needing(who: Who, **changes):
    return policy(allowed={"restart_service": ActionPolicy(approval=who)}, **changes)


def test_auto_needs_nobody(store: SqliteStore) -> None:
    answer = Approval().assess(question(store))
    assert (answer.ruling, answer.value, answer.origin) == (Ruling.ALLOW, "auto", "zen.yaml:9:5")


def test_what_is_not_listed_needs_nobody_either(store: SqliteStore) -> None:
    """The allow-list refuses it; this guard has nothing to add."""
    assert Approval().assess(question(store, policy=policy(allowed={}))).value == "auto"


@pytest.mark.parametrize("who", [Who.REQUIRED, Who.TWO_PERSON])
def test_what_needs_a_yes_is_refused_since_nobody_can_be_asked(store: SqliteStore, who: Who) -> None:
    written = {"actions.allow.restart_service": "zen.yaml:9:5", "actions.allow.restart_service.approval": "zen.yaml:10:7"}
    answer = Approval().assess(question(store, policy=needing(who, origins=written)))
    assert (answer.reason, answer.value, answer.origin) == (Reason.NO_APPROVER, who.value, "zen.yaml:10:7")


def test_mode_approve_asks_for_everything(store: SqliteStore) -> None:
    answer = Approval().assess(question(store, policy=policy(mode="approve", origins={"mode": "zen.yaml:1:7"})))
    assert (answer.reason, answer.value, answer.origin) == (Reason.NO_APPROVER, "required", "zen.yaml:1:7")


@pytest.mark.parametrize("mode", ["approve", "enforce"])
def test_a_persons_own_act_with_a_reason_is_one_agreement(store: SqliteStore, mode: str) -> None:
    asked = question(store, request=by_alice(), policy=needing(Who.REQUIRED, mode=mode))
    answer = Approval().assess(asked)
    assert (answer.value, answer.origin) == ("required, and alice asks in person", "zen.yaml:9:5")
    silent = question(store, request=by_alice(because=" "), policy=needing(Who.REQUIRED, mode=mode))
    assert Approval().assess(silent).reason is Reason.NO_APPROVER


def test_one_person_is_not_two(store: SqliteStore) -> None:
    asked = question(store, request=by_alice("approval", "no_approver"), policy=needing(Who.TWO_PERSON))
    assert assess(asked, [Approval()]).reason is Reason.NO_APPROVER


@pytest.mark.parametrize("action", sorted(NEEDS_PERSON))
def test_what_needs_a_person_stays_so_until_the_hosts_own_file_says_auto(store: SqliteStore, action: str) -> None:
    asked = request(action=action)
    loosened = {"allowed": {action: ActionPolicy(approval=Who.AUTO)}}
    by_preset = question(store, request=asked, plan=plan(asked), policy=policy(**loosened))
    refused = Approval().assess(by_preset)
    assert (refused.reason, refused.value) == (Reason.NO_APPROVER, "required")
    by_hand = by_alice(action=action)
    assert Approval().assess(question(store, request=by_hand, policy=policy(**loosened))).ruling is Ruling.ALLOW
    written = policy(**loosened, origins={f"actions.allow.{action}.approval": "zen.yaml:9:30"})
    assert Approval().assess(question(store, request=asked, plan=plan(asked), policy=written)).ruling is Ruling.ALLOW


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
