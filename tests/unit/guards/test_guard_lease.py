from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

import pytest

from tests.support.guarding import NOW, by_alice, plan, question, ran, request
from zen_agents.adapters.sqlite_store import SqliteStore
from zen_agents.guards.lease import Lease
from zen_agents.guards.pipeline import assess
from zen_agents.model.action import Intent, OutcomeKind
from zen_agents.model.reason import Reason
from zen_agents.model.verdict import Ruling


def test_a_free_target_is_allowed(store: SqliteStore) -> None:
    ran(store, ago=10)
    assert Lease().assess(question(store)).value == "free"


def test_a_held_target_is_refused_with_its_holder(store: SqliteStore) -> None:
    holder = ran(store, ago=10, kind=None, lease=60)
    answer = Lease().assess(question(store))
    assert (answer.reason, answer.until) == (Reason.LEASE_HELD, NOW.steady + 50)
    assert answer.value == f"held by {holder}, 50s left at most"


def test_an_action_that_was_never_judged_holds_its_target_beyond_the_lease(store: SqliteStore) -> None:
    left = ran(store, ago=100, kind=None, lease=60)
    answer = Lease().assess(question(store))
    assert (answer.reason, answer.value) == (Reason.DUPLICATE, f"{left} (restart_service) is running")


def test_an_action_that_is_verified_holds_its_target(store: SqliteStore) -> None:
    ran(store, ago=100, kind=OutcomeKind.VERIFYING, lease=60)
    assert Lease().assess(question(store)).reason is Reason.DUPLICATE


def under_way(store: SqliteStore, *touched: str) -> None:
    """Have an action on mail run that touches these."""
    asked = request(target="service:mail")
    store.reserve(Intent("act-mail", plan(asked, *touched), NOW.after(-10.0), NOW.steady + 50.0), hourly_limit=5)


def test_another_target_is_free(store: SqliteStore) -> None:
    under_way(store, "unit:mail.service")
    assert Lease().assess(question(store)).ruling is Ruling.ALLOW


@pytest.mark.parametrize(
    ("held", "wanted"),
    [
        ("unit:web.service", "unit:web.service"), ("path:/srv/app", "path:/srv/app/cache"),
        ("path:/srv/app/cache", "path:/srv/app"), ("path:/", "path:/srv"), ("path:/srv", "path:/"),
    ],
)  # fmt: skip
def test_one_thing_under_two_names_is_touched_once(store: SqliteStore, held: str, wanted: str) -> None:
    under_way(store, held)
    answer = Lease().assess(question(store, plan=plan(None, wanted)))
    assert answer.reason is Reason.LEASE_HELD
    assert answer.value.endswith(f"touches {wanted.partition(':')[2]} too")


@pytest.mark.parametrize(
    ("held", "wanted"), [("/srv/app", "/srv/app2"), ("/srv/X", "/srv/other"), ("/srv/other", "/srv/X"), ("/a b", "/a")]
)
def test_a_path_beside_another_is_free(store: SqliteStore, held: str, wanted: str) -> None:
    under_way(store, f"path:{held}")
    assert Lease().assess(question(store, plan=plan(None, f"path:{wanted}"))).ruling is Ruling.ALLOW


def test_a_person_waits_for_it_too(store: SqliteStore) -> None:
    ran(store, ago=10, kind=None)
    assert assess(question(store, request=by_alice("lease", "lease_held")), [Lease()]).reason is Reason.LEASE_HELD


def test_a_lease_ends_at_its_moment(store: SqliteStore) -> None:
    ran(store, ago=60, kind=None, lease=60)
    assert Lease().assess(question(store)).reason is Reason.DUPLICATE


def test_what_is_touched_is_more_than_its_name(store: SqliteStore) -> None:
    under_way(store, "service:web.service", "unit:/srv/app")
    assert Lease().assess(question(store)).ruling is Ruling.ALLOW
    assert Lease().assess(question(store, plan=plan(None, "path:/srv/app"))).ruling is Ruling.ALLOW
    assert Lease().assess(question(store, plan=plan(None, "unit:/srv/app/x"))).ruling is Ruling.ALLOW


def test_whatever_of_several_things_is_shared_is_told(store: SqliteStore) -> None:
    under_way(store, "unit:mail.service", "path:/srv/mail", "unit:web.service")
    answer = Lease().assess(question(store, plan=plan(None, "path:/srv/web", "unit:web.service")))
    said = "act-mail (restart_service service:mail) is running and touches web.service too"
    assert (answer.reason, answer.value) == (Reason.LEASE_HELD, said)


def test_an_unfinished_action_of_which_nobody_knows_what_it_touches_refuses(store: SqliteStore, tmp_path: Path) -> None:
    under_way(store, "unit:mail.service")
    with contextlib.closing(sqlite3.connect(tmp_path / "state.db", isolation_level=None)) as damaged:
        damaged.execute("UPDATE actions SET plan = '{}'")
    assert assess(question(store), [Lease()]).reason is Reason.GUARD_ERROR
