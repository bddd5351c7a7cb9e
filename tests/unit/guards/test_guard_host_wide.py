"""Guards that look beyond the target: confirmation, foreign state, dependencies, the storm brake."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.guarding import NOW, by_alice, incident, policy, question, request, situation
from zen_agents.adapters.sqlite_store import SqliteStore
from zen_agents.guards.base import Limit, Policy, Situation
from zen_agents.guards.confirmation import Confirmation
from zen_agents.guards.dependency import Dependency
from zen_agents.guards.foreign_state import ForeignState
from zen_agents.guards.pipeline import assess
from zen_agents.guards.storm_brake import StormBrake, is_storm
from zen_agents.model.incident import IncidentState
from zen_agents.model.reason import Reason
from zen_agents.model.verdict import Answer, Ruling
from zen_agents.ports.store import Brake


def test_a_rule_about_the_present_needs_no_confirmation(store: SqliteStore) -> None:
    answer = Confirmation().assess(question(store))
    assert (answer.ruling, answer.value) == (Ruling.ALLOW, "the rule looks at the present state")


def test_a_log_line_alone_never_acts(store: SqliteStore) -> None:
    elsewhere = situation(present_problems=frozenset({"service:webmail"}))
    answer = Confirmation().assess(question(store, needs_confirmation=True, situation=elsewhere))
    assert (answer.reason, answer.value) == (Reason.UNCONFIRMED, "no present-state check of service:web is bad")


def test_a_present_problem_of_the_same_target_confirms_it(store: SqliteStore) -> None:
    confirmed = situation(present_problems=frozenset({"service:web"}))
    answer = Confirmation().assess(question(store, needs_confirmation=True, situation=confirmed))
    assert (answer.ruling, answer.value) == (Ruling.ALLOW, "a present-state check of service:web is bad too")


def test_a_person_needs_no_confirmation(store: SqliteStore) -> None:
    assert assess(question(store, request=by_alice(), needs_confirmation=True), [Confirmation()]).ruling is Ruling.ALLOW


def test_this_hosts_own_state_is_allowed(store: SqliteStore) -> None:
    answer = ForeignState().assess(question(store))
    assert (answer.ruling, answer.value) == (Ruling.ALLOW, "this host's own")


def test_state_of_another_machine_only_observes(store: SqliteStore) -> None:
    answer = ForeignState().assess(question(store, situation=situation(foreign="the machine id differs")))
    assert (answer.reason, answer.value) == (Reason.FOREIGN_STATE, "the machine id differs")


def test_a_host_that_was_set_to_observe_only_observes(store: SqliteStore) -> None:
    store.set_brake(Brake("observe_only", "host", "restored", "engine", NOW, NOW.steady + 60))
    answer = ForeignState().assess(question(store))
    assert (answer.reason, answer.until) == (Reason.FOREIGN_STATE, NOW.steady + 60)
    assert answer.value == "host by engine: restored (1m left)"


DATABASE = "system_health.database|service:database"
#: Where the service of the question says what it depends on.
WRITTEN = {"agents.system_health.services.web.depends_on": "zen.yaml:80:9"}


@pytest.mark.parametrize("state", [state for state in IncidentState if state is not IncidentState.RESOLVED])
def test_what_depends_on_a_sick_thing_waits(store: SqliteStore, state: IncidentState) -> None:
    sick = situation(incidents={DATABASE: incident(id="inc-db", key=DATABASE, state=state)})
    asked = question(store, depends_on=frozenset({DATABASE}), situation=sick, policy=policy(origins=WRITTEN))
    said = f"{DATABASE} is {state.value} (inc-db)"
    assert Dependency().assess(asked) == Answer("dependency", Ruling.DENY, Reason.DEPENDENCY_DOWN, said, "zen.yaml:80:9")


@pytest.mark.parametrize(
    ("fingerprint", "ruling"), [("", Ruling.DENY), ("100640:0:0", Ruling.ALLOW)], ids=["missing", "there, and wrong"]
)
def test_what_needs_a_path_waits_only_while_it_is_missing(store: SqliteStore, fingerprint: str, ruling: Ruling) -> None:
    key = "system_health.cert|path:cert"
    sick = situation(incidents={key: incident(id="inc-cert", key=key, target="path:cert", fingerprint=fingerprint)})
    answer = Dependency().assess(question(store, depends_on=frozenset({key}), situation=sick))
    assert answer.ruling is ruling


@pytest.mark.parametrize(
    ("depends_on", "said"),
    [(frozenset(), "none"), (frozenset({DATABASE}), "1 of 1 fine"), (frozenset({DATABASE, "a|service:a"}), "2 of 2 fine")],
)
def test_what_depends_on_nothing_sick_does_not_wait(store: SqliteStore, depends_on: frozenset[str], said: str) -> None:
    well = situation(incidents={DATABASE: incident(key=DATABASE, state=IncidentState.RESOLVED)})
    answer = Dependency().assess(question(store, depends_on=depends_on, situation=well, policy=policy(origins=WRITTEN)))
    assert answer == Answer("dependency", Ruling.ALLOW, None, said, "zen.yaml:80:9")


@pytest.mark.parametrize(
    ("target", "origin"), [("service:a:b", "zen.yaml:81:9"), ("service:web", ""), ("path:a:b", ""), ("a:b", "")]
)
def test_only_a_services_own_line_says_what_it_depends_on(store: SqliteStore, target: str, origin: str) -> None:
    written = policy(origins={"agents.system_health.services.a:b.depends_on": "zen.yaml:81:9"})
    assert Dependency().assess(question(store, request=request(target=target), policy=written)).origin == origin


def test_how_a_dependency_is_known_is_said_where_the_configuration_does_not_say_it(store: SqliteStore) -> None:
    sick = situation(incidents={DATABASE: incident(id="inc-db", key=DATABASE)})
    asked = question(
        store, depends_on=frozenset({DATABASE}), known_by={DATABASE: "Requires= of web.service"}, situation=sick
    )
    assert Dependency().assess(asked).value == f"{DATABASE} is open (inc-db): Requires= of web.service"


def test_one_sick_thing_among_several_is_enough(store: SqliteStore) -> None:
    live = {"a|service:a": incident(state=IncidentState.RESOLVED), DATABASE: incident(id="inc-db", key=DATABASE)}
    needed = frozenset({"a|service:a", "0|service:0", DATABASE, "z|service:z"})
    answer = Dependency().assess(question(store, depends_on=needed, situation=situation(incidents=live)))
    assert answer.value == f"{DATABASE} is open (inc-db)"


@pytest.mark.parametrize(
    ("failing", "actionable", "storm"),
    [(1, 1, False), (2, 2, False), (2, 4, False), (3, 3, True), (3, 6, False), (4, 6, True), (10, 1000, False),
     (11, 1000, True), (3, 0, True), (0, 0, False)],
)  # fmt: skip
def test_a_storm_is_too_many_or_too_large_a_share(store: SqliteStore, failing: int, actionable: int, storm: bool) -> None:
    counted = situation(failing_targets=failing, actionable_targets=actionable)
    written = policy(origins={"breakers.storm": "zen.yaml:32:3"})
    answer = StormBrake().assess(question(store, situation=counted, policy=written))
    assert (answer.ruling, answer.reason) == ((Ruling.DENY, Reason.STORM_BRAKE) if storm else (Ruling.ALLOW, None))
    assert (answer.until, answer.origin) == (NOW.steady + 600 if storm else None, "zen.yaml:32:3")
    assert answer.value == f"{failing} of {actionable} targets failed within 5m"


def test_it_stays_until_it_has_been_calm_for_long_enough(store: SqliteStore) -> None:
    store.set_brake(Brake("storm", "host", "12 of 20 targets", "engine", NOW, NOW.steady + 600))
    answer = StormBrake().assess(question(store, policy=policy(origins={"breakers.storm": "zen.yaml:32:3"})))
    assert (answer.reason, answer.until) == (Reason.STORM_BRAKE, NOW.steady + 600)
    assert (answer.value, answer.origin) == ("host by engine: 12 of 20 targets (10m left)", "zen.yaml:32:3")
    assert StormBrake().assess(question(store, now=NOW.after(600))).ruling is Ruling.ALLOW


def test_whatever_fails_where_nothing_can_be_acted_on_is_a_storm(store: SqliteStore) -> None:
    sensitive = policy(storm_share=1.0, storm_share_from=1)
    one_of_none = situation(failing_targets=1, actionable_targets=0)
    assert StormBrake().assess(question(store, situation=one_of_none, policy=sensitive)).reason is Reason.STORM_BRAKE


@given(failing=st.integers(0, 50), more=st.integers(0, 50), actionable=st.integers(0, 100), most=st.integers(0, 20))
def test_more_failures_never_calm_a_storm(failing: int, more: int, actionable: int, most: int) -> None:
    rule = Policy(storm=Limit(most, 300.0, 600.0))
    fewer, many = (Situation({}, count, actionable, 0) for count in (failing, failing + more))
    assert is_storm(many, rule) or not is_storm(fewer, rule)


def test_a_person_passes_a_storm_by_name_alone(store: SqliteStore) -> None:
    stormy = {"situation": situation(failing_targets=15), "policy": policy()}
    assert assess(question(store, request=by_alice(), **stormy), [StormBrake()]).reason is Reason.STORM_BRAKE
    assert assess(question(store, request=by_alice("storm_brake"), **stormy), [StormBrake()]).ruling is Ruling.ALLOW
