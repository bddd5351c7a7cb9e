import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.telling import CONTEXT, FACTS, a_message
from zen_agents.alerts.context import AlertContext
from zen_agents.alerts.evidence import evidence_text
from zen_agents.alerts.pages import MOST_BYTES, page_key, render_change, render_pagerduty
from zen_agents.model.message import MessageKind
from zen_agents.model.severity import Severity


def test_a_trigger_has_the_shape_of_events_v2() -> None:
    event = render_pagerduty(a_message(), CONTEXT)
    details = event["payload"]["custom_details"]

    assert event["event_action"] == "trigger"
    assert event["dedup_key"] == "zen-agents/web-07/system_health.nginx|service:nginx"
    assert event["client_url"] == "https://zen.example.com/i/inc-4k2p7m"
    assert event["links"][1] == {"href": "https://wiki.example.com/rb/nginx", "text": "Runbook"}
    assert event["payload"]["source"] == "web-07"
    assert event["payload"]["timestamp"] == "2026-11-21T03:13:34+01:00"
    assert event["payload"]["group"] == "prod/web"
    assert event["payload"]["class"] == "system_health.nginx"
    assert details["1 state"].startswith("STILL DOWN. nginx on web-07")
    assert details["2 engine did"].startswith("03:12:33 restart_service")
    assert details["5 stop"].endswith("everything: zen-agents stop --emergency")
    assert details["6 undo"] == "zen-agents undo act-1k0q"
    assert "routing_key" not in event


def test_a_page_that_asks_says_what_it_costs_and_how_to_answer() -> None:
    asks = ["risk low, reversible no: it cannot be undone; takes along api.service", "systemctl restart -- nginx.service"]
    details = render_pagerduty(a_message(facts={**FACTS, "approval": "apr-2c8d4k", "asks": asks}), CONTEXT)["payload"][
        "custom_details"
    ]

    assert details["3 asked of you"] == (
        f'{"; ".join(asks)}; zen-agents approve apr-2c8d4k --reason "..."; zen-agents deny apr-2c8d4k --reason "..."'
    )
    assert "3 asked of you" not in render_pagerduty(a_message(), CONTEXT)["payload"]["custom_details"]


@pytest.mark.parametrize("severity", Severity)
def test_severities_are_pagerduty_s_own_words(severity: Severity) -> None:
    payload = render_pagerduty(a_message(severity=severity), CONTEXT)["payload"]

    assert payload["severity"] == severity.value
    assert payload["severity"] in {"info", "warning", "error", "critical"}


def test_a_resolve_carries_the_same_key_and_how_it_ended() -> None:
    over = a_message(kind=MessageKind.RESOLVED, facts={**FACTS, "state": "RECOVERED after 4 min, by itself."})
    event = render_pagerduty(over, CONTEXT)

    assert event["event_action"] == "resolve"
    assert event["dedup_key"] == render_pagerduty(a_message(), CONTEXT)["dedup_key"]
    assert event["payload"]["custom_details"]["1 state"] == "RECOVERED 03:13:34 after 4 min, by itself."


def test_the_key_does_not_change_with_the_incident() -> None:
    first, second = a_message(incident="inc-aaaaaa"), a_message(incident="inc-bbbbbb")

    assert page_key(first.dedup_key) == page_key(second.dedup_key)


def test_long_keys_are_cut_and_stay_apart() -> None:
    one, other = page_key("web-07/" + "r" * 400 + "1"), page_key("web-07/" + "r" * 400 + "2")

    assert len(one) == len(other) == 255
    assert one != other


def test_too_large_an_event_loses_its_log_and_then_its_details() -> None:
    # Each of these characters takes twelve bytes in JSON.
    lines = ["\U0001f525" * 4000] * 10
    wide = dict.fromkeys(("did", "related", "lines", "log"), lines)
    wide |= dict.fromkeys(("next", "why", "mode", "origin"), lines[0])
    event = render_pagerduty(a_message(facts=wide), AlertContext("web-07"))
    without = render_pagerduty(a_message(facts=wide, rule="\U0001f525" * 9000), AlertContext("web-07"))

    assert "log" in render_pagerduty(a_message(), CONTEXT)["payload"]["custom_details"]
    assert "log" not in event["payload"]["custom_details"]
    assert "2 engine did" in event["payload"]["custom_details"]
    assert list(without["payload"]["custom_details"]) == ["note"]
    assert len(json.dumps(event).encode()) < MOST_BYTES
    assert len(json.dumps(without).encode()) < MOST_BYTES


def test_a_trigger_has_what_was_seen_before_the_repair_in_short() -> None:
    facts = {**FACTS, "processes": ["812 java S 3072 MiB 40 s CPU"], "open_files": ["/srv/a", "/srv/b"]}
    details = render_pagerduty(a_message(facts=facts), CONTEXT)["payload"]["custom_details"]

    assert details["evidence"] == "top: 812 java S 3072 MiB 40 s CPU; 2 files open, like /srv/b"


def test_where_a_hung_process_stood_is_told() -> None:
    facts = {**FACTS, "stacks": ["812 java: stopped by a signal, in do_signal_stop"], "descriptors": "240 socket, 3 pipe"}
    message = a_message(facts=facts)
    details = render_pagerduty(message, CONTEXT)["payload"]["custom_details"]

    assert details["evidence"] == "812 java: stopped by a signal, in do_signal_stop"
    assert "STACKS of its threads\n  812 java: stopped by a signal, in do_signal_stop\n" in evidence_text(message)
    assert "DESCRIPTORS that it had open\n  240 socket, 3 pipe\n" in evidence_text(message)


def test_a_change_event_says_what_was_done() -> None:
    facts = {"action": "act-7m3x9k", "outcome": "verified", "by": "engine", "why": "it was down"}
    event = render_change(replace(a_message(facts=facts), kind=MessageKind.CHANGE), CONTEXT)

    assert set(event) == {"payload", "links"}
    assert set(event["payload"]) == {"summary", "timestamp", "source", "custom_details"}
    assert event["payload"]["custom_details"]["outcome"] == "verified"


@settings(max_examples=150, deadline=None)
@given(text=st.text(max_size=3000), kind=st.sampled_from([MessageKind.FIRING, MessageKind.RESOLVED, MessageKind.ROLL_UP]))
def test_every_event_keeps_the_limits_of_the_api(text: str, kind: MessageKind) -> None:
    facts = {"state": text, "did": [text] * 20, "why": text, "next": text, "log": [text] * 50, "lines": [text] * 50}
    message = a_message(kind=kind, facts=facts, summary=text, rule=text[:200], name=text[:300])
    event = render_pagerduty(message, CONTEXT)

    assert len(event["payload"]["summary"]) <= 1024
    assert event["payload"]["summary"].startswith("web-07: ")
    assert 0 < len(event["dedup_key"]) <= 255
    assert event["dedup_key"].isprintable()
    assert len(json.dumps(event).encode()) < 512_000
    assert all(isinstance(value, str) and value.isprintable() for value in event["payload"]["custom_details"].values())
