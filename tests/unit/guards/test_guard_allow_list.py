from __future__ import annotations

from dataclasses import replace

import pytest

from tests.support.guarding import ALICE, CalmHost, by_alice, plan, policy, question, request, unit
from zen_agents.actions.base import ActionPolicy
from zen_agents.adapters.sqlite_store import SqliteStore
from zen_agents.guards.allow_list import AllowList
from zen_agents.guards.pipeline import assess
from zen_agents.model.action import Plan
from zen_agents.model.reason import Reason
from zen_agents.model.verdict import Ruling


class OnlyMyUnits(ActionPolicy):
    def permits(self, plan: Plan) -> str:
        outside = [touched.name for touched in plan.touches if not touched.name.startswith("my-")]
        return f"{outside[0]} is not among units" if outside else ""


def test_allows_what_is_listed_and_declared(store: SqliteStore) -> None:
    answer = AllowList().assess(question(store))
    assert (answer.ruling, answer.value, answer.origin) == (Ruling.ALLOW, "service:web listed", "zen.yaml:9:5")


def test_an_action_that_is_not_listed_is_refused(store: SqliteStore) -> None:
    answer = AllowList().assess(question(store, policy=policy(allowed={})))
    assert (answer.reason, answer.value) == (Reason.NOT_ALLOWED, "restart_service is not listed")


@pytest.mark.parametrize("written", ["actions.allow", "actions"])
def test_what_is_not_listed_is_to_be_listed_where_the_others_are(store: SqliteStore, written: str) -> None:
    bare = policy(allowed={}, origins={written: "zen.yaml:8:3"})
    assert AllowList().assess(question(store, policy=bare)).origin == "zen.yaml:8:3"


def test_an_action_without_a_name_is_not_listed(store: SqliteStore) -> None:
    answer = AllowList().assess(question(store, request=request(action=" ")))
    assert (answer.reason, answer.value) == (Reason.NOT_ALLOWED, "an action without a name is not listed")


def test_a_target_that_the_configuration_does_not_name_is_out_of_scope(store: SqliteStore) -> None:
    asked = request(target="service:database")
    answer = AllowList().assess(question(store, request=asked, plan=plan(asked)))
    assert (answer.reason, answer.origin) == (Reason.OUT_OF_SCOPE, "zen.yaml:9:5")
    assert answer.value == "service:database is not declared for restart_service"


def test_what_the_policy_of_the_action_does_not_permit_is_out_of_scope(store: SqliteStore) -> None:
    answer = AllowList().assess(question(store, policy=policy(allowed={"restart_service": OnlyMyUnits()})))
    assert (answer.reason, answer.origin) == (Reason.OUT_OF_SCOPE, "zen.yaml:9:5")
    assert answer.value == "web.service is not among units"


@pytest.mark.parametrize(
    "target",
    [
        "",
        " ",
        "*",
        "web",
        "service:",
        "service:*",
        "service: ",
        "service: all ",
        ":web",
        ":web:x",
        " :web",
        "service:all",
        "service:None",
    ],
)
def test_an_empty_target_never_means_all(store: SqliteStore, target: str) -> None:
    asked = request(target=target)
    everything = policy(declared=frozenset({("restart_service", target)}))
    answer = AllowList().assess(question(store, request=asked, plan=plan(asked), policy=everything))
    assert (answer.reason, answer.origin) == (Reason.NO_TARGET, "zen.yaml:9:5")
    assert answer.value == f"target {target.strip()!r}"


def test_the_host_itself_is_a_target_that_is_named(store: SqliteStore) -> None:
    asked = request(target="host")
    declared = policy(declared=frozenset({("restart_service", "host")}))
    answer = AllowList().assess(question(store, request=asked, plan=plan(asked), policy=declared))
    assert (answer.ruling, answer.value) == (Ruling.ALLOW, "host listed")


def test_a_plan_that_touches_nothing_cannot_be_judged(store: SqliteStore) -> None:
    answer = AllowList().assess(question(store, plan=replace(plan(), touches=())))
    assert (answer.reason, answer.value) == (Reason.NO_TARGET, "the plan does not say what it touches")


def test_a_touched_thing_without_a_name_cannot_be_judged(store: SqliteStore) -> None:
    answer = AllowList().assess(question(store, plan=plan(None, "unit:web.service", "path: ")))
    assert (answer.reason, answer.value) == (Reason.NO_TARGET, "a path without a name")


def test_a_plan_for_something_else_does_not_count(store: SqliteStore) -> None:
    for other in (request(target="service:database"), request(action="stop_service")):
        answer = AllowList().assess(question(store, plan=plan(other)))
        assert (answer.reason, answer.value) == (Reason.NO_TARGET, "the plan was made for another request")


@pytest.mark.parametrize("units", [{}, {"web.service": unit(load_state="not-found")}])
def test_a_unit_that_systemd_does_not_know_is_no_target(store: SqliteStore, units: dict) -> None:
    answer = AllowList().assess(question(store, host=CalmHost(units=units)))
    assert (answer.reason, answer.value) == (Reason.NO_TARGET, "systemd does not know web.service")


def test_a_systemd_that_does_not_answer_is_a_refusal(store: SqliteStore) -> None:
    verdict = assess(question(store, host=CalmHost(mute=frozenset({"unit"}))), [AllowList()])
    assert (verdict.reason, verdict.answers[0].value) == (Reason.GUARD_ERROR, "HostError: unit cannot be told")


def test_no_person_passes_it(store: SqliteStore) -> None:
    asked = question(store, request=by_alice("allow_list", "not_allowed"), policy=policy(allowed={}))
    assert asked.request.requested_by is ALICE
    assert assess(asked, [AllowList()]).reason is Reason.NOT_ALLOWED
