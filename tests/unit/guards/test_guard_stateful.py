from __future__ import annotations

from dataclasses import replace

import pytest

from tests.support.guarding import CalmHost, by_alice, plan, policy, process, question, request, unit
from zen_agents.adapters.sqlite_store import SqliteStore
from zen_agents.guards.pipeline import assess
from zen_agents.guards.stateful import Stateful
from zen_agents.model.reason import Reason
from zen_agents.model.verdict import Answer, Ruling


def _unit(store: SqliteStore, name: str, allowed: frozenset[str] = frozenset(), **changes):
    host = CalmHost(units={name: unit(name, **changes)})
    return question(store, plan=plan(None, f"unit:{name}"), host=host, policy=policy(stateful_allowed=allowed))


def test_allows_what_holds_nothing(store: SqliteStore) -> None:
    written = policy(origins={"protected.stateful_units": "zen.yaml:90:3"})
    answer = Stateful().assess(question(store, policy=written))
    assert answer == Answer("stateful", Ruling.ALLOW, None, "nothing stateful is touched", "zen.yaml:90:3")
    assert Stateful().assess(question(store)).origin == ""


@pytest.mark.parametrize(
    "name",
    ["postgresql@15-main.service", "mariadb.service", "redis-server.service", "rabbitmq-server.service", "MySQL.service",
     "nfs-server.service", "docker.service", "ceph-osd@3.service", "etcd.service"],
)  # fmt: skip
def test_databases_brokers_and_storage_are_refused(store: SqliteStore, name: str) -> None:
    answer = Stateful().assess(_unit(store, name))
    assert (answer.reason, answer.origin) == (Reason.STATEFUL, "zen.yaml:9:5")
    assert answer.value == f"{name} is stateful and not allowed by name with approval: auto"


def test_the_hosts_own_file_allows_one_by_name(store: SqliteStore) -> None:
    answer = Stateful().assess(_unit(store, "mariadb.service", frozenset({"mariadb.service"})))
    assert (answer.ruling, answer.value, answer.origin) == (Ruling.ALLOW, "allowed by name", "zen.yaml:9:5")
    by_service = Stateful().assess(_unit(store, "mariadb.service", frozenset({"mariadb"})))
    assert by_service.reason is Reason.STATEFUL


def test_where_the_approval_is_written_is_told_before_where_the_action_is(store: SqliteStore) -> None:
    written = {"actions.allow.restart_service": "zen.yaml:9:5", "actions.allow.restart_service.approval": "zen.yaml:10:7"}
    own = policy(stateful_units=frozenset({"web.service"}), origins=written)
    assert Stateful().assess(question(store, policy=own)).origin == "zen.yaml:10:7"


def test_another_name_than_the_allowed_one_is_refused(store: SqliteStore) -> None:
    allowed = frozenset({"mariadb.service", "mysql*", "*"})
    assert Stateful().assess(_unit(store, "mysql.service", allowed)).reason is Reason.STATEFUL


@pytest.mark.parametrize(
    "state",
    [{"active_state": "deactivating"}, {"active_state": "activating"}, {"active_state": "maintenance"}, {"busy": True}],
)
def test_an_allowed_one_that_still_recovers_is_waited_for(store: SqliteStore, state: dict) -> None:
    answer = Stateful().assess(_unit(store, "mariadb.service", frozenset({"mariadb.service"}), **state))
    assert answer.reason is Reason.STATEFUL
    said = state.get("active_state", "active")
    assert answer.value == f"mariadb.service is {said} (running), which is waited for"


def test_the_list_is_extended_by_the_configuration(store: SqliteStore) -> None:
    for name in ("web.service", "Web", "w*.service"):
        own = policy(stateful_units=frozenset({name}))
        assert Stateful().assess(question(store, policy=own)).reason is Reason.STATEFUL
    other = policy(stateful_units=frozenset({"web2.service"}))
    assert Stateful().assess(question(store, policy=other)).ruling is Ruling.ALLOW


def test_what_is_taken_along_counts(store: SqliteStore) -> None:
    host = CalmHost(units={"web.service": unit(takes_along=("mariadb.service",))})
    assert Stateful().assess(question(store, host=host)).reason is Reason.STATEFUL


def test_a_process_counts_by_its_name(store: SqliteStore) -> None:
    host = CalmHost(table={4242: process(4242, "mongod")})
    named = plan(None, "service:web", "process:4242:9")
    assert Stateful().assess(question(store, plan=named, host=host)).reason is Reason.STATEFUL


@pytest.mark.parametrize("allowed", ["service:web", "web", "mongod"])
def test_a_process_is_allowed_by_the_service_it_is(store: SqliteStore, allowed: str) -> None:
    host = CalmHost(table={4242: process(4242, "mongod")})
    asked = question(
        store,
        plan=plan(None, "service:web", "process:4242:9"),
        host=host,
        policy=policy(stateful_allowed=frozenset({allowed})),
    )
    assert Stateful().assess(asked).ruling is Ruling.ALLOW


def test_a_service_counts_by_its_name_while_it_is_down(store: SqliteStore) -> None:
    asked = request(target="service:redis")
    whole = question(store, plan=plan(asked, "service:redis"))
    assert Stateful().assess(whole).reason is Reason.STATEFUL
    for name in ("redis", "redis.service"):
        allowed = replace(whole, policy=policy(stateful_allowed=frozenset({name})))
        assert Stateful().assess(allowed).ruling is Ruling.ALLOW


def test_one_that_is_not_allowed_behind_one_that_is_refuses(store: SqliteStore) -> None:
    units = {name: unit(name) for name in ("mariadb.service", "web.service", "etcd.service")}
    asked = question(
        store,
        plan=plan(None, *(f"unit:{name}" for name in units)),
        host=CalmHost(units=units),
        policy=policy(stateful_allowed=frozenset({"mariadb.service"})),
    )
    assert Stateful().assess(asked).value.startswith("etcd.service is stateful and not allowed")


def test_the_service_of_another_process_allows_no_process(store: SqliteStore) -> None:
    host = CalmHost(table={4242: process(4242, "mongod")})
    asked = question(
        store,
        plan=plan(None, "process:4242:9", "path:/var/lib/mysql/x"),
        host=host,
        policy=policy(stateful_allowed=frozenset({"service:web"})),
    )
    assert Stateful().assess(asked).value.startswith("/var/lib/mysql/x is stateful and not allowed")


@pytest.mark.parametrize(
    ("path", "ruling"),
    [
        ("/var/lib/mysql/ibdata1", Ruling.DENY),
        ("/var/lib/postgresql", Ruling.DENY),
        ("/var/lib/mysqlx", Ruling.ALLOW),
        ("/var/log/mysql/error.log", Ruling.ALLOW),
    ],
)
def test_their_data_directories_are_left_alone(store: SqliteStore, path: str, ruling: Ruling) -> None:
    assert Stateful().assess(question(store, plan=plan(None, f"path:{path}"))).ruling is ruling


def test_a_unit_that_cannot_be_told_is_refused(store: SqliteStore) -> None:
    assert assess(question(store, host=CalmHost(units={})), [Stateful()]).reason is Reason.GUARD_ERROR


def test_a_person_passes_it_only_by_name(store: SqliteStore) -> None:
    host = CalmHost(units={"web.service": unit("mariadb.service")})
    assert assess(question(store, request=by_alice(), host=host), [Stateful()]).reason is Reason.STATEFUL
    assert assess(question(store, request=by_alice("stateful"), host=host), [Stateful()]).ruling is Ruling.ALLOW
