from __future__ import annotations

from tests.support.guarding import NOW, by_alice, question, ran, request
from zen_agents.adapters.sqlite_store import SqliteStore
from zen_agents.guards.lease import Lease
from zen_agents.guards.pipeline import assess
from zen_agents.model.action import OutcomeKind
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


def test_another_target_is_free(store: SqliteStore) -> None:
    ran(store, ago=10, kind=None, asked=request(target="service:mail"))
    assert Lease().assess(question(store)).ruling is Ruling.ALLOW


def test_a_person_waits_for_it_too(store: SqliteStore) -> None:
    ran(store, ago=10, kind=None)
    assert assess(question(store, request=by_alice("lease", "lease_held")), [Lease()]).reason is Reason.LEASE_HELD
