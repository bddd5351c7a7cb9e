"""What is due when: a steady rhythm, nothing caught up, and early looks for what is watched."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from zen_agents.checks.base import Check
from zen_agents.clock import Instant
from zen_agents.engine.watchlist import Watchlist, subject_of
from zen_agents.model.observation import Observation, Status
from zen_agents.ports.events import Watch
from zen_agents.ports.host import HostView
from zen_agents.rules.condition import Either, StatusIs
from zen_agents.rules.rule import Rule


class Looking(Check):
    """A check that wants to be woken by what it is told."""

    kind = summary = "looking"

    def __init__(self, name: str, every_seconds: float = 10.0) -> None:
        super().__init__(name=name, target="host", every_seconds=every_seconds)
        self.wants: tuple[Watch, ...] = ()

    @property
    def observes(self) -> tuple[str, ...]:
        return (self.name,)

    def observe(self, host: HostView, now: Instant) -> Sequence[Observation]:
        return [Observation(self.name, "host", Status.OK, now)]

    def watches(self) -> Sequence[Watch]:
        return self.wants


def rule(name: str) -> Rule:
    return Rule(f"r.{name}", "a", "host", StatusIs(name, "host", 60.0))


WEB = Watch("unit", "web.service")


def test_the_first_look_is_at_once_and_the_rhythm_is_kept() -> None:
    watched = Watchlist([Looking("a"), Looking("b", 30.0)], [rule("a")], 100.0)
    assert {check.name for check in watched.take_due(100.0)} == {"a", "b"}
    assert watched.take_due(109.0) == []
    # A little late: the rhythm is kept.
    assert [check.name for check in watched.take_due(112.0)] == ["a"]
    assert watched.next_due == 120.0


@given(late=st.floats(20.0, 1e6))
def test_what_was_missed_is_asked_once(late: float) -> None:
    watched = Watchlist([Looking("a")], [], 0.0)
    watched.take_due(0.0)
    assert len(watched.take_due(late)) == 1
    assert watched.take_due(late) == []
    assert late < watched.next_due <= late + 10.000001


@given(st.lists(st.floats(0.0, 40.0), max_size=20))
def test_whatever_woke_it_a_check_comes_back_to_the_beat_of_all_and_is_looked_at_no_less(
    gaps: list[float],
) -> None:
    watched, now = Watchlist([Looking("a")], [], 0.0), 0.0
    for gap in gaps:
        now += gap
        watched.wake("", now)
        watched.take_due(now)
        assert now < watched.next_due <= now + 10.000001
    for _ in range(2):
        watched.take_due(watched.next_due)
    assert watched.next_due % 10.0 == 0.0


def test_what_only_rules_under_repair_read_is_put_off() -> None:
    also = replace(rule("a"), name="r.also")
    watched = Watchlist([Looking("a"), Looking("b")], [rule("a"), also, rule("b")], 0.0)
    watched.put_off("r.a|host", 1.0, where=lambda rule: rule.name == "r.a")
    watched.put_off("r.b|host", 1.0, where=lambda rule: rule.name == "r.b")
    assert [check.name for check in watched.take_due(0.0)] == ["a"], "somebody else reads that, too"
    watched.hurry("r.b|host", 0.5)
    assert [check.name for check in watched.take_due(0.5)] == ["b"]


def test_a_rule_that_is_in_a_hurry_brings_forward_what_it_reads() -> None:
    watched = Watchlist([Looking("a"), Looking("b")], [rule("a")], 0.0)
    watched.take_due(0.0)
    watched.hurry("r.a|host", 3.0)
    assert [check.name for check in watched.take_due(3.0)] == ["a"]
    watched.hurry("r.none|host", 1.0)
    assert watched.next_due == 10.0


def test_an_appointment_is_kept_also_where_a_beat_comes_before_it() -> None:
    watched = Watchlist([Looking("a")], [rule("a")], 0.0)
    watched.take_due(7.0)
    watched.appoint("r.a|host", 13.0)
    watched.appoint("r.a|host", 13.0)
    watched.appoint("r.a|host", 14.0)
    asked_at = []
    while watched.next_due < 30.0:
        asked_at.append(watched.next_due)
        assert watched.take_due(watched.next_due)
    assert asked_at == [10.0, 13.0, 14.0, 20.0]


def test_a_wake_reaches_who_watches_and_nobody_else() -> None:
    a, b = Looking("a"), Looking("b")
    watched = Watchlist([a, b], [], 0.0)
    watched.take_due(0.0)
    assert watched.wake(subject_of(WEB), 1.0) is False
    a.wants = (WEB,)
    assert watched.watches([a, b]) is True
    assert watched.watches([a, b]) is False
    assert watched.all_watches() == [WEB]
    assert watched.wake(subject_of(WEB), 1.0) is True
    assert [check.name for check in watched.take_due(1.0)] == ["a"]
    a.wants = ()
    assert watched.watches([a]) is True
    assert watched.wake(subject_of(WEB), 2.0) is False


def test_a_process_is_watched_by_its_start_time_too() -> None:
    first, again = Watch("process", "", 42, 7), Watch("process", "", 42, 8)
    assert subject_of(first) != subject_of(again)


def test_who_reads_what_is_known_and_an_empty_wake_means_everything() -> None:
    rules = [rule("a"), replace(rule("b"), clear=StatusIs("a", "host", 60.0))]
    watched = Watchlist([Looking("a"), Looking("b")], rules, 0.0)
    watched.take_due(0.0)
    assert [one.name for one in watched.readers("a", "host")] == ["r.a", "r.b"]
    assert watched.readers("a", "elsewhere") == ()
    assert watched.wake("", 1.0) is True
    assert len(watched.take_due(1.0)) == 2
    assert Watchlist([], [], 0.0).next_due == float("inf")


def test_what_only_rules_that_are_left_out_read_is_not_woken() -> None:
    a, b = Looking("a"), Looking("b")
    a.wants = b.wants = (WEB,)
    watched = Watchlist([a, b], [rule("a"), rule("b"), replace(rule("b"), name="r.other")], 0.0)
    watched.watches(watched.take_due(0.0))
    assert watched.wake(subject_of(WEB), 1.0, but=lambda one: one.name in ("r.a", "r.b")) is True
    assert [check.name for check in watched.take_due(1.0)] == ["b"], "somebody else reads it as well"
    assert watched.wake(subject_of(WEB), 2.0, but=lambda _: True) is False


class Resting(Looking):
    """A check of which only what it watches can make news."""

    rest_seconds = 60.0


def rested(watched: Watchlist, check: Check, *, is_told: bool = True, open_keys: frozenset[str] = frozenset()) -> float:
    """Let a check rest that was just asked; return when it is due."""
    watched.let_rest([check], 0.0, is_told=lambda _: is_told, book=open_keys)
    return watched.next_due


def resting(*rules: Rule) -> tuple[Watchlist, Resting]:
    check = Resting("a")
    check.wants = (WEB,)
    watched = Watchlist([check], rules, 0.0)
    watched.watches(watched.take_due(0.0))
    return watched, check


def test_what_only_an_event_can_change_is_looked_at_later_and_at_once_when_there_is_one() -> None:
    watched, check = resting(rule("a"))
    assert rested(watched, check) == 60.0
    assert watched.wake(subject_of(WEB), 7.0)
    assert watched.take_due(7.0) == [check]
    assert watched.next_due == 10.0


def test_what_is_not_told_or_bad_or_wanted_soon_does_not_rest() -> None:
    watched, check = resting(rule("a"))
    assert rested(watched, check, is_told=False) == 10.0
    assert rested(watched, check, open_keys=frozenset({"r.a|host"})) == 10.0
    watched.hurry("r.a|host", 3.0)
    assert rested(watched, check) == 3.0


def test_what_a_rule_reads_together_with_others_does_not_rest() -> None:
    check, other = Resting("a"), Looking("b")
    check.wants = (WEB,)
    either = replace(rule("a"), condition=Either((StatusIs("a", "host", 60.0), StatusIs("b", "host", 60.0))))
    watched = Watchlist([check, other], [either], 0.0)
    watched.watches(watched.take_due(0.0))
    assert rested(watched, check) == 10.0


class Glancing(Looking):
    """A check that takes something between its looks."""

    def glanced_seconds(self) -> float:
        return 0.25


def test_what_glances_take_is_asked_of_those_alone_that_are_asked_for_one() -> None:
    checks = [Glancing("a"), Glancing("b"), Glancing("without")]
    watched = Watchlist(checks, [], 0.0)
    for check in checks[:2]:
        check.wants = (Watch("log", check.name, glance=lambda view, now: False),)
    watched.watches(checks)
    assert watched.glanced_seconds({"a", "without"}) == 0.25
    assert watched.glanced_seconds({"a", "b"}) == 0.5
