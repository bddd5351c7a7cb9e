"""The oracle finds nothing in a sound record, and each spoilt one by the rule that it breaks."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from chaos.invariants import RULES, UNSEEN, Deed, violations
from tests.support.story import ALICE, SAID, Story
from zen_agents.errors import StoreError
from zen_agents.model.action import OutcomeKind, Resource, ResourceKind
from zen_agents.model.principal import ENGINE, Principal
from zen_agents.ports.store import Brake

V = OutcomeKind
Spoil = Callable[[Story], object]


def broken(story: Story) -> list[str]:
    return [violation.rule for violation in violations(story.close())]


@pytest.fixture
def story(tmp_path: Path) -> Story:
    return Story(tmp_path)


def test_a_sound_record_breaks_no_rule(story: Story) -> None:
    story.engine("started", mode="enforce", dry_run=False)
    story.repair()
    story.pass_time(700)
    story.repair("service:db", final=V.FAILED, over="")
    story.human("pause", scope="target:service:web", for_seconds=60.0, reason="looking")
    story.undo(story.by_hand())
    story.pass_time(301)
    story.repair()
    story.human("safe_mode", on=True)
    story.engine("safe_mode_on", reason="me", by="alice")
    story.engine("safe_mode_off", reason="me", by="alice")
    story.engine("emergency_stop", set=True, text="set")
    story.human("resume_emergency", reason="done")
    story.engine("emergency_stop", set=False, text="")
    story.pass_time(700)
    story.repair()
    story.escalate("inc-away", alert="alt-1")
    plan = story.plan("service:mail", incident="inc-going")
    story.decide(plan)
    story.reserve(plan)
    assert violations(story.close()) == []


def undone_twice(story: Story) -> None:
    undone = story.by_hand()
    story.undo(undone)
    story.undo(undone)


def undone_early(story: Story) -> None:
    undone = story.reserve(story.plan("service:db", by=ALICE))
    story.store._file.connection.execute("DELETE FROM leases")
    story.undo(undone)


def undone_unasked(story: Story) -> None:
    plan = story.plan(by=ALICE)
    request = replace(plan.request, action="give_back_file", params={"undoes": story.by_hand().id})
    story.human("undo", undoes="act-other", target="service:web")
    story.finish(story.reserve(replace(plan, request=request)), V.VERIFYING, V.VERIFIED)


def safe_mode(story: Story) -> None:
    story.engine("safe_mode_on", reason="storm", by="engine")
    story.repair()


def stop(story: Story) -> None:
    story.engine("emergency_stop", set=True, text="set by alice")
    story.by_hand()
    story.pass_time(60)
    story.engine("emergency_stop", set=False, text="")


def stop_still_set(story: Story) -> None:
    story.engine("emergency_stop", set=True, text="set by alice")
    (story.folder / "EMERGENCY_STOP").write_text("set by alice")
    story.by_hand()


def pause(scope: str) -> Spoil:
    def spoil(story: Story) -> None:
        story.human("pause", scope=scope, for_seconds=60.0, reason="looking")
        story.repair()

    return spoil


def observe(story: Story) -> None:
    story.engine("started", mode="observe", dry_run=False)
    story.repair()


def dry_run(story: Story) -> None:
    story.engine("started", mode="enforce", dry_run=True)
    story.by_hand()


def unknown(story: Story) -> None:
    story.repair(final=V.UNKNOWN, over="")
    story.pass_time(700)
    story.repair()


def over_too_early(story: Story) -> None:
    plan = story.plan(incident="inc-1")
    story.decide(plan)
    intent = story.reserve(plan)
    story.decide(plan, outcome="resolve", status="ok")
    story.finish(intent, V.VERIFYING, V.VERIFIED)


def storm(story: Story) -> None:
    for name in ("a", "b", "c"):
        story.repair(f"service:{name}", final=V.FAILED, over="")
    story.repair(said={**SAID, "storm_brake": "1 of 5 targets failed within 5m"})


def rearmed(story: Story) -> None:
    plan = story.plan(incident="inc-1")
    story.decide(plan)
    story.human("resume", scope="host")
    story.reserve(plan)


def two_at_once(story: Story) -> None:
    for name in ("web", "db"):
        plan = story.plan(f"service:{name}", incident=f"inc-{name}")
        story.decide(plan)
        intent = story.reserve(plan)
    story.finish(intent, V.FAILED)


def same_target(story: Story) -> None:
    for incident in ("inc-1", "inc-2"):
        plan = story.plan(incident=incident)
        story.decide(plan)
        intent = story.reserve(plan)
        story.finish(intent, V.VERIFYING)
        story.store._file.write("release_lease", {"action": intent.id})


def hour(story: Story) -> None:
    for number in range(6):
        story.repair(f"service:s{number}")


def on_target(story: Story) -> None:
    for _ in range(5):
        story.repair(said={**SAID, "rate_limit": "0 of 9 repairs this hour, 0 of 4 for this target, 0 of 1 running"})
        story.pass_time(100)


def cooldown(story: Story) -> None:
    story.repair()
    story.pass_time(10)
    story.repair()


def breaker(story: Story) -> None:
    for _ in range(3):
        story.repair(final=V.FAILED, over="")
        story.pass_time(100)
    story.repair(said={**SAID, "breaker": "closed (2 of 3 failures in 1h)"})


def recurrence(story: Story) -> None:
    for _ in range(4):
        story.repair()
        story.pass_time(3600)


def decision_reused(story: Story) -> None:
    plan = story.plan(incident="inc-1")
    story.decide(plan)
    for _ in range(2):
        story.finish(story.reserve(plan), V.FAILED)


def touching(kind: ResourceKind, name: str) -> Spoil:
    return lambda story: story.repair(touches=(Resource(kind, name),))


def ended_twice(story: Story) -> None:
    intent = story.repair()
    story.finish(intent, V.FAILED)


def forgotten(story: Story) -> None:
    plan = story.plan(incident="inc-1")
    story.decide(plan)
    story.reserve(plan)
    story.store.commit()
    connection = sqlite3.connect(story.folder / "state.db")
    connection.execute("DELETE FROM actions")
    connection.commit()
    connection.close()


def another_kind(story: Story) -> None:
    intent = story.repair()
    story.store._file.write(
        "finish_action",
        {"id": intent.id, "kind": "failed", "ended_at": 1.0, "ended_wall": 1.0, "took_seconds": 1.0, "effect": "{}"},
    )


def told_twice(story: Story) -> None:
    story.escalate("inc-9", alert="alt-1")
    story.alert("alt-2", "inc-9")


def not_in_outbox(story: Story) -> None:
    story.escalate("inc-8", alert="alt-1")
    story.escalate("inc-9", alert="alt-2", outbox=False)


@pytest.mark.parametrize(
    ("found", "spoil"),
    [
        (r"R16: .* done 2 times", lambda story: story.journal.intended(story.repair())),
        (r"R16: .* or twice", ended_twice),
        (r"R16: .* nobody verifies it", forgotten),
        (r"R16: .* failed in the state and verified in the ledger", another_kind),
        (r"R4: .* without a decision", lambda story: story.repair(decided=False)),
        (r"R4: .* although skip was decided", lambda story: story.repair(outcome="skip")),
        (r"R4: .* without asking storm_brake", lambda story: story.repair(silent="storm_brake")),
        (r"R4: .* against protected", lambda story: story.repair(refusing="protected")),
        (r"R4: .* without a person's word", lambda story: story.by_hand(wished=False)),
        (r"R4: .* rests on the decision that", decision_reused),
        (r"R2: .* said unknown", lambda story: story.repair(status="unknown")),
        (r"R2: .* said ok", lambda story: story.repair(status="ok")),
        (r"R5: .* not the plan", lambda story: story.repair(digest="of another plan")),
        (r"R1: .* target ''", lambda story: story.repair("")),
        (r"R1: .* target 'service:\*'", lambda story: story.repair("service:*")),
        (r"R1: .* touches 0 things", lambda story: story.repair(touches=())),
        (r"R11: .*unit:ssh.service", touching(ResourceKind.UNIT, "ssh.service")),
        (r"R11: .*service:sshd", touching(ResourceKind.SERVICE, "sshd")),
        (r"R11: .*path:/boot/vmlinuz", touching(ResourceKind.PATH, "/boot/vmlinuz")),
        (r"R11: .*path:/etc/passwd", touching(ResourceKind.PATH, "/etc/passwd")),
        (r"R11: .*process:1:12", touching(ResourceKind.PROCESS, "1:12")),
        (r"R13: .* decided before a brake was lifted", rearmed),
        (r"R22: .* 'engine'", lambda story: story.human("pause", ENGINE, scope="host", for_seconds=1.0)),
        (r"R22: .* ''", lambda story: story.human("pause", Principal("", 0), scope="host", for_seconds=1.0)),
        (r"R31: .* nobody asked for it", lambda story: story.undo(story.by_hand(), who=ENGINE)),
        (r"R31: .* was undone already", undone_twice),
        (r"R31: .* had not ended", undone_early),
        (r"R4: .* without a person's word", undone_unasked),
        (r"R9: .* against safe mode", safe_mode),
        (r"R9: .* against the emergency stop", stop),
        (r"R9: .* against the emergency stop", stop_still_set),
        (r"R9: .* against the pause of alice", pause("host")),
        (r"R9: .* against the pause of alice", pause("agent:system_health")),
        (r"R9: .* against the pause of alice", pause("target:service:web")),
        (r"R9: .* against the pause of alice", pause("rule:web")),
        (r"R9: .* against mode observe", observe),
        (r"R9: .* against a dry run", dry_run),
        (r"R3: .* when 4 targets failed", storm),
        (r"R6: .* ended unknown", unknown),
        (r"R6: .* nobody decided that its incident is over", over_too_early),
        (r"R6: .* nobody decided that its incident is over", lambda story: story.repair(over="")),
        (r"R6: .* while its check said unknown", lambda story: story.repair(over_status="unknown")),
        (r"limits: .* is number 6 within the window of 5 repairs", hour),
        (r"limits: .* is number 5 of 4 on service:web", on_target),
        (r"limits: .* began while act-\d+ ran", two_at_once),
        (r"limits: .* began before act-\d+ was judged", same_target),
        (r"limits: .* came 10.0 s after", cooldown),
        (r"limits: .* after 3 failures", breaker),
        (r"limits: .* that nobody can read", lambda story: story.repair(said={})),
        (r"R7: .* repair number 4", recurrence),
        (r"R15: .* nobody was told", lambda story: story.escalate("inc-9")),
        (r"R15: .* told twice of inc-9", told_twice),
        (r"R15: .* paged twice", told_twice),
        (r"R15: .* did not reach the outbox", not_in_outbox),
    ],
)  # fmt: skip
def test_a_spoilt_record_is_found(story: Story, found: str, spoil: Spoil) -> None:
    spoil(story)
    told = [str(violation) for violation in violations(story.close())]
    assert any(re.match(found, each) for each in told), told


def test_a_changed_entry_is_found(story: Story) -> None:
    story.repair()
    folder = story.close()
    connection = sqlite3.connect(folder / "state.db")
    connection.execute("DROP TRIGGER ledger_drops_only_bodies")
    connection.execute("UPDATE ledger SET actor = 'mallory' WHERE kind = 'intent'")
    connection.commit()
    connection.close()
    assert "ledger" in [violation.rule for violation in violations(folder)]


def test_a_state_that_cannot_be_read_is_no_clean_bill(tmp_path: Path) -> None:
    with pytest.raises(StoreError):
        violations(tmp_path)


@dataclass
class Seen:
    """A host that tells what was done to it."""

    doors: Sequence[str] = ()
    deeds: Sequence[Deed] = ()


def test_a_host_that_tells_what_the_ledger_tells_confirms_it(story: Story) -> None:
    id = story.repair().id
    host = Seen([id], [Deed("unit:web.service", id), Deed("unit:web.service")])
    assert violations(story.close(), host=host) == []


@pytest.mark.parametrize(
    ("rule", "host"),
    [
        ("R16", Seen(["act-never-written"])),
        ("R16", Seen(["act-2", "act-2"])),
        ("R1", Seen(["act-2"], [Deed("unit:db.service", "act-2")])),
        ("R16", Seen([], [Deed("unit:web.service")] * 2)),
        ("R16", Seen([], [Deed("unit:db.service")])),
    ],
)
def test_a_host_that_tells_more_is_believed(story: Story, rule: str, host: Seen) -> None:
    plan = story.plan(incident="inc-1")
    story.decide(plan)
    assert story.reserve(plan).id == "act-2"
    assert rule in [violation.rule for violation in violations(story.close(), host=host)]


def test_a_pause_that_is_over_or_elsewhere_holds_nothing(story: Story) -> None:
    story.human("pause", scope="target:service:db", for_seconds=600.0, reason="looking")
    story.human("pause", scope="host", for_seconds=600.0, reason="looking")
    story.human("resume", scope="host", reason="done")
    story.repair()
    assert broken(story) == []


def test_a_pause_holds_until_its_very_moment(story: Story) -> None:
    """The ledger knows whole microseconds alone."""
    story.human("pause", scope="host", for_seconds=600.0000004, reason="looking")
    story.pass_time(600.0000004)
    story.repair()
    assert broken(story) == []


def test_a_flag_removed_by_hand_is_noticed_a_little_later(story: Story) -> None:
    story.engine("emergency_stop", set=True, text="set")
    story.pass_time(60)
    story.by_hand()
    story.pass_time(4)
    story.engine("emergency_stop", set=False, text="")
    assert broken(story) == []


def test_a_person_who_looked_opens_a_target_again(story: Story) -> None:
    story.repair(final=V.UNKNOWN, over="")
    story.store.set_brake(Brake("target_closed", "target:service:web", "unknown", "engine", story.now(), None))
    story.pass_time(700)
    story.human("resume", scope="target:service:web", reason="looked")
    story.repair()
    assert broken(story) == []


def test_each_rule_that_no_record_shows_is_told_with_its_reason() -> None:
    assert len(RULES) == len(set(RULES))
    assert all(rule.__doc__ for rule in RULES)
    assert all(reason for reason in UNSEEN.values())
