"""The worker that tries expressions: every line is judged, no expression holds it, and its answer stays small."""

import pytest

from zen_agents.jobs.pattern_trial import MOST_LINE_CHARS, PatternReply, PatternRequest, Verdict
from zen_agents.workers.pattern_trial import trial


def tried(expression: str, *lines: str, show: Verdict | None = None) -> PatternReply:
    return trial(PatternRequest(expressions=(expression,), lines=lines, show=show))


def test_each_line_is_judged_with_its_named_groups() -> None:
    reply = tried(r"Killed process (?P<pid>\d+)(?P<but> x)?", "Killed process 42 (web)", "reaped process 42")

    assert (reply.matched, reply.missed, reply.ignored) == (1, 1, 0)
    assert list(reply.shown[0].groups.items()) == [("pid", "42"), ("but", None)]
    assert [line.verdict for line in reply.shown] == ["matched", "missed"]


def test_of_a_line_that_missed_it_is_told_how_far_the_expression_got() -> None:
    reply = tried(r"memory: Killed process (\d+)", "Out of memory: Kill process 42", "nothing like it")

    assert [line.partial_end for line in reply.shown] == [len("Out of memory: Kill"), None]


def test_an_expression_that_would_backtrack_without_end_is_answered() -> None:
    reply = tried(r"^(a+)+$", "a" * 60 + "b", "aaa")

    assert (reply.matched, reply.missed, reply.ignored) == (1, 1, 0)


def test_a_line_without_end_is_ignored_and_shown_in_short() -> None:
    reply = tried("x", "x" * (MOST_LINE_CHARS + 1))

    assert reply.ignored == 1
    assert len(reply.shown[0].text) < 1000


def test_replaced_is_as_the_engine_does_it_one_expression_after_the_other() -> None:
    request = PatternRequest(
        expressions=(r"password=\S+", r"redacted\] and"), lines=("password=a and b", "none"), replacement="[redacted]"
    )

    reply = trial(request)

    assert reply.by_expression == (1, 1)
    assert [line.after for line in reply.shown] == ["[[redacted] b"]


@pytest.mark.parametrize(("show", "numbers"), [("matched", [1, 3]), ("missed", [2]), ("ignored", [])])
def test_only_what_was_asked_for_is_returned(show: Verdict, numbers: list[int]) -> None:
    assert [line.number for line in tried("a", "a", "b", "ab", show=show).shown] == numbers


def test_the_answer_stays_small() -> None:
    request = PatternRequest(expressions=(r"(?P<all>.*)",), lines=("\x01" * 60_000,) * 900, most_shown=900)

    reply = trial(request)

    assert reply.matched == 900
    assert 0 < len(reply.shown) < 900
    assert len(reply.model_dump_json()) < 1_000_000
