from __future__ import annotations

import pytest

from tests.support.guarding import KEY, NOW, by_alice, incident, plan, policy, question, ran, request, situation
from zen_agents.actions.base import ActionPolicy
from zen_agents.adapters.sqlite_store import SqliteStore
from zen_agents.guards.base import Limit
from zen_agents.guards.pipeline import assess
from zen_agents.guards.rate_limit import RateLimit
from zen_agents.model.action import Budget, OutcomeKind
from zen_agents.model.incident import IncidentState
from zen_agents.model.reason import Reason
from zen_agents.model.verdict import Ruling


def elsewhere(number: int):
    return request(target=f"service:s{number}", incident=f"inc-{number}")


def spend(store: SqliteStore, count: int, *, budget: Budget = Budget.REPAIR, first_ago: float = 3000.0) -> None:
    for number in range(count):
        ran(store, ago=first_ago - number, asked=elsewhere(number), budget=budget)


def test_allows_with_every_limit_shown(store: SqliteStore) -> None:
    spend(store, 1)
    answer = RateLimit().assess(question(store))
    assert answer.value == "1 of 5 repairs this hour, 0 of 4 for this target, 0 of 1 running"
    assert answer.origin == "zen.yaml:20:3, built-in default (limits.per_target_per_hour, limits.max_concurrent)"
    rare = policy(allowed={"restart_service": ActionPolicy(max_per_hour=9)})
    shown = RateLimit().assess(question(store, policy=rare)).value
    assert shown == "1 of 5 repairs this hour, 0 of 4 for this target, 1 of 9 restart_service, 0 of 1 running"


def test_the_budget_of_the_hour_is_spent_and_it_says_when_it_frees_up(store: SqliteStore) -> None:
    spend(store, 5)
    answer = RateLimit().assess(question(store))
    assert (answer.reason, answer.value) == (Reason.RATE_LIMIT, "5 of 5 repairs this hour")
    assert answer.until == NOW.steady - 3000 + 3600
    assert RateLimit().assess(question(store, now=NOW.after(600))).ruling is Ruling.ALLOW


def test_what_a_person_did_spends_no_token(store: SqliteStore) -> None:
    for _ in range(5):
        ran(store, ago=100, asked=by_alice(target="service:mail"))
    assert RateLimit().assess(question(store)).value.startswith("0 of 5")


def test_housekeeping_has_its_own_budget(store: SqliteStore) -> None:
    spend(store, 20, budget=Budget.HOUSEKEEPING)
    assert RateLimit().assess(question(store)).value.startswith("0 of 5 repairs")
    cleaning = RateLimit().assess(question(store, plan=plan(budget=Budget.HOUSEKEEPING)))
    assert cleaning.value == "20 of 20 housekeeping this hour"
    assert cleaning.until == NOW.steady - 3000 + 3600
    spend(store, 4, first_ago=100.0)
    later = RateLimit().assess(question(store, plan=plan(budget=Budget.HOUSEKEEPING)))
    assert later.until == cleaning.until, "repairs of late do not keep housekeeping waiting"


@pytest.mark.parametrize("budget", Budget)
def test_zero_repairs_means_never_act_not_even_to_clean(store: SqliteStore, budget: Budget) -> None:
    answer = RateLimit().assess(question(store, plan=plan(budget=budget), policy=policy(repairs=Limit(0, 3600.0))))
    assert (answer.reason, answer.value) == (Reason.RATE_LIMIT, "0 repairs an hour means never")
    assert (answer.origin, answer.until) == ("zen.yaml:20:3", None)


def test_one_repair_an_hour_is_one_and_not_never(store: SqliteStore) -> None:
    one = policy(repairs=Limit(1, 3600.0))
    assert RateLimit().assess(question(store, policy=one)).ruling is Ruling.ALLOW
    spend(store, 1)
    answer = RateLimit().assess(question(store, policy=one))
    assert (answer.value, answer.until) == ("1 of 1 repairs this hour", NOW.steady + 600)


@pytest.mark.parametrize(
    "limits",
    [
        {"housekeeping": Limit(0, 3600.0)},
        {"per_target": Limit(0, 3600.0)},
        {"max_concurrent": 0},
        {"allowed": {"restart_service": ActionPolicy(max_per_hour=0)}},
    ],
)
def test_any_limit_of_zero_means_never(store: SqliteStore, limits: dict) -> None:
    ran(store, ago=100, budget=Budget.HOUSEKEEPING)
    asked = question(store, plan=plan(budget=Budget.HOUSEKEEPING), policy=policy(**limits))
    answer = RateLimit().assess(asked)
    assert (answer.reason, answer.until) == (Reason.RATE_LIMIT, None)


@pytest.mark.parametrize(
    ("key", "limits"),
    [
        ("limits.max_auto_repairs_per_hour", {"repairs": Limit(0, 3600.0)}),
        ("limits.max_auto_repairs_per_hour", {"repairs": Limit(2, 3600.0)}),
        ("limits.max_housekeeping_per_hour", {"housekeeping": Limit(0, 3600.0)}),
        ("limits.per_target_per_hour", {"per_target": Limit(0, 3600.0)}),
        ("limits.max_concurrent", {"max_concurrent": 0}),
        ("actions.allow.restart_service.max_per_hour", {"allowed": {"restart_service": ActionPolicy(max_per_hour=0)}}),
    ],
)
def test_a_refusal_says_where_its_limit_is_written(store: SqliteStore, key: str, limits: dict) -> None:
    budget = Budget.HOUSEKEEPING if "housekeeping" in limits else Budget.REPAIR
    spend(store, 2)
    asked = question(store, plan=plan(budget=budget), policy=policy(origins={key: "zen.yaml:50:3"}, **limits))
    answer = RateLimit().assess(asked)
    assert (answer.reason, answer.origin) == (Reason.RATE_LIMIT, "zen.yaml:50:3")


def test_a_budget_of_another_length_says_so(store: SqliteStore) -> None:
    spend(store, 3)
    half = policy(repairs=Limit(5, 1800.0), housekeeping=Limit(5, 7200.0))
    assert RateLimit().assess(question(store, policy=half)).value.startswith("0 of 5 repairs within 30m, ")
    cleaning = question(store, plan=plan(budget=Budget.HOUSEKEEPING), policy=half)
    assert RateLimit().assess(cleaning).value.startswith("0 of 5 housekeeping within 2h, ")


@pytest.mark.parametrize("kind", [OutcomeKind.DENIED, OutcomeKind.EXPIRED, OutcomeKind.SKIPPED])
def test_what_never_ran_counts_for_no_limit(store: SqliteStore, kind: OutcomeKind) -> None:
    ran(store, ago=100, kind=kind)
    rare = policy(allowed={"restart_service": ActionPolicy(max_per_hour=1)})
    assert RateLimit().assess(question(store, policy=rare)).ruling is Ruling.ALLOW


def test_a_target_has_a_limit_of_its_own(store: SqliteStore) -> None:
    for number in range(4):
        ran(store, ago=1000.0 - number)
    answer = RateLimit().assess(question(store))
    assert (answer.value, answer.until) == ("4 of 4 for this target", NOW.steady + 2600)
    assert RateLimit().assess(question(store, now=NOW.after(2599))).reason is Reason.RATE_LIMIT
    assert RateLimit().assess(question(store, now=NOW.after(2600))).ruling is Ruling.ALLOW


def test_one_action_an_hour_on_a_target_is_one_and_not_never(store: SqliteStore) -> None:
    ran(store, ago=1000.0)
    answer = RateLimit().assess(question(store, policy=policy(per_target=Limit(1, 3600.0))))
    assert (answer.value, answer.until) == ("1 of 1 for this target", NOW.steady + 2600)


def test_an_action_has_a_limit_of_its_own(store: SqliteStore) -> None:
    spend(store, 2)
    rare = policy(allowed={"restart_service": ActionPolicy(max_per_hour=2)})
    answer = RateLimit().assess(question(store, policy=rare))
    assert (answer.reason, answer.value) == (Reason.RATE_LIMIT, "2 of 2 restart_service")
    assert answer.origin == "built-in default (actions.allow.restart_service.max_per_hour)"
    assert answer.until == NOW.steady - 3000 + 3600
    other = policy(allowed={"clear_cache": ActionPolicy(max_per_hour=2)})
    clearing = request(action="clear_cache")
    assert RateLimit().assess(question(store, request=clearing, policy=other)).ruling is Ruling.ALLOW


def test_an_actions_own_limit_is_for_an_hour(store: SqliteStore) -> None:
    spend(store, 2, first_ago=3600.0)
    rare = policy(allowed={"restart_service": ActionPolicy(max_per_hour=1)})
    answer = RateLimit().assess(question(store, policy=rare))
    assert answer.value == "1 of 1 restart_service"
    spent = RateLimit().assess(question(store, policy=rare, now=NOW.after(1)))
    assert spent.ruling is Ruling.ALLOW


def test_one_action_at_a_time(store: SqliteStore) -> None:
    answer = RateLimit().assess(question(store, situation=situation(running=1)))
    assert (answer.reason, answer.value) == (Reason.RATE_LIMIT, "1 of 1 running")
    assert (
        RateLimit().assess(question(store, policy=policy(max_concurrent=2), situation=situation(running=1))).reason is None
    )


OTHER = "system_health.mail|service:mail"


def _last_token(store: SqliteStore, *, attempt: int = 2, **other) -> Ruling:
    spend(store, 4)
    live = {"system_health.web|service:web": incident(attempts=attempt - 1)}
    live[OTHER] = incident(**{"id": "inc-mail", "key": OTHER} | other)
    asked = request(attempt=attempt)
    whole = question(store, request=asked, situation=situation(incidents=live), incident=incident(attempts=attempt - 1))
    return RateLimit().assess(whole).ruling


def test_a_retry_leaves_the_last_token_to_an_incident_that_had_no_attempt(store: SqliteStore) -> None:
    assert _last_token(store) is Ruling.DENY


def test_a_first_attempt_takes_the_last_token(store: SqliteStore) -> None:
    assert _last_token(store, attempt=1) is Ruling.ALLOW


@pytest.mark.parametrize(
    "other",
    [
        {"attempts": 1},
        {"rung": 1},
        {"state": IncidentState.SUSPECTED},
        {"state": IncidentState.VERIFYING},
        {"state": IncidentState.ESCALATED},
        {"agent": "log_analysis"},
        {"acknowledged_by": "alice", "acknowledged_until": NOW.steady + 60},
    ],
)
def test_a_retry_takes_the_last_token_if_no_other_needs_it(store: SqliteStore, other: dict) -> None:
    assert _last_token(store, **other) is Ruling.ALLOW


@pytest.mark.parametrize(
    "other",
    [
        {"acknowledged_by": "alice", "acknowledged_until": NOW.steady},
        {"acknowledged_by": "alice", "acknowledged_until": NOW.steady + 60, "keep_acting": True},
    ],
)
def test_an_acknowledgement_that_ended_or_lets_the_engine_go_on_needs_the_token(store: SqliteStore, other: dict) -> None:
    assert _last_token(store, **other) is Ruling.DENY


@pytest.mark.parametrize("before", [{"rung": 1}, {"attempts": 1}])
def test_an_incident_that_had_an_attempt_leaves_the_last_token(store: SqliteStore, before: dict) -> None:
    spend(store, 4)
    live = {OTHER: incident(id="inc-mail", key=OTHER)}
    whole = question(store, situation=situation(incidents=live), incident=incident(**before))
    answer = RateLimit().assess(whole)
    assert answer.value == "4 of 5 repairs this hour; the last is kept for the first attempt of inc-mail"
    assert (answer.origin, answer.until) == ("zen.yaml:20:3", None)


def test_the_last_token_is_kept_whoever_is_in_need_behind_those_who_are_not(store: SqliteStore) -> None:
    spend(store, 4)
    done = incident(id="inc-a", key="a", attempts=1)
    live = {"a": done, KEY: incident(attempts=1), OTHER: incident(id="inc-mail", key=OTHER)}
    asked = question(store, request=request(attempt=2), situation=situation(incidents=live), incident=incident(attempts=1))
    assert RateLimit().assess(asked).value.endswith("the first attempt of inc-mail")


def test_an_incident_keeps_no_token_from_itself(store: SqliteStore) -> None:
    spend(store, 4)
    assert RateLimit().assess(question(store, request=request(attempt=2))).ruling is Ruling.ALLOW


def test_a_retry_with_two_tokens_left_takes_one(store: SqliteStore) -> None:
    spend(store, 3)
    live = {OTHER: incident(id="inc-mail", key=OTHER)}
    asked = question(store, request=request(attempt=2), situation=situation(incidents=live), incident=incident(attempts=1))
    assert RateLimit().assess(asked).ruling is Ruling.ALLOW


def test_a_second_attempt_by_hand_leaves_the_last_token_as_well(store: SqliteStore) -> None:
    spend(store, 4)
    live = {OTHER: incident(id="inc-mail", key=OTHER)}
    for attempt, reason in ((1, None), (2, Reason.RATE_LIMIT)):
        asked = question(store, request=by_alice(attempt=attempt), situation=situation(incidents=live))
        assert RateLimit().assess(asked).reason is reason


def test_a_person_passes_it_only_by_name(store: SqliteStore) -> None:
    spend(store, 5)
    assert assess(question(store, request=by_alice()), [RateLimit()]).reason is Reason.RATE_LIMIT
    assert assess(question(store, request=by_alice("rate_limit")), [RateLimit()]).ruling is Ruling.ALLOW


def test_who_is_shut_out_spends_no_token_and_keeps_none_from_those_behind(store: SqliteStore) -> None:
    spend(store, 4)
    attacker = incident(id="inc-from", key="ban|address:192.0.2.7", target="address:192.0.2.7")
    for behind, ruling in ({}, Ruling.ALLOW), ({OTHER: incident(id="inc-mail", key=OTHER)}, Ruling.DENY):
        live = situation(incidents={attacker.key: attacker, **behind})
        asked = question(store, request=request(attempt=2), situation=live, incident=incident(attempts=1))
        assert RateLimit().assess(asked).ruling is ruling
