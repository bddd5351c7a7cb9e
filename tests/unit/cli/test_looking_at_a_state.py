"""Commands that look work with the engine dead, from the state alone."""

import csv
import io
import json
import os
from dataclasses import replace
from typing import Any

import pytest

from tests.support.command_line import HOSTILE, WrittenState, a_repair, command, guard
from tests.support.engine_process import start_time
from zen_agents.clock import Instant
from zen_agents.model.action import Effect, OutcomeKind
from zen_agents.model.approval import Approval
from zen_agents.model.entry import EntryKind
from zen_agents.model.incident import IncidentState
from zen_agents.model.principal import ENGINE
from zen_agents.model.reason import Reason


def test_a_dead_engine_is_the_first_line_and_what_was_open_follows(state: WrittenState) -> None:
    state.incident("inc-bbbb22", state.ago(300), opened_at=state.ago(300), detail="no process of it runs")
    state.acted("act-bbbb22", state.ago(200), OutcomeKind.FAILED, incident="inc-bbbb22")
    done = state("status")
    lines = done.out.splitlines()
    assert done.code == 3
    assert lines[0].startswith("ENGINE NOT RUNNING")
    assert "zen-agents run" in lines[0]
    assert "1 incident open when it was last seen" in done.out
    assert "act-bbbb22" in done.out
    assert "-> failed" in done.out
    assert len(state("status", "-q").out.splitlines()) == 1


def test_the_emergency_stop_of_a_dead_engine_is_told(state: WrittenState) -> None:
    (state.path / "EMERGENCY_STOP").write_text("set by a test\n", encoding="utf-8")
    done = state("status")
    assert done.out.splitlines()[1].startswith("EMERGENCY STOP is set")
    body = state("status", "-o", "json").json()
    assert (body["health"], body["emergency_stop"]) == ("not running", True)


def test_a_repair_is_told_from_its_first_bad_look_to_its_end(state: WrittenState) -> None:
    a_repair(state)
    done = state("why", "inc-aaaa11")
    text = done.out
    assert done.code == 0
    order = [
        "was bad from", "check     connection refused", "dec-aaaa11 ACT restart_service service:web, attempt 1 of 4",
        "allow_list", "config.yaml:38:5", "2 more guards were asked, all passed",
        "action    act-aaaa11 restart_service service:web in 1.5 s", '["systemctl", "restart", "web.service"]',
        "detail    restarted", "exit code 0", "| done", "dec-aaaa13 RESOLVE", "verify    act-aaaa11 VERIFIED after 4.0 s",
        "alr-aaaa11 resolved: web recovered", "What happens next: nothing, it is over.",
    ]  # fmt: skip
    places = [text.find(piece) for piece in order]
    assert -1 not in places, [piece for piece, place in zip(order, places, strict=True) if place < 0]
    # The alert is the last entry of the ledger, the guards belong to their decision.
    assert places[:9] == sorted(places[:9])
    assert "settling" not in text
    assert "/etc/zen-agents/config.yaml:38:5" in state("why", "inc-aaaa11", "-v").out
    assert "settling" in state("why", "inc-aaaa11", "-v").out


def test_an_action_leads_to_its_incident_and_an_act_by_hand_to_its_own_chain(state: WrittenState) -> None:
    a_repair(state)
    state.acted("act-cccc33", state.ago(5), OutcomeKind.VERIFIED, incident=None, by="alice")
    assert state("why", "act-aaaa11").out == state("why", "inc-aaaa11").out == state("why").out
    by_hand = state("why", "act-cccc33")
    assert by_hand.out.startswith("alice ran restart_service service:web: it is down")
    assert "VERIFIED after 4.0 s" in by_hand.out
    assert state("why", "act-cccc33", "-o", "json").json()["chain"][0]["kind"] == "intent"
    assert "by alice" in state("actions").out or "alice" in state("actions").out


def test_a_decision_is_shown_with_every_guard_refusals_first(state: WrittenState) -> None:
    guards = [guard("mode"), guard("cooldown", "deny", reason="cooldown", value="4m left", origin="/x/c.yaml:41:7")]
    state.decided("dec-dddd44", state.ago(10), action="restart_service", guards=guards, detail="attempt 1 of 4")
    for words in (
        ("why", "dec-dd"),
        ("decisions", "show", "dec-dddd44"),
        ("decisions", "show", "@last"),
        ("decisions", "dddd"),
    ):
        lines = state(*words).out.splitlines()
        assert "system_health.web on service:web" in lines[0]
        answers = [line.split()[0] for line in lines if line.startswith("    ")]
        assert answers == ["cooldown", "mode"]


def test_why_not_says_what_blocked_first_and_how_to_pass_it(state: WrittenState) -> None:
    until = state.clock.now().steady + 250
    refusal = guard("cooldown", "deny", reason="cooldown", value="4m12s left (10m after act-7m3x)", until=until)
    state.incident("inc-aaaa11", state.ago(100))
    state.decided("dec-eeee55", state.ago(10), action="restart_service", guards=[guard("mode", value="enforce"), refusal])
    for name in ("web", "system_health.web", "service:web"):
        done = state("why", "--not", name)
        assert done.code == 0
        assert "BLOCKED by cooldown, 4 min" in done.out
        assert "--override cooldown --reason TEXT" in done.out
        assert done.out.index("    cooldown") < done.out.index("    mode")


def test_why_not_looks_behind_waiting_and_escalations(state: WrittenState) -> None:
    refusal = guard("pause", "deny", reason="paused", value="paused by root")
    state.decided("dec-ffff66", state.ago(900), reason="paused", action="restart_service", guards=[refusal])
    state.decided("dec-ffff67", state.ago(10), outcome="alert", reason="refused_too_long", detail="A person paused this.")
    state.decided("dec-ffff68", state.ago(5), reason="escalated")
    done = state("why", "--not", "web")
    assert "BLOCKED by refused_too_long: A person paused this." in done.out
    assert "pause" in done.out
    assert "zen-agents act restart_service web --reason TEXT" in done.out
    assert state("why", "--not", "web", "-o", "json").json()["id"] == "dec-ffff67"


def test_why_not_can_be_asked_about_an_earlier_time(state: WrittenState) -> None:
    state.decided("dec-gggg77", state.ago(3600), reason="cooldown", guards=[guard("cooldown", "deny", reason="cooldown")])
    state.decided("dec-gggg78", state.ago(5), reason="rate_limit", guards=[guard("rate_limit", "deny", reason="rate_limit")])
    assert "BLOCKED by rate_limit" in state("why", "--not", "web").out
    assert "BLOCKED by cooldown" in state("why", "--not", "web", "--at", "30m").out
    assert state("why", "web", "--at", "30m").code == 2


def test_what_nobody_passes_is_not_offered(state: WrittenState) -> None:
    for reason in ("emergency_stop", "not_allowed", "protected"):
        refusal = guard(reason, "deny", reason=reason)
        state.decided(f"dec-{reason[:6]}", state.ago(5), reason=reason, action="restart_service", guards=[refusal])
        assert "--override" not in state("why", "--not", "web").out


def test_a_check_that_no_rule_covers_names_the_nearest(state: WrittenState) -> None:
    state.decided("dec-hhhh88", state.ago(5))
    done = state("why", "--not", "system_health.wbe")
    assert done.code == 2
    assert "did you mean 'system_health.web'?" in done.err
    assert state("why", "--not", "cpu steal time").code == 2


def lives(state: WrittenState) -> None:
    """Make it look as if an engine worked on a state."""
    (state.path / "engine.lock").write_text(f"{os.getpid()} {start_time(os.getpid())}\n", encoding="ascii")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"state": IncidentState.VERIFYING, "action": "act-aaaa11", "verify_deadline": 30.0}, "act-aaaa11 has to show by "),
        ({"outcome_unknown": True}, "only people act on service:web until: zen-agents resume target:service:web"),
        ({"acknowledged_by": "alice", "acknowledged_until": 600.0}, "alice has it until "),
        ({"acknowledged_by": "alice", "acknowledged_until": 600.0, "keep_acting": True}, "decided again at the next look"),
        ({"acknowledged_by": "alice", "acknowledged_until": -1.0}, "decided again at the next look"),
        (
            {"state": IncidentState.ESCALATED, "escalated_for": Reason.LADDER_EXHAUSTED},
            "Every rung was tried without success.",
        ),
        ({"refused_for": Reason.MAINTENANCE}, f"refused so far: {Reason.MAINTENANCE.sentence}"),
        ({"next_attempt_at": 35.5, "attempts": 3}, "(in 35 s)."),
        ({}, "it is decided again at the next look."),
    ],
)
def test_what_happens_next_for_each_state_of_an_incident(state: WrittenState, changes: dict[str, Any], said: str) -> None:
    lives(state)
    now = state.clock.now().steady
    for name in ("verify_deadline", "acknowledged_until", "next_attempt_at"):
        if name in changes:
            changes = {**changes, name: now + changes[name]}
    state.incident("inc-aaaa11", state.ago(100), opened_at=state.ago(100), **changes)
    state.decided("dec-aaaa11", state.ago(90))
    assert said in state("why", "@open").out
    assert said in state("why", "inc-aaaa11", "-o", "json").json()["next"]
    assert said in state("why", "--not", "web").out


def test_with_the_engine_dead_nothing_happens_next(state: WrittenState) -> None:
    state.incident("inc-aaaa11", state.ago(100), opened_at=state.ago(100))
    assert "the engine is not running" in state("why", "@open").out


def test_a_retry_shows_only_what_is_new(state: WrittenState) -> None:
    began = state.ago(600)
    state.incident("inc-aaaa11", began, opened_at=began)
    for number in (1, 2, 3):
        at = began.after(number * 60)
        state.decided(
            f"dec-aaaa1{number}", at, outcome="act", reason="retry", action="restart_service",
            detail=f"attempt {number} of 4", guards=[guard("mode"), guard("lease"), guard("breaker")],
        )  # fmt: skip
        state.acted(f"act-aaaa1{number}", at.after(1), OutcomeKind.FAILED)
        state.decided(f"dec-bbbb1{number}", at.after(10), reason="backoff")
    text = state("why", "inc-aaaa11").out
    assert text.count("mode ") == 1
    assert text.count("3 guards were asked, all passed") == 2
    assert text.count('["systemctl"') == 1
    assert text.count("FAILED after 4.0 s") == 3
    assert text.count("SKIP service:web: backoff") == 3
    assert state("why", "inc-aaaa11", "-v").out.count("mode ") == 3


def test_ids_are_found_by_any_unique_beginning(state: WrittenState) -> None:
    state.acted("act-aaaa11", state.ago(50), OutcomeKind.VERIFIED)
    state.acted("act-aabb22", state.ago(10), OutcomeKind.FAILED)
    assert state("actions", "show", "act-aab").out.startswith("act-aabb22")
    assert state("actions", "show", "aab").out.startswith("act-aabb22")
    assert state("actions", "show", "@last").out.startswith("act-aabb22")
    ambiguous = state("actions", "show", "act-aa")
    assert (ambiguous.code, "act-aaaa11, act-aabb22" in ambiguous.err) == (2, True)
    misspelt = state("actions", "show", "act-aabb23")
    assert (misspelt.code, "did you mean 'act-aabb22'?" in misspelt.err) == (2, True)
    for words in (("show",), ("show", "a", "b"), ("list", "act-aab"), ("show", "@first")):
        assert state("actions", *words).code == 2
    assert state("actions", "show", "@open").code == 2


def test_lists_are_filtered(state: WrittenState) -> None:
    state.acted("act-aaaa11", state.ago(50), OutcomeKind.VERIFIED)
    state.acted("act-bbbb22", state.ago(40), OutcomeKind.FAILED, incident="inc-other1")
    state.acted("act-cccc33", state.ago(30), OutcomeKind.UNKNOWN, by="alice")

    def listed(*words: str) -> list[str]:
        return state("actions", "-o", "name", *words).out.split()

    assert listed() == ["act-cccc33", "act-bbbb22", "act-aaaa11"]
    assert listed("--outcome", "failed,unknown") == ["act-cccc33", "act-bbbb22"]
    assert listed("--by", "alice") == ["act-cccc33"]
    assert listed("--target", "web", "--limit", "1") == ["act-cccc33"]
    assert listed("--target", "db") == []
    assert listed("--incident", "inc-oth") == ["act-bbbb22"]
    assert listed("--since", "35s") == ["act-cccc33"]
    assert listed("--until", "35s") == ["act-bbbb22", "act-aaaa11"]
    assert "FAILED" in state("actions").out
    wrong = state("actions", "--outcome", "faild")
    assert (wrong.code, "did you mean 'failed'?" in wrong.err) == (2, True)
    assert state("actions", "--since", "1h", "--until", "2h").code == 2
    empty = state("actions", "--since", "1s")
    assert (empty.code, empty.out) == (0, "")
    assert "no such action since 1s" in empty.err


def test_decisions_are_filtered_by_reason_and_outcome(state: WrittenState) -> None:
    state.decided("dec-aaaa11", state.ago(50), reason="cooldown")
    state.decided("dec-bbbb22", state.ago(40), outcome="act", reason="held", incident="inc-zzzz99")
    assert state("decisions", "--reason", "cooldown", "-o", "name").out == "dec-aaaa11\n"
    assert state("decisions", "--outcome", "act,ask", "-o", "name").out == "dec-bbbb22\n"
    assert state("decisions", "--incident", "inc-z", "--target", "web", "-o", "name").out == "dec-bbbb22\n"
    assert "did you mean 'cooldown'?" in state("decisions", "--reason", "cooldwn").err
    assert state("decisions", "--target", "nope").err == "no such decision since 1d\n"


def test_what_has_not_lasted_is_no_incident_yet(state: WrittenState) -> None:
    state.incident("inc-aaaa11", state.ago(20), state=IncidentState.SUSPECTED, opened_at=None)
    state.incident("inc-bbbb22", state.ago(10), opened_at=state.ago(10), target="service:db")
    assert state("incidents", "-o", "name").out == "inc-bbbb22\n"
    assert set(state("incidents", "-v", "-o", "name").out.split()) == {"inc-aaaa11", "inc-bbbb22"}
    assert state("incidents", "--open", "--target", "db", "-o", "name").out == "inc-bbbb22\n"
    assert state("incidents", "show", "@open").out.startswith("system_health.web on service:db is DOWN")


def test_events_are_told_oldest_first_in_words(state: WrittenState) -> None:
    a_repair(state)
    state.happened(EntryKind.HUMAN, "pause", state.ago(3), {"uid": 0, "scope": "host", "for_seconds": 3600.0})
    state.happened(EntryKind.ENGINE, "started", state.ago(2), {"config": "0123456789abcdef", "dry_run": False})
    lines = state("events").out.splitlines()
    assert [line.split()[1] for line in lines[:2]] == ["intent", "outcome"] or "dec-aaaa11" in lines[0]
    assert any("verified after 4.0 s - restarted" in line for line in lines)
    assert "engine: for 1 h, scope host" in lines[-2]
    assert "config 012345, dry_run no" in lines[-1]
    assert "uid" not in lines[-2]
    only = state("events", "--kind", "human,engine", "-o", "jsonl").out.splitlines()
    assert [json.loads(line)["kind"] for line in only] == ["human", "engine"]
    assert state("events", "--limit", "1").out == lines[-1] + "\n"
    assert "did you mean 'human'?" in state("events", "--kind", "humn").err
    assert state("events", "--since", "1s").err == "nothing happened since 1s\n"


def test_many_entries_are_read_only_as_far_as_it_takes(state: WrittenState) -> None:
    for number in range(1200):
        state.decided(f"dec-{number:06d}", state.ago(2000 - number), reason="backoff")
    state.decided("dec-zzzzzz", state.ago(4000), reason="cooldown")
    assert state("decisions", "show", "dec-000003").code == 0
    assert state("decisions", "--limit", "1", "-o", "name").out == "dec-zzzzzz\n"
    assert len(state("decisions", "--reason", "backoff", "--limit", "1000", "-o", "name").out.split()) == 1000


def test_breakers_say_how_long_they_have_been_open(state: WrittenState) -> None:
    assert state("breaker").err == "no breaker has counted a failure\n"
    state.broke("restart_service|service:web", opened=90)
    assert "restart_service|service:web  open" in state("breaker", "list").out
    assert "1 min 30 s" in state("breaker").out
    assert state("breaker", "-o", "json").json()["items"][0]["open_seconds"] > 89
    assert state("breaker", "reset").code == 2


def test_the_ledger_is_verified_and_exported_in_each_form(state: WrittenState) -> None:
    a_repair(state)
    assert state("audit", "verify").out.startswith("OK  ")
    assert state("audit", "verify", "-o", "json").json()["ok"] is True
    plain = state("audit", "export").out
    entries = [json.loads(line) for line in plain.splitlines()]
    assert plain.count("\n") == len(entries)
    assert state("audit", "export", "--format", "jsonl").out == plain == state("audit", "export", "-o", "jsonl").out
    assert state("audit", "export", "-o", "json").json()["items"] == entries
    rows = list(csv.DictReader(io.StringIO(state("audit", "export", "-o", "csv").out)))
    assert [row["id"] for row in rows] == [entry["id"] for entry in entries]
    assert state("audit", "export", "--since", "1s").out == ""
    assert state("audit", "export", "--since", "1s", "-o", "json").json()["items"] == []


def test_a_broken_chain_is_exit_seven_with_its_place(state: WrittenState) -> None:
    a_repair(state)
    state.store.commit()
    connection = state.store._file.connection
    connection.execute("DROP TRIGGER ledger_drops_only_bodies")
    connection.execute("UPDATE ledger SET actor = 'mallory' WHERE seq = 2")
    connection.commit()
    done = state("audit", "verify")
    assert done.code == 7
    assert done.out.startswith("BROKEN at entry 2")
    assert state("audit", "verify", "-o", "json").code == 7


def test_text_from_outside_never_reaches_the_terminal_as_it_came(state: WrittenState) -> None:
    began = state.ago(60)
    state.incident("inc-aaaa11", began, opened_at=began, detail=HOSTILE)
    state.decided("dec-aaaa11", began, detail=HOSTILE, seen=HOSTILE, guards=[guard("cooldown", "deny", value=HOSTILE)])
    state.acted(
        "act-aaaa11", began, OutcomeKind.FAILED, effect=Effect(False, HOSTILE, before=HOSTILE, output=f"x\n{HOSTILE}\n")
    )
    state.happened(EntryKind.HUMAN, "ack", began, {"reason": HOSTILE}, incident="inc-aaaa11")
    state.broke(HOSTILE, opened=1)
    for words in (
        ("status",), ("incidents",), ("actions",), ("decisions",), ("events",), ("breaker",), ("why", "-v"),
        ("why", "--not", "web"), ("actions", "show", "@last", "-v"), ("decisions", "show", "@last"), ("audit", "export"),
        ("audit", "export", "-o", "csv"), ("audit", "export", "-o", "json"), ("audit", "verify"), ("events", "-o", "yaml"),
    ):  # fmt: skip
        done = state(*words)
        said = (done.out + done.err).replace("\n", "")
        assert said.isprintable(), words


def test_every_reason_of_a_refusal_can_be_shown(state: WrittenState) -> None:
    for number, reason in enumerate(Reason):
        state.decided(f"dec-rr{number:04d}", state.ago(500 - number), reason=reason.value, action="restart_service")
        assert state("decisions", "show", "@last").code == 0
        assert state("why", "--not", "web").code == 0


def test_a_damaged_state_is_told_and_the_engine_is_told_from_it(state: WrittenState) -> None:
    state.store.commit()
    state.store.close()
    for path in state.path.glob("state.db*"):
        path.write_bytes(b"\x00\xffno database" * 500)
    done = command("status", "--state-dir", str(state.path))
    lines = done.out.splitlines()
    assert done.code == 3
    assert lines[0].startswith("ENGINE NOT RUNNING")
    assert lines[1].startswith("STATE NOT READABLE: ")
    assert len(lines) == 2
    assert command("status", "-o", "json", "--state-dir", str(state.path)).json()["health"] == "not running"
    for words in (("why",), ("actions",), ("audit", "verify"), ("breaker",)):
        failed = command(*words, "--state-dir", str(state.path))
        assert (failed.code, failed.out, failed.err.count("\n")) == (1, "", 1)


def test_names_alone(state: WrittenState) -> None:
    a_repair(state)
    assert state("why", "-o", "name").out == "inc-aaaa11\n"
    assert state("why", "act-aaaa11", "-o", "name").out == "inc-aaaa11\n"
    assert state("decisions", "show", "@last", "-o", "name").out == "dec-aaaa13\n"
    assert state("audit", "verify", "-o", "name").code == 2


def test_what_was_asked_and_what_a_person_did_are_one_line_each_without_plans_and_digests(state: WrittenState) -> None:
    a_repair(state)
    digest = "309c21e0" * 8
    plan = {"action": "restart_service", "steps": ["run it"], "digest": digest}
    asked = {
        "approval": "apr-aaaa11", "action": "restart_service", "target": "service:web", "needed": 2, "agreed": 1,
        "because": "no process of it runs", "digest": digest, "plan": plan, "state": "pending",
    }  # fmt: skip
    state.happened(EntryKind.ENGINE, "approval_asked", state.ago(60), asked, incident="inc-aaaa11")
    undone = {"reason": "a test", "target": "service:web", "digest": digest, "guards": [guard("pause"), guard("mode")]}
    state.happened(EntryKind.HUMAN, "undo", state.ago(50), undone, incident="inc-aaaa11", by="alice")
    question = "apr-aaaa11 asks for restart_service service:web, 1 of 2 agreed: no process of it runs"
    for words in (("why", "inc-aaaa11"), ("events", "--since", "1h")):
        lines = state(*words).out.splitlines()
        assert any(line.endswith(question) for line in lines)
        assert any(line.endswith("alice: reason a test, target service:web") for line in lines)
        assert not any(digest in line or "{" in line for line in lines)


def _asked(id: str, at: Instant, incident: str | None) -> Approval:
    return Approval(
        id=id, digest="d", action="restart_service", target="service:web", agent="system_health", rule="", incident=incident,
        requested_by=ENGINE, needed=1, asked_at=at, expires_at=at.steady + 600, because="it is down", answers=(), plan={},
    )  # fmt: skip


def test_why_takes_a_question_for_what_it_is_about(state: WrittenState) -> None:
    a_repair(state)
    state.store.save_approval(_asked("apr-aaaa11", state.ago(60), "inc-aaaa11"))
    state.store.save_approval(replace(_asked("apr-bbbb22", state.ago(50), None), target="service:db"))
    state.store.commit()
    assert state("approvals", "show", "apr-aaaa11", "-o", "json").json()["state"] == "pending"
    asked = state("why", "apr-aaaa11")
    assert (asked.code, asked.out) == (0, state("why", "inc-aaaa11").out), asked.err
    done = state("why", "apr-bbbb22")
    assert (done.code, "zen-agents approvals show apr-bbbb22" in done.err) == (2, True)
