"""Patterns over the lines of a source: what counts, what is found, and that nothing of it is lost on the way to a file."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zen_agents.logs.detection.absence import AbsenceRule
from zen_agents.logs.detection.counting import CountRule
from zen_agents.logs.detection.distinct import STEP, DistinctRule
from zen_agents.logs.detection.sequence import SequenceRule
from zen_agents.logs.formats.json_lines import JsonLines
from zen_agents.logs.formats.plain import Plain
from zen_agents.logs.formats.syslog import Syslog
from zen_agents.logs.watching.pattern import MOST_LINES, Seen
from zen_agents.logs.watching.rule import PatternRule, Step
from zen_agents.logs.watching.source import SourceWatch

NOW = 1_800_000_000.0
ONE = CountRule(1, 60.0)


def watch(*rules: PatternRule, saved: dict[str, Any] | None = None) -> SourceWatch:
    return SourceWatch(rules, Plain(), None, NOW, saved or {})


def seen(of: SourceWatch, name: str = "p", *lines: str, at: float = NOW, path: str = "/log") -> Seen:
    if lines:
        of.feed("".join(f"{line}\n" for line in lines).encode(), path, at)
    of.advance(at)
    return of.seen()[name]


def rule(*steps: Step, detects: Any = ONE, name: str = "p") -> PatternRule:
    return PatternRule(name, steps, detects)


def test_a_line_that_matches_is_found_and_is_over_after_its_time() -> None:
    of = watch(rule(Step("Killed process")))
    assert not seen(of, "p", "all is well").is_raised
    found = seen(of, "p", "Killed process 7 (web)", "and on")
    assert (found.is_raised, found.lines, list(found.last)) == (True, 1, ["Killed process 7 (web)"])
    assert seen(of, at=NOW + 59).is_raised
    assert not seen(of, at=NOW + 61).is_raised


def test_what_came_and_was_over_before_anybody_looked_is_told_once() -> None:
    of = watch(rule(Step("Killed process")))
    old = "2026-01-01T00:00:00Z Killed process 7"
    assert seen(of, "p", old).is_raised
    assert not seen(of).is_raised


def test_lines_count_for_the_value_of_a_group_and_the_time_they_name() -> None:
    of = watch(rule(Step(r"failed for (?P<user>\w+)"), detects=CountRule(3, 60.0, ("user",))))
    lines = [f"2027-01-15T08:00:0{second}Z failed for {user}" for second, user in enumerate(["bob", "eve", "eve", "bob"])]
    now = 1_800_000_004.0  # 2027-01-15T08:00:04Z
    assert not seen(of, "p", *lines, at=now).is_raised
    found = seen(of, "p", "2027-01-15T08:00:04Z failed for eve", at=now)
    assert (found.is_raised, found.keys, found.raised) == (True, [("eve",)], 1)


def test_where_looks_at_fields_and_a_pattern_without_match_at_every_line() -> None:
    of = SourceWatch([rule(Step(where={"level": "error", "took": ">= 2"}))], JsonLines(), None, NOW, {})
    assert not seen(of, "p", '{"level": "error", "took": 1}', '{"level": "info", "took": 3}', "error").is_raised
    assert seen(of, "p", '{"level": "ERR", "took": 2.5}').lines == 1


def test_lines_of_a_file_can_be_told_apart_by_it() -> None:
    of = watch(rule(Step("x"), detects=CountRule(2, 60.0, ("file",))))
    assert not seen(of, "p", "x", path="/a").is_raised
    assert not seen(of, "p", "x", path="/b").is_raised
    assert seen(of, "p", "x", path="/b").keys == [("/b",)]


def test_no_line_for_so_long_is_found_and_over_with_the_next() -> None:
    of = watch(rule(Step("beat"), detects=AbsenceRule(600.0)))
    assert not seen(of, "p", "beat").is_raised
    assert seen(of, "p", "other", at=NOW + 601).is_raised
    assert not seen(of, "p", "beat", at=NOW + 602).is_raised or not seen(of, at=NOW + 603).is_raised


def test_steps_in_their_order_are_found_and_others_are_not() -> None:
    steps = (Step(r"start (?P<id>\d+)"), Step(r"fail (?P<id>\d+)"))
    of = watch(rule(*steps, detects=SequenceRule(2, 60.0, ("id",))))
    assert not seen(of, "p", "fail 1", "start 1", "start 2", "fail 3").is_raised
    assert seen(of, "p", "fail 2").keys == [("2",)]
    assert seen(of, at=NOW + 30).is_raised
    assert not seen(of, at=NOW + 61).is_raised


def test_one_line_may_count_for_several_patterns_and_several_steps() -> None:
    of = watch(rule(Step("a"), name="p"), rule(Step("b"), name="q"), rule(Step(where={"message": "ab"}), name="r"))
    of.feed(b"ab\nb\n", "/log", NOW)
    assert {name: each.lines for name, each in of.seen().items()} == {"p": 1, "q": 2, "r": 1}


DETECTS = [CountRule(3, 60.0, ("k",)), AbsenceRule(60.0, ("k",)), SequenceRule(2, 60.0, ("k",))]


@pytest.mark.parametrize("detects", DETECTS, ids=lambda each: type(each).__name__)
def test_one_that_was_saved_and_restored_between_any_two_lines_finds_the_same(detects: Any) -> None:
    steps = [Step(rf"{word} (?P<k>\w)") for word in (("one", "two") if isinstance(detects, SequenceRule) else ("one",))]
    lines = ["one x", "one y", "two x", "one x", "two y", "one x", "one y"]

    def found(*, restarts: bool) -> Sequence[Seen]:
        of, told = watch(rule(*steps, detects=detects)), []
        for number, line in enumerate(lines):
            told.append(seen(of, "p", line, at=NOW + 20 * number))
            if restarts:
                saved = json.loads(json.dumps(of.saved()))
                of = SourceWatch([rule(*steps, detects=detects)], Plain(), None, NOW + 20 * number, saved)
        return told

    assert found(restarts=True) == found(restarts=False)


@pytest.mark.parametrize(
    "saved",
    [{}, {"p": 3}, {"p": {"detector": [], "lines": -1, "last": [3, "x", [1, 2, 3], ["x", "y", []]], "was_raised": "yes"}}],
)
def test_what_cannot_have_been_saved_is_left_out(saved: dict[str, Any]) -> None:
    assert not seen(watch(rule(Step("x")), saved=saved)).is_raised


def test_lines_are_kept_cut_and_few() -> None:
    of = watch(rule(Step("x")))
    found = seen(of, "p", *(f"x{number} " + "y" * 1000 for number in range(100)))
    assert len(found.last) == MOST_LINES
    assert max(map(len, found.last)) == 300


def test_what_its_lines_are_about_is_told_with_when_they_were_written_also_after_a_restart() -> None:
    guessing = rule(Step(r"from (?P<client>\S+) by (?P<user>\w+)"))
    of = watch(guessing)
    line = "2027-01-15T07:59:59Z from 203.0.113.5 by bob"
    assert seen(of, "p", line).shared == (("address", "203.0.113.5"), ("user", "bob"))
    again = watch(guessing, saved=json.loads(json.dumps(of.saved())))
    assert (again.seen()["p"].shared, again.seen()["p"].written) == (of.seen()["p"].shared, (NOW - 1,))


def test_where_by_tells_lines_apart_only_what_was_found_is_what_they_are_about() -> None:
    step, by = Step(r"from (?P<client>\S+) to (?P<order>\w+)"), CountRule(2, 60.0, ("client",))
    of = watch(PatternRule("p", (step,), by, ("order",), ("web",)))
    lines = [f"from 203.0.113.{number} to A7" for number in (5, 5, 6)]
    assert seen(of, "p", *lines).shared == (("target", "web"), ("address", "203.0.113.5"))
    alone = watch(PatternRule("p", (step,), ONE, ("order",)))
    assert seen(alone, "p", lines[0]).shared == (("address", "203.0.113.5"), ("order", "A7"))


def test_lines_of_all_steps_are_found_in_any_order_and_of_one_alone_never() -> None:
    any_order = DistinctRule(STEP, 2, 60.0, ("host",))
    steps = [Step(r"(?P<host>\w+) began"), Step(r"(?P<host>\w+) ended")]
    of = watch(rule(*steps, detects=any_order))
    assert not seen(of, "p", "a ended", "a ended", "b began", "(step)=1 a ended").is_raised
    found = seen(of, "p", "a began")
    assert (found.is_raised, list(found.keys)) == (True, [("a",)])


def test_lines_of_a_sigma_rule_are_those_that_it_means() -> None:
    sigma = {
        "title": "A rule", "logsource": {"product": "linux", "service": "sshd"},
        "detection": {"words": ["incorrect signature"], "other": {"host": "web2"}, "condition": "words and not other"},
    }  # fmt: skip
    of = SourceWatch([rule(Step(sigma=sigma))], Syslog(), None, NOW, {})
    lines = [f"Nov 27 11:00:0{number} {host} {program}[1]: incorrect signature" for number, (host, program) in enumerate(
        [("web1", "sshd"), ("web2", "sshd"), ("web1", "app")]
    )]  # fmt: skip
    assert seen(of, "p", *lines).lines == 1


def test_of_a_pattern_without_lines_nothing_is_made_anew_and_what_waits_goes_on() -> None:
    of = watch(
        rule(Step("one"), name="p"), rule(Step("two"), name="q"), rule(Step("beat"), detects=AbsenceRule(9.0), name="r")
    )
    before, quiet = dict(of.seen()), of.saved()["q"]
    assert seen(of, "p", "one", at=NOW + 5).lines == 1
    after = of.seen()
    assert (after["p"] is before["p"], after["q"] is before["q"]) == (False, True)
    assert (of.saved()["p"]["lines"], of.saved()["q"] is quiet) == (1, True)
    assert of.saved()["r"]["detector"]["now"] == NOW + 5
    assert seen(of, "r", at=NOW + 10).is_raised
    assert not seen(of, "r", "beat", at=NOW + 11).is_raised
    assert not seen(of, "p", at=NOW + 66).is_raised


USERS = st.sampled_from(["bob", "eve", "x" * 200, "b\u00f6b"])
SAID = st.one_of(
    st.builds("2027-01-15T08:00:{:02}Z failed for {}".format, st.integers(0, 59), USERS),
    st.sampled_from(["failed", "all is well", "failed for bob and refused for bob", "refused for eve", "  failed for eve"]),
)


def test_what_is_found_is_made_anew_once_it_changes_and_a_silence_is_remembered_as_of_now() -> None:
    of = watch(rule(Step("x")), rule(Step("beat"), detects=AbsenceRule(600.0), name="silent"))
    assert seen(of, "p", "x").is_raised
    assert seen(of, at=NOW + 1).is_raised and not of.renewed
    assert seen(of, "p", "x", at=NOW + 2).lines == 2 and list(of.renewed) == [0]
    assert not seen(of, at=NOW + 63).is_raised
    assert not seen(of, at=NOW + 64).is_raised and not of.renewed
    assert of.saved()["silent"]["detector"]["now"] == NOW + 64


@given(chunks=st.lists(st.lists(SAID, max_size=8), max_size=6), multiline=st.booleans())
@settings(max_examples=60, deadline=None)
def test_what_is_counted_by_groups_alone_is_what_is_counted_by_all_fields(chunks: list[list[str]], multiline: bool) -> None:
    counts = CountRule(3, 30.0, ("user",))
    match = r"(?:failed|refused)(?: for (?P<user>\w+))?"
    # A condition that is always so has each line taken apart.
    rules = [rule(Step(match), detects=counts), rule(Step(match, {"message": {"match": "."}}), detects=counts, name="all")]
    alone, apart = (SourceWatch([each], Plain(), UTC, NOW, {}, multiline=multiline) for each in rules)
    for chunk in chunks:
        for of in (alone, apart):
            of.feed("".join(f"{line}\n" for line in chunk).encode(), "/var/log/app.log", NOW)
    assert alone.saved()["p"]["detector"] == apart.saved()["all"]["detector"]
    assert alone.is_stirred == apart.is_stirred == (alone.seen()["p"].is_raised or apart.seen()["all"].is_raised)
