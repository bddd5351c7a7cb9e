"""What must hold whatever the guards say: the most restrictive wins, and what goes wrong is a no."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.guarding import (
    ALICE,
    KEY,
    NOW,
    CalmHost,
    Flag,
    by_alice,
    incident,
    plan,
    policy,
    process,
    question,
    ran,
    request,
    situation,
    unit,
)
from zen_agents.actions.base import ActionPolicy
from zen_agents.adapters.sqlite_store import SqliteStore
from zen_agents.catalog import GUARDS
from zen_agents.clock import Instant
from zen_agents.guards.base import Guard, Limit, MaintenanceWindow, Question
from zen_agents.guards.pipeline import NEVER_PASSED, assess
from zen_agents.guards.wording import one_line, span
from zen_agents.model.reason import Reason
from zen_agents.model.verdict import Answer, Ruling, Verdict
from zen_agents.ports.store import Brake, BreakerRow

ORDER = [
    "emergency_stop",
    "safe_mode",
    "pause",
    "maintenance",
    "mode",
    "auto_mitigate",
    "allow_list",
    "protected",
    "ownership",
    "stateful",
    "stopped_by_person",
    "confirmation",
    "foreign_state",
    "dependency",
    "storm_brake",
    "lease",
    "cooldown",
    "rate_limit",
    "breaker",
    "recurrence",
    "approval",
    "dry_run",
]


@contextmanager
def fresh_store() -> Iterator[SqliteStore]:
    """A real state of its own for each example."""
    with tempfile.TemporaryDirectory() as directory:
        store = SqliteStore(Path(directory) / "state.db")
        try:
            yield store
        finally:
            store.close()


class Says(Guard):
    """A guard that answers what it was made with, or raises it."""

    name = "says"
    why = "It is a test."

    def __init__(self, said: Ruling | Exception, *, name: str = "says") -> None:
        self.said = said
        self.name = name  # type: ignore[misc]

    def assess(self, question: Question) -> Answer:
        if isinstance(self.said, Exception):
            raise self.said
        return Answer(self.name, self.said, None if self.said is Ruling.ALLOW else Reason.PAUSED, "said so")


class Passable(Says):
    binds_people = False


RULINGS = st.sampled_from(Ruling)
ERRORS = st.sampled_from([ValueError("no"), KeyError("x"), OSError(5, "disk"), AssertionError(), RecursionError("deep")])
#: What hypothesis cannot build in one go: nothing of a plain question's needs a host or a store.
PLAIN = question(None)


def test_the_order_is_the_one_that_people_are_told() -> None:
    assert [guard.name for guard in GUARDS] == ORDER


def test_every_guard_says_what_it_protects_from_in_one_sentence() -> None:
    for guard in GUARDS:
        assert guard.why.endswith(".") and len(guard.why) < 130, guard.name


def test_a_calm_question_is_allowed_by_all_and_all_were_asked(store: SqliteStore) -> None:
    verdict = assess(question(store), GUARDS)
    assert (verdict.ruling, verdict.reason, verdict.deciding) == (Ruling.ALLOW, None, None)
    assert [answer.guard for answer in verdict.answers] == ORDER


def test_no_guards_at_all_is_a_refusal() -> None:
    verdict = assess(PLAIN, [])
    assert (verdict.ruling, verdict.reason) == (Ruling.DENY, Reason.GUARD_ERROR)
    assert verdict.answers == (Answer("pipeline", Ruling.DENY, Reason.GUARD_ERROR, "no guard is configured"),)


@given(st.lists(RULINGS, min_size=1))
def test_the_most_restrictive_answer_wins_and_the_first_of_equals_decides(said: list[Ruling]) -> None:
    guards = [Says(ruling, name=f"g{number}") for number, ruling in enumerate(said)]
    verdict = assess(PLAIN, guards)
    assert verdict.ruling is max(said)
    assert len(verdict.answers) == len(said)
    if verdict.deciding is not None:
        assert verdict.deciding.guard == f"g{said.index(max(said))}"
        assert verdict.reason is Reason.PAUSED


@given(st.lists(RULINGS), RULINGS, st.data())
def test_one_more_guard_never_loosens_a_verdict(said: list[Ruling], more: Ruling, data: st.DataObject) -> None:
    guards = [Says(ruling) for ruling in said] or [Says(Ruling.ALLOW)]
    at = data.draw(st.integers(0, len(guards)))
    assert assess(PLAIN, [*guards[:at], Says(more), *guards[at:]]).ruling >= assess(PLAIN, guards).ruling


@given(st.lists(RULINGS), ERRORS, st.data())
def test_an_exception_anywhere_is_a_refusal_that_says_what_it_was(
    said: list[Ruling], error: Exception, data: st.DataObject
) -> None:
    at = data.draw(st.integers(0, len(said)))
    guards = [*map(Says, said[:at]), Passable(error, name="broken"), *map(Says, said[at:])]
    for asked in (PLAIN, question(None, request=by_alice("broken", "guard_error"))):
        verdict = assess(asked, guards)
        assert verdict.ruling is Ruling.DENY
        broken = next(answer for answer in verdict.answers if answer.guard == "broken")
        assert broken.reason is Reason.GUARD_ERROR
        assert type(error).__name__ in broken.value


@pytest.mark.parametrize("nonsense", [None, "ALLOW", Answer("says", Ruling.DENY), Answer("says", 7, Reason.PAUSED)])  # type: ignore[arg-type]
def test_an_answer_that_is_none_is_a_refusal(nonsense: Any) -> None:
    class Mumbles(Says):
        def assess(self, question: Question) -> Answer:
            return nonsense

    verdict = assess(PLAIN, [Mumbles(Ruling.ALLOW)])
    assert (verdict.ruling, verdict.reason, verdict.answers[0].guard) == (Ruling.DENY, Reason.GUARD_ERROR, "says")


def test_an_answer_without_a_reason_is_told_as_none(store: SqliteStore) -> None:
    class Mumbles(Says):
        def assess(self, question: Question) -> Answer:
            return Answer("says", Ruling.HOLD)

    (answer,) = assess(question(store), [Mumbles(Ruling.ALLOW)]).answers
    assert answer.value == "ValueError: answered with neither a yes nor a reason"


def test_what_a_person_passed_is_told_with_the_refusal(store: SqliteStore) -> None:
    class Terse(Passable):
        def assess(self, question: Question) -> Answer:
            return self.deny(Reason.PAUSED, origin="zen.yaml:7:1")

    asked = question(store, request=by_alice())
    passed = assess(asked, [Passable(Ruling.HOLD), Terse(Ruling.DENY)]).answers
    assert passed == (
        Answer("says", Ruling.ALLOW, None, "passed by alice: said so"),
        Answer("says", Ruling.ALLOW, None, f"passed by alice: {Reason.PAUSED.sentence}", "zen.yaml:7:1"),
    )


def test_a_refusal_of_everyone_is_passed_by_nobody_whatever_is_named(store: SqliteStore) -> None:
    asked = question(store, request=by_alice("says", "paused"))
    assert assess(asked, [Says(Ruling.DENY)]).ruling is Ruling.DENY


def test_an_override_without_a_reason_passes_nothing(store: SqliteStore) -> None:
    asked = question(store, request=by_alice(because=" \t"))
    assert assess(asked, [Passable(Ruling.DENY)]).ruling is Ruling.DENY


# -- the whole row ----------------------------------------------------------------------------------------------------
#: One restriction each: how it changes a question's parts. None of them may ever loosen a verdict.
RESTRICTIONS: dict[str, dict[str, Any]] = {
    "emergency_stop": {"stop": Flag("set by bob")},
    "maintenance": {
        "policy": {"maintenance": (MaintenanceWindow("w", NOW.wall.time(), 60, frozenset(), "UTC", "no_actions"),)}
    },
    "mode": {"policy": {"mode": "observe"}},
    "auto_mitigate": {"policy": {"auto_mitigate": {"system_health": False}}},
    "not_listed": {"policy": {"allowed": {}}},
    "not_declared": {"policy": {"declared": frozenset()}},
    "protected": {"policy": {"protected_units": frozenset({"web.service"})}},
    "ownership": {"host": {"transaction": "dpkg, pid 9"}},
    "booting": {"host": {"booted_for": 1.0}},
    "stateful": {"policy": {"stateful_units": frozenset({"web.service"})}},
    "stopped": {"host": {"units": {"web.service": unit(active_state="inactive")}}},
    "confirmation": {"needs_confirmation": True},
    "foreign": {"situation": {"foreign": "restored"}},
    "dependency": {"depends_on": frozenset({KEY})},
    "storm": {"situation": {"failing_targets": 15}},
    "running": {"situation": {"running": 1}},
    "no_budget": {"policy": {"repairs": Limit(0, 3600.0)}},
    "approval": {"policy": {"allowed": {"restart_service": ActionPolicy(approval="required")}}},
    "dry_run": {"policy": {"dry_run": True}},
    "blind": {"host": {"mute": frozenset({"unit"})}},
}
#: The same for what stands in the store.
STORED: dict[str, Any] = {
    "safe_mode": lambda store: store.set_brake(Brake("safe_mode", "host", "odd", "engine", NOW, None)),
    "pause": lambda store: store.set_brake(Brake("pause", "target:service:web", "by hand", "alice", NOW, None)),
    "storm_brake": lambda store: store.set_brake(Brake("storm", "host", "many", "engine", NOW, None)),
    "lease": lambda store: ran(store, ago=1, kind=None),
    "cooldown": lambda store: ran(store, ago=1, asked=request(incident="inc-earlier", action="clear_cache")),
    "rate_limit": lambda store: [ran(store, ago=9, asked=request(target=f"service:s{n}")) for n in range(5)],
    "breaker": lambda store: store.save_breaker(BreakerRow("restart_service|service:web", "open", 4, 0, NOW.steady)),
}
SOME = st.frozensets(st.sampled_from(sorted(RESTRICTIONS)), max_size=4)
SOME_STORED = st.frozensets(st.sampled_from(sorted(STORED)), max_size=3)
PEOPLE = st.sampled_from([request(), by_alice(), by_alice("cooldown", "rate_limit"), by_alice(*ORDER), by_alice(because="")])


def restricted(store: Any, names: frozenset[str], asked: Any = None, **more: Any) -> Question:
    """Return a calm question with all these restrictions on it at once."""
    parts: dict[str, Any] = {"policy": {}, "situation": {}, "host": {}}
    whole: dict[str, Any] = dict(more)
    for name in sorted(names):
        for part, change in RESTRICTIONS[name].items():
            if part in parts:
                parts[part].update(change)
            else:
                whole[part] = change
    made = {
        "policy": policy(**parts["policy"]),
        "situation": situation(**parts["situation"]),
        "host": CalmHost(**parts["host"]),
    }
    return question(store, request=asked, **made | whole)


@pytest.mark.parametrize("name", sorted(RESTRICTIONS))
def test_each_restriction_alone_keeps_the_engine_from_acting(store: SqliteStore, name: str) -> None:
    verdict = assess(restricted(store, frozenset({name})), GUARDS)
    gentler = {"dry_run": Ruling.SIMULATE, "approval": Ruling.HOLD}
    assert verdict.ruling is gentler.get(name, Ruling.DENY)


@pytest.mark.parametrize("name", sorted(STORED))
def test_each_thing_in_the_store_alone_keeps_the_engine_from_acting(store: SqliteStore, name: str) -> None:
    STORED[name](store)
    assert assess(question(store), GUARDS).ruling is Ruling.DENY


def _judge(names: frozenset[str], stored: frozenset[str], asked: Any) -> Verdict:
    with fresh_store() as store:
        for name in sorted(stored):
            STORED[name](store)
        return assess(restricted(store, names, asked), GUARDS)


@settings(max_examples=40, deadline=None)
@given(few=SOME, more=SOME, stored=SOME_STORED, also_stored=SOME_STORED, asked=PEOPLE)
def test_no_further_restriction_ever_loosens_a_verdict(
    few: frozenset[str], more: frozenset[str], stored: frozenset[str], also_stored: frozenset[str], asked: Any
) -> None:
    # Two restrictions that change the same setting do not add up: the second takes the place of the first.
    keys = [
        (part, key)
        for name in few | more
        for part, change in RESTRICTIONS[name].items()
        if part in ("policy", "host", "situation")
        for key in change
    ]
    if len(keys) != len(set(keys)) or ({"lease", "cooldown"} <= stored | also_stored):
        return
    assert _judge(few | more, stored | also_stored, asked).ruling >= _judge(few, stored, asked).ruling


@settings(max_examples=30, deadline=None)
@given(names=SOME, stored=SOME_STORED, asked=PEOPLE)
def test_the_emergency_stop_refuses_everyone_whatever_else(
    names: frozenset[str], stored: frozenset[str], asked: Any
) -> None:
    verdict = _judge(names | {"emergency_stop"}, stored, asked)
    assert (verdict.ruling, verdict.reason) == (Ruling.DENY, Reason.EMERGENCY_STOP)


@settings(max_examples=30, deadline=None)
@given(names=SOME, never=st.sampled_from(["emergency_stop", "not_listed", "not_declared", "protected"]), data=st.data())
def test_no_override_passes_what_is_never_passed(names: frozenset[str], never: str, data: st.DataObject) -> None:
    words = [*ORDER, *(reason.value for reason in Reason)]
    override = data.draw(st.frozensets(st.sampled_from(words)) | st.just(frozenset(words)))
    assert _judge(names | {never}, frozenset(), by_alice(*override)).ruling is Ruling.DENY


def test_a_guard_that_calls_itself_passable_is_still_never_passed() -> None:
    for name in NEVER_PASSED:
        asked = question(None, request=by_alice(name))
        assert assess(asked, [Passable(Ruling.DENY, name=name)]).ruling is Ruling.DENY


def test_the_engine_passes_nothing_even_if_it_names_it(store: SqliteStore) -> None:
    STORED["cooldown"](store)
    asked = request(override=frozenset(ORDER), because="please")
    assert assess(question(store, request=asked), GUARDS).ruling is Ruling.DENY


def test_a_person_with_a_reason_passes_what_binds_the_engine(store: SqliteStore) -> None:
    for name in ("safe_mode", "pause"):
        STORED[name](store)
    asked = restricted(store, frozenset({"maintenance", "mode", "auto_mitigate", "stopped", "confirmation"}), by_alice())
    verdict = assess(asked, GUARDS)
    assert verdict.ruling is Ruling.ALLOW
    passed = [answer.guard for answer in verdict.answers if answer.value.startswith(f"passed by {ALICE.name}: ")]
    assert passed == ["safe_mode", "pause", "maintenance", "mode", "auto_mitigate", "stopped_by_person", "confirmation"]


@settings(max_examples=40, deadline=None)
@given(jump=st.timedeltas(timedelta(days=-400), timedelta(days=400)), stored=SOME_STORED, asked=PEOPLE)
def test_setting_the_wall_clock_changes_no_limit(jump: timedelta, stored: frozenset[str], asked: Any) -> None:
    with fresh_store() as store:
        for name in sorted(stored - {"lease"} if "cooldown" in stored else stored):
            STORED[name](store)
        then = assess(question(store, request=asked), GUARDS)
        jumped = Instant(NOW.wall + jump, NOW.steady)
        assert assess(question(store, request=asked, now=jumped), GUARDS) == then


@settings(max_examples=25, deadline=None)
@given(before=st.lists(st.floats(0, 7200), max_size=8), waits=st.floats(0, 3600))
def test_never_more_repairs_within_any_hour_than_the_budget(before: list[float], waits: float) -> None:
    with fresh_store() as store:
        for number, ago in enumerate(sorted(before, reverse=True)):
            ran(store, ago=ago, asked=request(target=f"service:s{number}", incident=f"inc-{number}"))
        now = NOW.after(waits)
        within = sum(1 for ago in before if ago + waits < 3600)
        allowed = assess(question(store, now=now), GUARDS).ruling is Ruling.ALLOW
        assert not (allowed and within >= 5)
        assert allowed or within >= 4


# -- what people read -------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0, "0s"), (-5, "0s"), (45.4, "45s"), (59.6, "1m"), (252, "4m12s"), (600, "10m"), (3600, "1h"), (3605, "1h"),
     (7500, "2h5m"), (90000, "1d1h"), (86400, "1d")],
)  # fmt: skip
def test_spans_are_written_by_their_two_largest_units(seconds: float, said: str) -> None:
    assert span(seconds) == said


@given(st.text())
def test_untrusted_text_becomes_one_bounded_printable_line(text: str) -> None:
    shown = one_line(text)
    assert len(shown) <= 300
    assert shown.isprintable()


@pytest.mark.parametrize(
    ("text", "most", "shown"),
    [
        ("  plain  ", 300, "plain"),
        ("\tfirst\nsecond\x1b ", 300, "first second"),
        ("x" * 400, 300, "x" * 300),
        ("\n" + "x" * 400, 300, "x" * 300),
        ("  plain  ", 3, "pla"),
        ("a\nbcd", 3, "a b"),
    ],
)
def test_a_text_that_is_shown_keeps_its_words(text: str, most: int, shown: str) -> None:
    assert one_line(text, most=most) == shown
    assert most != 300 or one_line(text) == shown


def test_what_is_shown_of_a_process_name_is_one_line(store: SqliteStore) -> None:
    host = CalmHost(table={4242: process(4242, "sshd")}, units={})
    host.table[4242] = host.table[4242]._replace(name="dpkg\x1b[2J\n")
    asked = question(store, plan=plan(None, "process:4242:9"), host=host, incident=incident())
    assert all(answer.value.isprintable() for answer in assess(asked, GUARDS).answers)
