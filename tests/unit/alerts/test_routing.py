from dataclasses import replace

import pytest

from tests.support.telling import FACTS, NIGHT, a_message, a_policy
from zen_agents.alerts.policy import AppriseUrl, EscalationStep, Match, Route, StepCondition
from zen_agents.alerts.routing import (
    because,
    dispatches,
    fact_digest,
    first_channels,
    later_step,
    resolved_dispatches,
)
from zen_agents.model.message import MessageKind
from zen_agents.model.severity import Severity

BOTH = a_policy(smtp_port=25, pagerduty="https://events.example.com")
CRITICAL = Match(severity=frozenset({Severity.CRITICAL}))


def test_without_routes_an_error_pages_and_a_warning_is_mailed() -> None:
    assert first_channels(a_message(severity=Severity.ERROR), BOTH) == ("pagerduty", "email")
    assert first_channels(a_message(severity=Severity.WARNING), BOTH) == ("email",)
    assert first_channels(a_message(severity=Severity.WARNING, urgent=True), BOTH) == ("pagerduty", "email")
    only_pages = a_policy(pagerduty="https://events.example.com")
    assert first_channels(a_message(severity=Severity.WARNING), only_pages) == ("pagerduty",)


def test_the_first_matching_route_wins() -> None:
    policy = replace(
        BOTH,
        routes=(
            Route(("pagerduty",), Match(rule="system_health.ng*"), origin="c.yaml:1:1"),
            Route(("email:managers",), Match(agent="system_health")),
            Route(("email",)),
        ),
    )

    assert first_channels(a_message(), policy) == ("pagerduty",)
    assert first_channels(a_message(name="web"), policy) == ("email:managers",)
    assert because(a_message(), "pagerduty", policy) == "route 1 (c.yaml:1:1) names pagerduty"


def test_a_route_to_channels_that_are_switched_off_does_not_swallow_a_message() -> None:
    policy = replace(a_policy(smtp_port=25), routes=(Route(("pagerduty", "url:chat")),))

    assert first_channels(a_message(), policy) == ("email",)


def test_what_went_well_wakes_nobody() -> None:
    change = a_message(kind=MessageKind.CHANGE, severity=Severity.INFO)

    assert first_channels(change, BOTH) == ("pagerduty",)
    assert first_channels(change, a_policy(smtp_port=25)) == ()
    assert first_channels(change, replace(BOTH, pagerduty=replace(BOTH.pagerduty, change_events=False))) == ()


def test_the_engine_s_own_troubles_are_mailed_and_page_only_with_open_incidents() -> None:
    trouble = a_message(kind=MessageKind.ENGINE, urgent=True)

    assert first_channels(trouble, BOTH) == ("email",)
    assert first_channels(trouble, BOTH, incidents_open=True) == ("pagerduty", "email")
    assert first_channels(trouble, a_policy(pagerduty="https://events.example.com")) == ("pagerduty",)


def test_the_engine_s_own_troubles_reach_groups_where_there_is_no_general_address() -> None:
    policy = replace(a_policy(), routes=(Route(("email:managers",)),))

    assert first_channels(a_message(kind=MessageKind.ENGINE), policy) == ("email:managers",)


def test_mail_waits_for_its_group_and_pages_do_not() -> None:
    policy = replace(BOTH, routes=(Route(("pagerduty", "email")),))
    found = {
        channel: one.not_before
        for one in dispatches(a_message(severity=Severity.WARNING), policy, NIGHT)
        for channel in one.channels
    }
    critical = dispatches(a_message(), policy, NIGHT)

    assert found == {"pagerduty": NIGHT.steady, "email": NIGHT.steady + 30}
    assert [one.not_before for one in critical] == [NIGHT.steady]


def test_escalation_adds_later_channels_and_never_repeats_an_early_one() -> None:
    policy = replace(
        BOTH,
        routes=(Route(("email",)),),
        escalation=(
            EscalationStep(0, ("email",)),
            EscalationStep(300, ("pagerduty", "email")),
            EscalationStep(1800, ("email:managers", "url:gone"), StepCondition.NOT_ACKNOWLEDGED),
        ),
    )
    found = dispatches(a_message(), policy, NIGHT)

    assert [(one.channels, one.not_before - NIGHT.steady) for one in found] == [
        (("email",), 0),
        (("pagerduty",), 300),
        (("email:managers",), 1800),
    ]
    step = later_step(a_message(), "email:managers", policy)
    assert step and step.when is StepCondition.NOT_ACKNOWLEDGED
    assert later_step(a_message(), "email", policy) is None


def test_resolves_close_a_page_at_any_hour() -> None:
    found = resolved_dispatches(("email", "pagerduty", "email:gone"), BOTH, NIGHT)

    assert [one.channels for one in found] == [("pagerduty",), ("email",)]


@pytest.mark.parametrize(
    ("changes", "is_news"),
    [
        ({"host": "load 9"}, False),
        ({"log": ["other"]}, False),
        ({"state": "connection refused, 4 of 4 checks"}, False),
        ({"state": "wrong answer, 3 of 3 checks"}, True),
        ({"did": ["restart", "restart again"]}, True),
        ({"next": "nothing more"}, True),
    ],
)
def test_only_changed_facts_are_news(changes: dict[str, object], is_news: bool) -> None:
    before, after = a_message(), a_message("alr-bbbbbb", facts={**FACTS, **changes})

    assert (fact_digest(before) != fact_digest(after)) is is_news


def test_further_urls_are_channels_of_their_own() -> None:
    policy = replace(BOTH, urls={"chat": AppriseUrl(url="json://localhost")})

    assert first_channels(a_message(severity=Severity.WARNING), policy) == ("email", "url:chat")
    assert "json://" not in repr(policy)
