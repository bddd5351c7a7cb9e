from __future__ import annotations

from datetime import timedelta

import pytest

from tests.support.guarding import NOW, by_alice, policy, question, ran, request
from zen_agents.actions.base import ActionPolicy
from zen_agents.adapters.sqlite_store import SqliteStore
from zen_agents.guards.cooldown import Cooldown
from zen_agents.guards.pipeline import assess
from zen_agents.model.action import OutcomeKind
from zen_agents.model.reason import Reason
from zen_agents.model.verdict import Answer, Ruling

EARLIER = request(incident="inc-earlier")


def cooled(store: SqliteStore, *, minutes: int = 10, **changes) -> Answer:
    rested = policy(allowed={"restart_service": ActionPolicy(cooldown=timedelta(minutes=minutes))})
    return Cooldown().assess(question(store, policy=rested, **changes))


def test_allows_the_first_action(store: SqliteStore) -> None:
    answer = cooled(store)
    assert (answer.value, answer.origin) == ("10m, last run never or long ago", "zen.yaml:10:7")


def test_refuses_soon_after_an_action_for_another_incident(store: SqliteStore) -> None:
    last = ran(store, ago=240, asked=EARLIER)
    answer = cooled(store)
    assert (answer.reason, answer.until) == (Reason.COOLDOWN, NOW.steady + 360)
    assert answer.value == f"6m left (10m after {last})"


def test_counts_from_the_end_of_the_action_not_from_its_start(store: SqliteStore) -> None:
    ran(store, ago=900, asked=EARLIER, took=600)
    assert cooled(store).until == NOW.steady + 300


def test_an_action_that_still_runs_has_not_begun_to_cool(store: SqliteStore) -> None:
    ran(store, ago=900, asked=EARLIER, kind=None, lease=60)
    assert cooled(store).until == NOW.steady + 600


def test_allows_when_it_is_over(store: SqliteStore) -> None:
    ran(store, ago=600, asked=EARLIER)
    assert cooled(store).value == "10m, last run 10m ago"


def test_the_retries_of_one_incident_do_not_count(store: SqliteStore) -> None:
    ran(store, ago=5)
    assert cooled(store).ruling is Ruling.ALLOW


@pytest.mark.parametrize("kind", [OutcomeKind.DENIED, OutcomeKind.EXPIRED, OutcomeKind.SKIPPED])
def test_what_never_ran_does_not_count(store: SqliteStore, kind: OutcomeKind) -> None:
    ran(store, ago=5, asked=EARLIER, kind=kind)
    assert cooled(store).ruling is Ruling.ALLOW


@pytest.mark.parametrize("kind", [OutcomeKind.FAILED, OutcomeKind.TIMED_OUT, OutcomeKind.UNKNOWN, OutcomeKind.UNDONE])
def test_what_ran_without_success_counts(store: SqliteStore, kind: OutcomeKind) -> None:
    ran(store, ago=5, asked=EARLIER, kind=kind)
    assert cooled(store).reason is Reason.COOLDOWN


def test_another_target_does_not_count(store: SqliteStore) -> None:
    ran(store, ago=5, asked=request(target="service:mail", incident="inc-mail"))
    assert cooled(store).ruling is Ruling.ALLOW


def test_a_persons_act_makes_the_engine_wait(store: SqliteStore) -> None:
    ran(store, ago=5, asked=by_alice())
    assert cooled(store).reason is Reason.COOLDOWN


def test_a_person_passes_it_only_by_name(store: SqliteStore) -> None:
    ran(store, ago=5, asked=EARLIER)
    assert assess(question(store, request=by_alice()), [Cooldown()]).reason is Reason.COOLDOWN
    named = assess(question(store, request=by_alice("cooldown")), [Cooldown()])
    assert named.ruling is Ruling.ALLOW
    assert named.answers[0].value.startswith("passed by alice: 55s left")
    assert named.answers[0].origin == "zen.yaml:10:7"


def test_an_action_that_is_not_listed_has_none(store: SqliteStore) -> None:
    ran(store, ago=5, asked=EARLIER)
    answer = Cooldown().assess(question(store, policy=policy(allowed={})))
    assert (answer.ruling, answer.value) == (Ruling.ALLOW, "the action is not listed, so it has none")


@pytest.mark.parametrize("ago", [5, 700], ids=["cooling", "over"])
def test_every_answer_says_where_it_is_written_and_a_default_is_none_of_the_actions_line(
    store: SqliteStore, ago: float
) -> None:
    ran(store, ago=ago, asked=EARLIER)
    assert cooled(store).origin == "zen.yaml:10:7"
    whole = policy(origins={"actions.allow.restart_service": "zen.yaml:9:5"})
    assert Cooldown().assess(question(store, policy=whole)).origin == ""


def test_the_last_to_end_counts_not_the_last_to_begin(store: SqliteStore) -> None:
    longest = ran(store, ago=1500, asked=EARLIER, took=1400)
    ran(store, ago=1000, asked=request(incident="inc-between"), took=100)
    answer = cooled(store)
    assert (answer.until, answer.value) == (NOW.steady + 500, f"8m20s left (10m after {longest})")


def test_an_action_that_ran_for_hours_counts_by_its_end(store: SqliteStore) -> None:
    ran(store, ago=14_500, asked=EARLIER, took=14_400)
    assert cooled(store).until == NOW.steady + 500
