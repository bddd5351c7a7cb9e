"""The way to people is tried end to end, and what they would get is shown to the letter without sending it."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.command_line import Done, WrittenState
from tests.support.engine_process import free_port
from tests.support.telling import Events, MailBox, event_server, mail_server, secret

Configured = Callable[..., Path]


@pytest.fixture
def mail() -> Iterator[MailBox]:
    with mail_server() as box:
        yield box


@pytest.fixture
def events() -> Iterator[Events]:
    with event_server() as server:
        yield server


@pytest.fixture
def configured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Configured:
    """Return what writes a configuration with the ways to people."""
    for name in ("ALERT_EMAIL", "ALERT_PAGERDUTY_ENABLED", "PAGERDUTY_ROUTING_KEY", "SMTP_URL"):
        monkeypatch.delenv(name, raising=False)
    secret(tmp_path / "key", "K" * 32)

    def write(mail: MailBox | None = None, events: Events | None = None, **more: Any) -> Path:
        alerts: dict[str, Any] = {}
        if mail:
            alerts["email"] = {
                "to": ["ops@example.com"],
                "smtp": {"host": "127.0.0.1", "port": mail.port, "starttls": "never"},
            }
        if events:
            alerts["pagerduty"] = {"enabled": True, "url": events.url, "routing_key_file": str(tmp_path / "key")}
        whole = {"host": {"name": "web-07"}, "agents": {"system_health": {}}, "alerts": {**alerts, **more.pop("alerts", {})}}
        path = tmp_path / "config.yaml"
        path.write_text(json.dumps({**whole, **more}), encoding="utf-8")
        path.chmod(0o600)
        return path

    return write


def smtp(mail: MailBox) -> dict[str, Any]:
    return {"host": "127.0.0.1", "port": mail.port, "starttls": "never"}


def alert(state: WrittenState, config: Path, *words: str) -> Done:
    return state("alert", *words, "-c", str(config))


def test_a_test_reaches_each_channel_and_leaves_no_page_open(
    state: WrittenState, configured: Configured, mail: MailBox, events: Events
) -> None:
    done = alert(state, configured(mail, events), "test", "--severity", "critical")

    assert done.code == 0, done.err
    assert done.out.splitlines() == ["pagerduty    202 accepted (trigger), 202 accepted (resolve)", "email        250 ok"]
    assert events.actions() == ["trigger", "resolve"]
    first, last = events.bodies()
    assert first["dedup_key"] == last["dedup_key"]
    assert first["payload"]["summary"].startswith("web-07: [TEST]")
    assert first["payload"]["severity"] == "critical"
    (arrived,) = mail.mails
    assert arrived["Subject"].startswith("[zen TEST] web-07: [TEST]")
    assert arrived["Auto-Submitted"] == "auto-generated"
    assert [part.get_content_type() for part in arrived.iter_parts()] == ["text/plain", "text/html"]  # type: ignore[attr-defined]


def test_why_not_is_told_for_each_channel_and_the_other_gets_it_all_the_same(
    state: WrittenState, configured: Configured, mail: MailBox, events: Events
) -> None:
    events.statuses = [400]
    done = alert(state, configured(mail, events), "test", "-o", "json")

    assert done.code == 1
    page, letter = done.json()["channels"]
    assert (page["channel"], page["ok"]) == ("pagerduty", False)
    assert page["answer"].startswith("not taken: 400 ")
    assert letter == {"channel": "email", "ok": True, "answer": "250 ok"}


def test_what_may_pass_is_told_apart_from_what_will_not(state: WrittenState, configured: Configured, mail: MailBox) -> None:
    mail.answers = ["451 greylisted, come again"]
    done = alert(state, configured(mail), "test")

    assert done.code == 1
    assert done.out == "email        not taken: 451 greylisted, come again; it may work later\n"


def test_a_route_is_tried_by_its_number_and_what_is_switched_off_says_so(
    state: WrittenState, configured: Configured, mail: MailBox
) -> None:
    routes = [{"match": {"agent": "log_analysis"}, "to": ["email:night"]}, {"to": ["email"]}]
    email = {"to": ["ops@example.com"], "groups": {"night": ["night@example.com"]},
             "smtp": smtp(mail)}  # fmt: skip
    config = configured(alerts={"email": email, "routes": routes})

    assert alert(state, config, "test", "--route", "1").out == "email:night  250 ok\n"
    assert mail.recipients == [["night@example.com"]]
    wrong = alert(state, config, "test", "--route", "3")
    assert (wrong.code, "here 1 to 2, or default" in wrong.err) == (2, True)
    off = alert(state, config, "test", "--channel", "pagerduty")
    assert (off.code, "switched off" in off.err, "email:night" in off.err) == (2, True, True)


def test_quiet_hours_do_not_hold_a_test_but_are_told(state: WrittenState, configured: Configured, mail: MailBox) -> None:
    window = {"name": "all-day", "start": "00:00", "duration": "1d", "timezone": "UTC", "effect": "no_alerts"}
    done = alert(state, configured(mail, maintenance=[window]), "test")

    assert done.out == "email        250 ok\n"
    assert "would wait" in done.err


def test_nobody_to_tell_is_said_with_the_way_to_change_it(state: WrittenState, configured: Configured) -> None:
    done = alert(state, configured(), "test")

    assert done.code == 78
    assert "nobody is told anything: set alerts.email.to" in done.err


def test_a_preview_is_what_a_channel_would_get_and_sends_nothing(
    state: WrittenState, configured: Configured, mail: MailBox, events: Events
) -> None:
    state.incident(
        "inc-aaaa11",
        state.ago(160),
        opened_at=state.ago(150),
        detail="connection refused",
        key="system_health.web|service:web",
    )
    config = configured(mail, events)
    done = alert(state, config, "preview", "inc-aa", "-o", "json")

    assert done.code == 0, done.err
    page, letter = done.json()["items"]
    assert page["event"]["routing_key"] == "REDACTED"
    assert page["event"]["dedup_key"] == "zen-agents/web-07/system_health.web|service:web"
    assert page["event"]["payload"]["custom_details"]["incident"] == "inc-aaaa11"
    headers = dict(letter["headers"])
    assert headers["To"] == "ops@example.com"
    assert headers["Auto-Submitted"] == "auto-generated"
    assert headers["References"] == "<zen-root.inc-aaaa11@web-07>"
    assert "connection refused" in letter["text"]
    assert "zen-agents ack inc-aaaa11" in letter["text"]
    assert ", mode enforce, 0 of 5 repairs used this hour." in " ".join(letter["text"].split())
    assert page["event"]["payload"]["custom_details"]["mode"] == "enforce, 0 of 5 repairs used this hour"
    assert "<table" in letter["html"]
    assert "K" * 32 not in done.out
    plain = alert(state, config, "preview", "inc-aa", "--channel", "email")
    assert "Subject: [zen ERROR] web-07: web bad for 2 min" in plain.out
    assert "<table" in alert(state, config, "preview", "--channel", "email", "--html").out
    assert (mail.mails, events.requests) == ([], [])


def test_a_preview_of_what_is_over_is_the_recovery(state: WrittenState, configured: Configured, events: Events) -> None:
    state.incident("inc-aaaa11", state.ago(160), opened_at=state.ago(150), resolved_at=state.ago(10), resolved_by="engine")
    done = alert(state, configured(events=events), "preview", "@last", "-o", "json")

    (page,) = done.json()["items"]
    assert page["event"]["event_action"] == "resolve"
    assert "RECOVERED" in page["event"]["payload"]["custom_details"]["1 state"]


def test_what_does_not_belong_together_is_refused(state: WrittenState, configured: Configured, events: Events) -> None:
    config = configured(events=events)

    assert "did you mean: zen-agents alert preview inc-aa" in alert(state, config, "test", "inc-aa").err
    assert alert(state, config, "preview", "inc-zz").code == 2
    assert alert(state, config, "test", "--severity", "loud").code == 2


def test_a_configuration_is_tried_online_and_nobody_is_told(
    state: WrittenState, configured: Configured, mail: MailBox, events: Events
) -> None:
    done = state("check-config", "--online", str(configured(mail, events)))

    assert done.code == 0, done.out
    assert "ok       mail             the mail server answers" in done.out
    assert "ok       pagerduty        PagerDuty accepts the routing key" in done.out
    assert mail.mails == []
    # Over is what never began: no page.
    assert events.actions() == ["resolve"]
    assert state("check-config", "--online", "--format", "sarif", str(configured(mail, events))).code == 2


def test_what_does_not_answer_or_is_not_taken_is_told_with_the_next_step(
    state: WrittenState, configured: Configured, mail: MailBox, events: Events
) -> None:
    events.statuses = [400]
    config = configured(mail, events, agents={"system_health": {"services": {"web": {"unit": "nowhere-at-all.service"}}}})
    mail.port = free_port()
    config.write_text(config.read_text(encoding="utf-8").replace('"port": ', f'"port": {mail.port}, "x-was": '), "utf-8")
    done = state("check-config", "--online", "-o", "json", str(config))

    found = {each["name"]: each for each in done.json()["online"]}
    assert (done.code, found["mail"]["state"], found["pagerduty"]["state"]) == (1, "FAILED", "FAILED")
    assert "refused" in found["mail"]["text"]
    assert found["pagerduty"]["text"].startswith("400")
    assert found["pagerduty"]["fix"] == "look at alerts.pagerduty, then: zen-agents alert test"
    # Without systemd nobody can tell.
    assert found["units"]["state"] == "unknown" or "nowhere-at-all.service" in found["units"]["text"]
