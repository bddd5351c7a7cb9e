from __future__ import annotations

import pytest

from tests.support.guarding import NOW, by_alice, incident, plan, policy, question, ran, request, situation
from zen_agents.actions.base import ActionPolicy
from zen_agents.adapters.sqlite_store import SqliteStore
from zen_agents.guards.base import Limit
from zen_agents.guards.pipeline import assess
from zen_agents.guards.rate_limit import RateLimit
from zen_agents.model.action import Budget
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
    assert answer.origin == "zen.yaml:20:3"


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


@pytest.mark.parametrize("budget", Budget)
def test_zero_repairs_means_never_act_not_even_to_clean(store: SqliteStore, budget: Budget) -> None:
    asked = question(store, plan=plan(budget=budget), policy=policy(repairs=Limit(0, 3600.0)))
    assert RateLimit().assess(asked).value == "0 repairs an hour means never"


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
    asked = question(store, plan=plan(budget=Budget.HOUSEKEEPING), policy=policy(**limits))
    assert RateLimit().assess(asked).reason is Reason.RATE_LIMIT


def test_a_target_has_a_limit_of_its_own(store: SqliteStore) -> None:
    for number in range(4):
        ran(store, ago=1000.0 - number)
    answer = RateLimit().assess(question(store))
    assert (answer.value, answer.until) == ("4 of 4 for this target", NOW.steady + 2600)


def test_an_action_has_a_limit_of_its_own(store: SqliteStore) -> None:
    spend(store, 2)
    rare = policy(allowed={"restart_service": ActionPolicy(max_per_hour=2)})
    answer = RateLimit().assess(question(store, policy=rare))
    assert (answer.value, answer.origin) == ("2 of 2 restart_service", "zen.yaml:9:5")


def test_one_action_at_a_time(store: SqliteStore) -> None:
    assert RateLimit().assess(question(store, situation=situation(running=1))).value == "1 of 1 running"


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
        {"acknowledged_by": "alice", "acknowledged_until": NOW.steady - 1},
        {"acknowledged_by": "alice", "acknowledged_until": NOW.steady + 60, "keep_acting": True},
    ],
)
def test_an_acknowledgement_that_ended_or_lets_the_engine_go_on_needs_the_token(store: SqliteStore, other: dict) -> None:
    assert _last_token(store, **other) is Ruling.DENY


def test_the_next_rung_is_no_first_attempt(store: SqliteStore) -> None:
    spend(store, 4)
    live = {OTHER: incident(id="inc-mail", key=OTHER)}
    whole = question(store, situation=situation(incidents=live), incident=incident(rung=1))
    assert "the last is kept for the first attempt of inc-mail" in RateLimit().assess(whole).value


def test_a_person_passes_it_only_by_name(store: SqliteStore) -> None:
    spend(store, 5)
    assert assess(question(store, request=by_alice()), [RateLimit()]).reason is Reason.RATE_LIMIT
    assert assess(question(store, request=by_alice("rate_limit")), [RateLimit()]).ruling is Ruling.ALLOW
