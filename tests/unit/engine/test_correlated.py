"""What belongs to an incident, over a real store: shared keys, what muted it, and what it mostly follows."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.rig import Rig
from tests.support.state import an_incident
from zen_agents.engine.correlated import Correlated
from zen_agents.engine.escalation import Escalation
from zen_agents.engine.messages import Messages
from zen_agents.model.entry import Entry, EntryKind
from zen_agents.model.incident import Incident, incident_key
from zen_agents.model.observation import Observation, Status, facts_of_lines
from zen_agents.model.reason import Reason
from zen_agents.rules.window import RecentObservations

ADDRESS = ("address", "203.0.113.5")


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return Rig(tmp_path)


def an(rig: Rig, id: str, pattern: str, source: str, *, ago: float = 60.0, shared: object = (ADDRESS,)) -> Incident:
    """Keep an incident of a pattern, and what was observed of it."""
    at, target = rig.clock.now().after(-ago), f"source:{source}"
    rule = f"log_analysis.{pattern}"
    made = replace(
        an_incident(id, at, target=target), rule=rule, agent="log_analysis", opened_at=at, key=incident_key(rule, target)
    )
    facts = facts_of_lines([f"line of {id}"], [0.0], shared)  # type: ignore[arg-type]
    rig.store.save_incident(made)
    rig.store.record_observations([Observation(f"pattern.{pattern}", target, Status.PROBLEM, at, 1.0, "", "", facts)])
    rig.store.commit()
    return made


def told(rig: Rig, incident: Incident) -> list[tuple[str, str]]:
    found = Correlated(rig.store).about(incident, rig.clock.now().steady)
    return [(related.incident.id, related.why) for related in found]


def test_incidents_of_several_sources_about_one_address_belong_together(rig: Rig) -> None:
    web, ssh = an(rig, "inc-web", "attacks", "web", ago=300), an(rig, "inc-ssh", "guessing", "auth")
    an(rig, "inc-other", "guessing", "other", shared=[("address", "198.51.100.7")])
    assert told(rig, ssh) == [("inc-web", "the same address 203.0.113.5")]
    assert told(rig, web) == [("inc-ssh", "the same address 203.0.113.5")]


def test_a_pattern_belongs_to_the_target_that_its_ladder_names(rig: Rig) -> None:
    crash = an(rig, "inc-crash", "crashed", "app", shared=[("target", "web")])
    at = rig.clock.now().after(-50)
    rig.store.save_incident(replace(an_incident("inc-down", at), opened_at=at))
    rig.store.commit()
    assert told(rig, crash) == [("inc-down", "the same target web")]


def test_what_is_left_out_of_records_and_this_hosts_own_name_join_nothing(rig: Rig) -> None:
    rig.store.put("host_name", "web-07.example.com")
    shared = [("user", "[redacted]"), ("host", "web-07")]
    one = an(rig, "inc-1", "a", "x", shared=shared)
    an(rig, "inc-2", "b", "y", shared=shared)
    assert told(rig, one) == []


def test_what_mostly_comes_after_another_is_told_with_how_often(rig: Rig) -> None:
    for day in range(1, 5):
        an(rig, f"inc-a{day}", "disk_slow", "db", ago=day * 86_400.0, shared=())
        an(rig, f"inc-b{day}", "timeouts", "app", ago=day * 86_400.0 - 60, shared=())
    first = an(rig, "inc-a0", "disk_slow", "db", ago=100, shared=())
    then = an(rig, "inc-b0", "timeouts", "app", ago=40, shared=())
    assert told(rig, then) == [("inc-a0", "this came 5 of 5 times within 5 min after it")]
    assert told(rig, first) == [("inc-b0", "came 5 of 5 times within 5 min after this")]


def test_what_was_muted_by_a_root_belongs_to_it(rig: Rig) -> None:
    at = rig.clock.now().after(-50)
    root, down = (replace(an_incident(id, at, target=f"service:{id}"), opened_at=at) for id in ("inc-db", "inc-web"))
    for each in (root, down):
        rig.store.save_incident(each)
    said = {"reason": Reason.DEPENDENCY_DOWN.value, "detail": "muted by service:db (inc-db): Requires= of web.service"}
    rig.store.append(Entry(EntryKind.DECISION, "dec-1", at, "system_health", "inc-web", None, said))
    rig.store.commit()
    assert told(rig, down) == [("inc-db", "this waited for it: Requires= of web.service")]
    assert told(rig, root) == [("inc-web", "waited for this: Requires= of web.service")]


def test_the_message_has_it_and_says_what_it_is_about_but_of_a_storm_only_the_first(rig: Rig) -> None:
    an(rig, "inc-web", "attacks", "web", ago=300)
    ssh = an(rig, "inc-ssh", "guessing", "auth")
    messages = Messages(store=rig.store, host_name="host", mode_line=str)
    messages.windows.append(RecentObservations())
    facts = [messages.firing(ssh, None, Reason.NO_ACTION, rig.clock.now()).facts for _ in range(7)]
    assert facts[0]["together"] == ["address 203.0.113.5"]
    assert [line.partition("  ")[2] for line in facts[0]["related"]] == [
        "inc-web log_analysis.attacks on source:web: the same address 203.0.113.5"
    ]
    assert ["together" in each for each in facts] == [True] * 6 + [False]


def test_a_state_that_does_not_answer_does_not_keep_people_in_the_dark(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    ssh = an(rig, "inc-ssh", "guessing", "auth")
    escalation: Escalation = rig.parts.escalation

    def refuse(**_: object) -> None:
        raise OSError("gone")

    monkeypatch.setattr(rig.store, "incidents", refuse)
    escalation.incident(ssh, None, Reason.NO_ACTION, rig.clock.now())
    assert len(rig.told.messages) == 1
