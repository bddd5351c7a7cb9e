from __future__ import annotations

from dataclasses import replace

import pytest

from tests.support.guarding import NOW, by_alice, incident, policy, question, ran, request
from zen_agents.adapters.sqlite_store import SqliteStore
from zen_agents.guards.base import Limit
from zen_agents.guards.breaker import Breaker
from zen_agents.guards.pipeline import assess
from zen_agents.guards.recurrence import RIVAL, Recurrence
from zen_agents.model.reason import Reason
from zen_agents.model.verdict import Ruling
from zen_agents.ports.store import Brake, BreakerRow

NAME = "restart_service|service:web"


def row(state: str, *, opened_ago: float | None = None, failed_ago: tuple[float, ...] = ()) -> BreakerRow:
    opened = None if opened_ago is None else NOW.steady - opened_ago
    return BreakerRow(NAME, state, len(failed_ago), 0, opened, tuple(NOW.steady - ago for ago in failed_ago))


def test_without_failures_it_is_closed(store: SqliteStore) -> None:
    assert Breaker().assess(question(store)).value == "closed (0 of 4 failures in 1h)"


def test_failures_within_the_window_are_counted(store: SqliteStore) -> None:
    store.save_breaker(row("closed", failed_ago=(4000, 3600, 3599, 10)))
    assert Breaker().assess(question(store)).value == "closed (2 of 4 failures in 1h)"


def test_an_open_breaker_refuses_until_one_trial_is_due(store: SqliteStore) -> None:
    store.save_breaker(row("open", opened_ago=600, failed_ago=(900, 800, 700, 600)))
    answer = Breaker().assess(question(store))
    assert (answer.reason, answer.until) == (Reason.BREAKER_OPEN, NOW.steady + 1200)
    assert answer.value == "open (4 of 4 failures in 1h), 20m left"
    trial = Breaker().assess(question(store, now=NOW.after(1200)))
    assert (trial.ruling, trial.value) == (Ruling.ALLOW, "open (4 of 4 failures in 1h), one trial is due")


def test_a_half_open_breaker_lets_its_trial_through(store: SqliteStore) -> None:
    store.save_breaker(row("half-open", opened_ago=2000))
    assert Breaker().assess(question(store)).ruling is Ruling.ALLOW


def test_another_actions_breaker_does_not_matter(store: SqliteStore) -> None:
    store.save_breaker(BreakerRow("restart_service|service:mail", "open", 4, 0, NOW.steady))
    assert Breaker().assess(question(store)).ruling is Ruling.ALLOW


def test_open_since_nobody_knows_when_stays_open(store: SqliteStore) -> None:
    store.save_breaker(row("open"))
    answer = Breaker().assess(question(store))
    assert (answer.reason, answer.value) == (Reason.BREAKER_OPEN, "open (0 of 4 failures in 1h), since nobody knows when")


class OddStore:
    def breaker(self, name: str) -> BreakerRow:
        return row("ajar")


def test_a_state_nobody_knows_refuses_everyone() -> None:
    for asked in (None, by_alice("breaker")):
        assert assess(question(OddStore(), request=asked), [Breaker()]).reason is Reason.GUARD_ERROR


@pytest.mark.parametrize("word", ["breaker", "breaker_open"])
def test_a_person_passes_it_by_its_name_or_by_the_reason_it_gives(store: SqliteStore, word: str) -> None:
    store.save_breaker(row("open", opened_ago=0))
    assert assess(question(store, request=by_alice()), [Breaker()]).reason is Reason.BREAKER_OPEN
    assert assess(question(store, request=by_alice(word)), [Breaker()]).ruling is Ruling.ALLOW


def repaired(store: SqliteStore, *ago: float) -> None:
    for seconds in ago:
        ran(store, ago=seconds, asked=replace(request(), rule=incident().rule))


def test_a_fault_that_came_back_twice_is_still_repaired(store: SqliteStore) -> None:
    repaired(store, 9000, 100)
    assert Recurrence().assess(question(store)).value == "2 of 3 repairs in 4h"


def test_a_fault_that_keeps_coming_back_is_not_repaired_again(store: SqliteStore) -> None:
    repaired(store, 9000, 5000, 100)
    answer = Recurrence().assess(question(store))
    assert (answer.reason, answer.value) == (Reason.RECURRENCE, "3 of 3 repairs in 4h")


def test_what_somebody_else_undoes_is_left_for_as_long_as_the_brake_says_and_a_person_may(store: SqliteStore) -> None:
    until = NOW.steady + 600
    store.set_brake(Brake(RIVAL, "target:service:web", "somebody else undid act-1", "engine", NOW, until))
    answer = Recurrence().assess(question(store))
    assert (answer.ruling, answer.reason, answer.until) == (Ruling.DENY, Reason.RECURRENCE, until)
    assert answer.value == "target:service:web by engine: somebody else undid act-1 (10m left)"
    assert Recurrence().assess(question(store, incident=None)).ruling is Ruling.ALLOW
    assert Recurrence().assess(question(store, now=NOW.after(600))).ruling is Ruling.ALLOW
    store.lift_brake(RIVAL, "target:service:web")
    store.set_brake(Brake(RIVAL, "target:service:db", "", "engine", NOW, until))
    assert Recurrence().assess(question(store)).ruling is Ruling.ALLOW


def test_without_a_calm_that_arms_it_again_it_stays(store: SqliteStore) -> None:
    repaired(store, 14000, 13000, 7300)
    for calm in (0.0, -1.0):
        strict = policy(recurrence=Limit(3, 14400.0, calm))
        assert Recurrence().assess(question(store, policy=strict)).reason is Reason.RECURRENCE
    a_second = policy(recurrence=Limit(3, 14400.0, 1.0))
    assert Recurrence().assess(question(store, policy=a_second)).ruling is Ruling.ALLOW


@pytest.mark.parametrize("ago", [(), (14000, 13000, 7300), (9000, 5000, 100)], ids=["few", "a long calm", "too often"])
def test_every_answer_about_a_recurring_fault_says_where_its_limit_is_written(store: SqliteStore, ago: tuple) -> None:
    repaired(store, *ago)
    written = policy(origins={"breakers.recurrence": "zen.yaml:31:3"})
    assert Recurrence().assess(question(store, policy=written)).origin == "zen.yaml:31:3"
    store.set_brake(Brake(RIVAL, "target:service:web", "somebody else undid act-1", "engine", NOW, NOW.steady + 600))
    assert Recurrence().assess(question(store, policy=written)).origin == "zen.yaml:31:3"


def test_it_arms_again_after_a_long_calm(store: SqliteStore) -> None:
    repaired(store, 14000, 13000, 7300)
    assert Recurrence().assess(question(store)).value == "3 of 3 repairs in 4h, none for 2h"
    repaired(store, 14000, 13000, 7100)
    assert Recurrence().assess(question(store)).reason is Reason.RECURRENCE


def test_an_act_by_hand_belongs_to_no_fault(store: SqliteStore) -> None:
    repaired(store, 300, 200, 100)
    assert Recurrence().assess(question(store, request=by_alice())).value == "asked for by hand"


@pytest.mark.parametrize(
    "kept",
    [
        None,
        row("closed", failed_ago=(10,)),
        row("open"),
        row("open", opened_ago=600),
        row("open", opened_ago=4000),
    ],
    ids=["never failed", "closed", "open since nobody knows when", "open", "a trial is due"],
)
def test_every_answer_says_where_its_limit_is_written(store: SqliteStore, kept: BreakerRow | None) -> None:
    if kept is not None:
        store.save_breaker(kept)
    written = policy(origins={"breakers.failures": "zen.yaml:30:3"})
    assert Breaker().assess(question(store, policy=written)).origin == "zen.yaml:30:3"


def test_a_state_that_no_breaker_has_is_told(store: SqliteStore) -> None:
    store.save_breaker(row("ajar"))
    verdict = assess(question(store), [Breaker()])
    assert verdict.answers[0].value == "ValueError: unknown breaker state 'ajar'"
