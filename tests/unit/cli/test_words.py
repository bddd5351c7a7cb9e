"""Words on the command line: where they may stand, and what was meant by them."""

import argparse
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zen_agents.cli.main import COMMANDS
from zen_agents.cli.parsing import output_of, positive, spelled_out, split
from zen_agents.cli.times import moment_of, seconds_of, took
from zen_agents.errors import UsageError

NOW = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("words", "command", "rest"),
    [
        (["status", "-v"], "status", ["-v"]),
        (["-v", "status"], "status", ["-v"]),
        (["-o", "json", "status"], "status", ["-o", "json"]),
        (["--state-dir", "stop", "status"], "status", ["--state-dir", "stop"]),
        (["--reason", "stop", "pause", "web"], "pause", ["--reason", "stop", "web"]),
        (["--json=id", "actions"], "actions", ["--json=id"]),
        (["--since", "1h", "actions"], "actions", ["--since", "1h"]),
        (["--utc", "actions", "show", "status"], "actions", ["--utc", "show", "status"]),
        (["stat"], "stat", []),
        (["--yes", "stat"], "stat", ["--yes"]),
        (["-v"], None, ["-v"]),
        ([], None, []),
    ],
)
def test_flags_stand_before_or_behind_the_command(words: list[str], command: str | None, rest: list[str]) -> None:
    assert split(words, COMMANDS) == (command, rest)


@pytest.mark.parametrize(
    ("words", "plain"),
    [
        (["--json", "status"], ["--json=", "status"]),
        (["actions", "--json", "id,outcome"], ["actions", "--json=id,outcome"]),
        (["why", "--json", "inc-4k2p"], ["why", "--json=", "inc-4k2p"]),
        (["actions", "--json"], ["actions", "--json="]),
        (["actions", "--json", "--limit", "5"], ["actions", "--json=", "--limit", "5"]),
    ],
)
def test_fields_follow_json_only_where_they_are_meant(words: list[str], plain: list[str]) -> None:
    assert spelled_out(words) == plain


@given(
    st.lists(st.sampled_from(["--json", "status", "id,outcome", "-o", "json", "--since", "x", "-v", "--json="]), max_size=8)
)
def test_words_are_never_lost(words: list[str]) -> None:
    plain = spelled_out(words)
    assert "".join(plain).replace("=", "") == "".join(words).replace("=", "")
    command, rest = split(words, COMMANDS)
    assert sorted([*rest, *([command] if command is not None else [])]) == sorted(words)


@pytest.mark.parametrize(
    ("words", "output"),
    [
        (["-o", "json"], "json"), (["-ojson"], "json"), (["--output=yaml"], "yaml"), (["--json=id"], "json"),
        (["--bogus", "-o", "jsonl"], "jsonl"), ([], "table"), (["-o"], "table"),
    ],
)  # fmt: skip
def test_the_form_of_an_error_is_found_without_parsing(words: list[str], output: str) -> None:
    assert output_of(words) == output


@pytest.mark.parametrize("text", ["0", "-5", "x", "", "1e3", "99999999999", "\u0663"])
def test_a_count_is_a_whole_number_of_at_least_one(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError):
        positive(text)
    assert positive("200") == 200


@pytest.mark.parametrize(("text", "seconds"), [("90s", 90), ("5m", 300), ("2h", 7200), ("7d", 604800), ("1.5h", 5400)])
def test_durations(text: str, seconds: float) -> None:
    assert seconds_of(text) == seconds


@pytest.mark.parametrize("text", ["", "5", "5x", "-5m", "5 minutes", "1e9d", "99999d", "nan", "\u0665m"])
def test_what_is_no_duration_is_told(text: str) -> None:
    with pytest.raises(UsageError, match="is no duration"):
        seconds_of(text)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("1h", NOW - timedelta(hours=1)),
        ("-2h", NOW - timedelta(hours=2)),
        ("now", NOW),
        ("2026-01-31T03:00+00:00", datetime(2026, 1, 31, 3, tzinfo=UTC)),
        ("2026-01-31T03:00:00Z", datetime(2026, 1, 31, 3, tzinfo=UTC)),
    ],
)
def test_moments(text: str, moment: datetime) -> None:
    assert moment_of(text, NOW) == moment


def test_days_and_times_of_day_are_this_hosts() -> None:
    today, yesterday = moment_of("today", NOW), moment_of("yesterday", NOW)
    assert (today.hour, today.minute) == (0, 0)
    assert today <= NOW < today + timedelta(days=1, hours=1)
    assert yesterday == today - timedelta(days=1)
    at_three, later = moment_of("03:10", NOW), NOW.astimezone() + timedelta(minutes=5)
    assert (at_three.hour, at_three.minute) == (3, 10)
    # A time of day that is still to come was yesterday.
    assert moment_of(f"{later:%H:%M}", NOW) < NOW
    assert moment_of("2026-01-31T03:00", NOW).tzinfo is not None


@given(st.text(max_size=12))
def test_any_other_time_is_told_and_never_crashes(text: str) -> None:
    try:
        assert moment_of(text, NOW).tzinfo is not None
    except UsageError as error:
        assert "no time" in str(error) or "no duration" in str(error)


@pytest.mark.parametrize(("seconds", "text"), [(0.11, "110 ms"), (3.14, "3.1 s"), (61, "1 min 1 s")])
def test_how_long_it_took(seconds: float, text: str) -> None:
    assert took(seconds) == text
