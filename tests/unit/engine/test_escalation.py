"""Telling people: once for each fact, with what they need, whatever else is broken."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.rig import Rig, Told
from tests.support.state import an_incident, an_intent, an_outcome
from zen_agents.alerts.routing import fact_digest
from zen_agents.clock import Instant
from zen_agents.engine.escalation import Escalation
from zen_agents.engine.journal import Journal
from zen_agents.engine.messages import URGENT, Messages
from zen_agents.errors import StoreError
from zen_agents.model.action import OutcomeKind
from zen_agents.model.duration import duration
from zen_agents.model.incident import Incident
from zen_agents.model.message import MessageKind
from zen_agents.model.observation import Observation, Status
from zen_agents.model.reason import Reason
from zen_agents.rules.condition import StatusIs
from zen_agents.rules.rule import Rule
from zen_agents.rules.window import RecentObservations


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return Rig(tmp_path)


def an_old_incident(rig: Rig, seconds: float = 160.0) -> Incident:
    now = rig.clock.now()
    began = Instant(now.wall, now.steady - seconds)
    return replace(an_incident("inc-1", now), began_at=began, attempts=2, detail="connection refused")


def test_the_summary_says_what_for_how_long_and_what_was_tried(rig: Rig) -> None:
    rig.parts.escalation.incident(an_old_incident(rig), None, Reason.LADDER_EXHAUSTED, rig.clock.now())
    (message,) = rig.told.messages
    assert message.summary.startswith("host: web bad for 2 min 40 s, 2 repairs tried: ")
    assert message.summary.endswith("(inc-1)")
    assert (message.dedup_key, message.kind.value) == ("host/web|service:web", "firing")
    assert message.facts["state"] == "connection refused"
    assert "a person is needed" in message.facts["next"]


def test_what_has_only_begun_to_count_is_bad_for_no_time(rig: Rig) -> None:
    rig.parts.escalation.incident(an_old_incident(rig, seconds=0.0), None, Reason.NO_ACTION, rig.clock.now())
    assert rig.told.messages[0].summary.startswith("host: web bad, 2 repairs tried: ")


def test_what_may_have_to_do_with_it_is_told_the_newest_first_and_is_no_news(rig: Rig) -> None:
    before, incident = rig.clock.now(), an_old_incident(rig)
    for id, whose in (("act-1", "inc-1"), ("act-2", "inc-2")):
        plan = an_intent(id, before).plan
        plan = replace(plan, request=replace(plan.request, incident=whose))
        rig.store.reserve(replace(an_intent(id, before), plan=plan), hourly_limit=9)
        rig.store.finish(an_outcome(id, OutcomeKind.VERIFIED, before))
    at = before.wall.astimezone(UTC)
    later, earlier = (f"{(at + timedelta(hours=hours)).isoformat()}  package upgrade openssl" for hours in (1, -1))
    seen = {"related": [earlier, later], "host": "load 0.4"}
    messages = Messages(store=rig.store, host_name="host", mode_line=str, evidence=lambda _: seen)
    message = messages.firing(incident, None, Reason.LADDER_EXHAUSTED, before)
    own = f"{at.isoformat(timespec='seconds')}  zen-agents: restart_service service:web -> verified (act-2)"
    assert message.facts["related"] == [later, own, earlier]
    assert message.facts["host"] == "load 0.4"
    plain = Messages(store=rig.store, host_name="host", mode_line=str)
    alone = plain.firing(incident, None, Reason.LADDER_EXHAUSTED, before)
    assert alone.facts["related"] == [own]
    assert fact_digest(alone) == fact_digest(message)


def test_the_lines_that_were_found_come_with_the_message_and_are_no_news(rig: Rig) -> None:
    now, incident = rig.clock.now(), an_old_incident(rig)
    rule = Rule("log_analysis.p", "log_analysis", "source:app", StatusIs("pattern.p", "source:app", 60.0), summary="p")
    messages, window = Messages(store=rig.store, host_name="host", mode_line=str), RecentObservations()
    messages.windows.append(window)
    digests = set()
    for lines in ({"line 1": "disk gone", "line 2": "again"}, {"line 1": "another"}, {"unit": "web.service"}):
        window.add(Observation("pattern.p", "source:app", Status.PROBLEM, now, 2.0, "found", "", lines))
        message = messages.firing(incident, rule, Reason.LADDER_EXHAUSTED, now)
        told = [text for name, text in lines.items() if name != "unit"]
        assert message.facts.get("log", []) == told
        assert message.facts.get("log_source", "") == ("pattern.p" if told else "")
        digests.add(fact_digest(message))
    assert len(digests) == 1


def test_who_was_not_told_of_the_beginning_is_not_told_of_the_end(rig: Rig) -> None:
    now, incident = rig.clock.now(), an_old_incident(rig)
    rig.parts.escalation.resolved(incident, None, now)
    assert rig.told.messages == []
    told = replace(incident, escalated_for=Reason.LADDER_EXHAUSTED, resolved_by="itself")
    rig.parts.escalation.resolved(told, None, now)
    (message,) = rig.told.messages
    assert (message.kind.value, message.dedup_key) == ("resolved", "host/web|service:web")
    assert message.facts["state"] == "RECOVERED after 2 min 40 s, by itself, not by the engine."


def test_an_action_is_a_change_and_no_page(rig: Rig) -> None:
    now = rig.clock.now()
    rig.parts.escalation.changed(an_intent("act-1", now), an_outcome("act-1", OutcomeKind.FAILED, now))
    (message,) = rig.told.messages
    assert (message.kind.value, message.facts["outcome"], message.facts["by"]) == ("change", "failed", "engine")


@pytest.mark.parametrize("reason", sorted(URGENT))
def test_a_storm_is_told_once_but_never_hides_what_is_urgent(rig: Rig, reason: Reason) -> None:
    rig.parts.escalation.storm = True
    assert rig.parts.escalation.holds_back(Reason.LADDER_EXHAUSTED)
    assert not rig.parts.escalation.holds_back(reason)


@pytest.mark.parametrize("broken", ["ledger", "actions", "notifier"])
def test_what_is_broken_elsewhere_does_not_keep_people_in_the_dark(
    rig: Rig, broken: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise StoreError("gone")

    if broken == "notifier":
        rig.told.broken = True
    else:
        monkeypatch.setattr(rig.store, "append" if broken == "ledger" else "actions", refuse)
    rig.parts.escalation.incident(an_old_incident(rig), None, Reason.LADDER_EXHAUSTED, rig.clock.now())
    assert len(rig.told.messages) == (0 if broken == "notifier" else 1)


def test_what_is_said_of_the_engine_itself_is_urgent_and_has_its_own_key(rig: Rig) -> None:
    now = rig.clock.now()
    rig.parts.escalation.engine("safe_mode", "the ledger cannot be written", now)
    rig.parts.escalation.engine_resolved("safe_mode", "left by alice", now)
    assert [(m.dedup_key, m.urgent) for m in rig.told.messages] == [("host/engine|safe_mode", True)] * 2


def test_each_telling_is_in_the_ledger(rig: Rig, tmp_path: Path) -> None:
    rig.parts.escalation.engine("emergency_stop", "a drill", rig.clock.now())
    rig.store.commit()
    (row,) = [row for row in rig.store.entries() if row.entry.kind.value == "alert"]
    assert row.entry.id == rig.told.messages[0].id
    assert "emergency stop: a drill" in row.entry.body["summary"]


def test_the_foot_says_the_mode(rig: Rig) -> None:
    told = Told()
    journal = Journal(rig.store, rig.parts.journal._action_log)
    escalation = Escalation(
        notifier=told, store=rig.store, journal=journal, host_name="web-07",
        mode_line=lambda: "enforce, 1 of 5 repairs used this hour",
    )  # fmt: skip
    escalation.incident(an_old_incident(rig), None, Reason.FLAPPING, rig.clock.now())
    assert told.messages[0].facts["mode"] == "enforce, 1 of 5 repairs used this hour"


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(-5, "0 s"), (0, "0 s"), (59.9, "59 s"), (60, "1 min"), (160, "2 min 40 s"), (3600, "1 h"), (11_400, "3 h 10 min"),
     (525_600, "6 d 2 h")],
)  # fmt: skip
def test_durations_for_people(seconds: float, said: str) -> None:
    assert duration(seconds) == said


@given(st.floats(-1e9, 1e9))
def test_any_duration_can_be_said(seconds: float) -> None:
    assert duration(seconds).split(" ")[1] in ("s", "min", "h", "d")


async def test_a_used_up_ladder_is_told_with_every_repair_that_was_tried(rig: Rig) -> None:
    """The incident counts the attempts of its present rung alone, and there is none any more."""
    rig.host.services["web"].hangs = True
    await rig.run(600)
    (message,) = [each for each in rig.told.messages if each.kind is MessageKind.FIRING]
    assert len(message.facts["did"]) == 4
    assert "4 repairs tried: " in message.summary


async def test_a_message_shows_what_the_rule_judged_up_to_that_moment(rig: Rig) -> None:
    await rig.run(300)
    rig.host.services["web"].hangs = True
    await rig.run(600)
    (message,) = [each for each in rig.told.messages if each.kind is MessageKind.FIRING]
    (line,) = message.facts["signal"]
    assert re.fullmatch(r"\?*o+A[Ax]*x up\.web", line)
