import json

import pytest

from tests.support.telling import CONTEXT, NIGHT, a_message
from zen_agents.alerts.mail import render_email
from zen_agents.alerts.roll_up import MOST_LINES, HeldBack, bundle, digest_message
from zen_agents.model.message import Message, MessageKind
from zen_agents.model.severity import Severity


def test_a_roll_up_counts_all_shows_some_and_guesses_at_the_cause() -> None:
    held = HeldBack()
    for number in range(500):
        held.add(a_message(name=f"s{number}", rule="web.down", severity=Severity.WARNING), CONTEXT, NIGHT.after(number))
    held.add(a_message(severity=Severity.CRITICAL, urgent=True), CONTEXT, NIGHT.after(500))
    message = held.message("email", CONTEXT, NIGHT.after(600))

    assert message.summary == "web-07: 501 more messages in 10 min - probably one cause; 500 of them are web.down"
    assert message.severity is Severity.CRITICAL
    assert message.urgent
    assert len(message.facts["lines"]) == MOST_LINES
    text = render_email(message, CONTEXT).text
    assert "and 465 more" in text
    assert "zen-agents incidents" in text


def test_what_is_held_back_survives_a_restart() -> None:
    held = HeldBack()
    held.add(a_message(), CONTEXT, NIGHT)

    assert HeldBack.from_json(json.loads(json.dumps(held.to_json()))) == held
    with pytest.raises((KeyError, TypeError, ValueError)):
        HeldBack.from_json({"count": "many"})


def test_a_bundle_names_each_target() -> None:
    together = bundle([a_message(name="a", rule="disk"), a_message(name="b", rule="disk")], CONTEXT, NIGHT)

    assert together.kind is MessageKind.ROLL_UP
    assert together.summary == "web-07: 2 of disk need you: a, b"


def test_a_bundle_of_several_rules_says_what_they_have_in_common() -> None:
    def together(*names: tuple[str, str]) -> Message:
        return bundle([a_message(name=name, rule=rule) for rule, name in names], CONTEXT, NIGHT)

    assert together(("disk", "a"), ("inodes", "a")).summary.startswith("web-07: 2 of service:a need you: a")
    mixed = together(("disk", "a"), ("web", "b"))
    assert mixed.summary == "web-07: 2 of system_health need you: a, b"
    assert (mixed.rule, mixed.facts["why"]) == ("", "")


def test_a_bundle_about_one_thing_says_about_which() -> None:
    facts = {"together": ["address 203.0.113.5", "user bob"]}, {"together": ["address 203.0.113.5\x1b[31m", "user bob"]}
    messages = [a_message(name=name, rule=name, facts=each) for name, each in zip("ab", facts, strict=True)]
    together = bundle(messages, CONTEXT, NIGHT)

    assert together.summary == "web-07: 2 about user bob need you: a, b"
    assert together.facts["why"] == "They are about the same user bob."


def test_a_digest_may_be_empty() -> None:
    message = digest_message([], count=0, context=CONTEXT, now=NIGHT)

    assert message.summary == "web-07: nothing happened in the last day"
    assert render_email(message, CONTEXT).subject == "[zen DIGEST] web-07: nothing happened in the last day"
