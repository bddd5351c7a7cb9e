"""The tick over a simulated host: look, fold, decide, ask, reserve, act, verify, or tell someone."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.support.rig import Restart, Rig
from zen_agents.checks.base import Check
from zen_agents.clock import Instant
from zen_agents.engine.judging import AsOf
from zen_agents.engine.safe_mode import SafeModeTriggers
from zen_agents.errors import RefusedError
from zen_agents.guards.base import Limit
from zen_agents.model.action import Effect, Plan
from zen_agents.model.incident import IncidentState
from zen_agents.model.observation import Observation
from zen_agents.model.verdict import Ruling
from zen_agents.ports.events import Watch
from zen_agents.ports.host import HostControl, HostView
from zen_agents.rules.condition import StatusIs
from zen_agents.rules.rule import Hold


async def test_nothing_wrong_means_nothing_done_for_a_day(tmp_path: Path) -> None:
    rig = Rig(tmp_path, every_seconds=60.0)
    await rig.run(86_400)
    assert (rig.outcomes(), rig.starts(), rig.told.messages, rig.reasons()) == ([], 1, [], [])


async def test_a_crashed_service_is_started_once_and_verified(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    await rig.run(30)
    rig.host.crash("web")
    await rig.run(60)
    assert rig.outcomes() == ["verified"]
    assert rig.starts() == 2
    assert len(rig.parts.book) == 0
    assert rig.store.incidents()[0].resolved_by == "engine"
    # Fixed alone: a change and no page.
    assert [message.kind.value for message in rig.told.messages] == ["change"]


async def test_a_repair_that_takes_a_moment_to_show_is_verified_within_as_long_again(tmp_path: Path) -> None:
    rig = Rig(tmp_path, every_seconds=60.0)
    await rig.turn()
    rig.host.services["web"].start_seconds = 0.2
    rig.host.crash("web")
    rig.tick.wake("")
    await rig.turn()
    began = rig.clock.now().steady
    while not rig.store.incidents()[0].resolved_at:
        rig.host.advance(max(0.001, rig.tick.next_at() - rig.clock.now().steady))
        await rig.turn()
    assert rig.clock.now().steady - began <= 0.45
    assert rig.outcomes() == ["verified"]


def _held(monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """Let every action wait, having begun, until this is set."""
    execute, may_end = Restart.execute, asyncio.Event()

    async def held(self: Restart, plan: Plan, control: HostControl) -> Effect:
        await may_end.wait()
        return await execute(self, plan, control)

    monkeypatch.setattr(Restart, "execute", held)
    return may_end


async def test_what_is_being_repaired_is_looked_at_when_that_has_ended_or_after_a_second(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig, may_end = Rig(tmp_path, every_seconds=0.05), _held(monkeypatch)
    await rig.turn()
    rig.host.crash("web")
    rig.host.advance(0.05)
    await rig.tick.run()
    assert rig.parts.executor.running == 1
    began = rig.clock.now().steady
    assert rig.tick.watchlist.next_due == pytest.approx(began + 1.0)
    rig.host.advance(1.0)
    assert len(rig.tick.watchlist.take_due(began + 1.0)) == 1
    assert rig.tick.watchlist.next_due == pytest.approx(began + 1.05), "from then on as always"
    may_end.set()
    await rig.parts.executor.drain()
    assert rig.tick.watchlist.next_due == rig.clock.now().steady


async def test_what_an_own_action_changes_while_it_runs_wakes_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig, may_end = Rig(tmp_path, every_seconds=60.0), _held(monkeypatch)
    watch = Watch("unit", "web.service")
    next(iter(rig.tick.watchlist.checks.values())).watches = lambda: (watch,)  # type: ignore[method-assign]
    await rig.turn()
    rig.host.crash("web")
    assert rig.tick.wake("unit:web.service") is True
    await rig.tick.run()
    assert rig.parts.executor.running == 1
    assert rig.tick.wake("unit:web.service") is False
    may_end.set()
    await rig.parts.executor.drain()
    assert rig.tick.next_at() <= rig.clock.now().steady, "it is looked at when the action has ended"
    assert rig.tick.wake("unit:web.service") is True


@pytest.mark.parametrize(("seconds", "outcomes"), [(8.0, ["verified"]), (60.0, [])])
async def test_what_was_seen_is_not_stale_because_another_check_answers_late(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seconds: float, outcomes: list[str]
) -> None:
    rig = Rig(tmp_path, every_seconds=1.0, rule={"condition": StatusIs("up.web", "service:web", 3.0)})
    sampled = rig.parts.sampler.sample

    async def late(checks: Sequence[Check], now: Instant, look: HostView | None = None) -> list[Observation]:
        found = await sampled(checks, now, look)
        rig.host.advance(seconds)
        return found

    await rig.turn()
    rig.host.crash("web")
    monkeypatch.setattr(rig.parts.sampler, "sample", late)
    await rig.run(200.0)
    assert rig.outcomes() == outcomes


async def test_the_intent_is_durable_before_the_effect(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    await rig.turn()
    rig.host.crash("web")
    seen: list[int] = []
    control = rig._control

    def watched(intent):  # type: ignore[no-untyped-def]
        other = type(rig.store).open_read_only(tmp_path / "state.db")
        seen.append(len([row for row in other.actions() if row.id == intent.id]))
        other.close()
        return control(intent)

    rig.parts.executor._control = watched
    await rig.run(10)
    assert seen == [1]


async def test_it_waits_as_long_as_the_rule_holds(tmp_path: Path) -> None:
    rig = Rig(tmp_path, rule={"hold": Hold(fail_after=3)})
    await rig.turn()
    rig.host.crash("web")
    await rig.run(8)
    assert rig.outcomes() == []
    assert next(iter(rig.parts.book)).state is IncidentState.SUSPECTED
    await rig.run(10)
    assert rig.outcomes() == ["verified"]


async def test_a_service_that_never_starts_exhausts_the_ladder_and_people_are_told_once(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    await rig.turn()
    rig.host.services["web"].refuses_to_start = True
    rig.host.crash("web")
    await rig.run(4 * 3600)
    assert rig.outcomes() == ["failed"] * 4
    assert len(rig.summaries()) == 1
    assert "Every rung was tried" in rig.summaries()[0]
    rig.host.services["web"].refuses_to_start = False
    rig.host.start("web")
    await rig.run(60)
    assert len(rig.summaries("resolved")) == 1
    assert rig.store.incidents()[0].resolved_by == "itself"


async def test_success_that_does_not_help_is_a_failure(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    await rig.turn()
    rig.host.services["web"].hangs = True
    await rig.run(1800)
    assert rig.outcomes() == ["failed"] * 4


async def test_a_fix_that_keeps_coming_back_opens_the_recurrence_breaker(tmp_path: Path) -> None:
    rig = Rig(tmp_path, repairs=Limit(100, 3600.0), per_target=Limit(100, 3600.0))
    rig.host.services["web"].crashes_after_seconds = 400.0
    rig.host.crash("web")
    await rig.run(6000)
    assert rig.outcomes() == ["verified"] * 3
    assert "recurrence" in rig.reasons()
    assert any("keeps coming back" in text for text in rig.summaries())


async def test_unknown_is_never_acted_on_and_people_are_told_in_the_end(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    rig.host.faults.fail("up")
    rig.host.crash("web")
    await rig.run(3000)
    assert rig.outcomes() == []
    assert len(rig.summaries()) == 1
    assert "not been able to tell" in rig.summaries()[0]


async def test_unknown_does_not_resolve_what_was_open(tmp_path: Path) -> None:
    rig = Rig(tmp_path, mode="observe")
    rig.host.crash("web")
    await rig.run(20)
    rig.host.faults.fail("up")
    await rig.run(600)
    assert len(rig.parts.book) == 1
    assert rig.starts() == 1


async def test_a_refusal_is_written_once_however_long_it_lasts(tmp_path: Path) -> None:
    rig = Rig(tmp_path, mode="observe")
    rig.host.crash("web")
    await rig.run(600)
    assert rig.reasons().count("mode_observe") == 1
    await rig.run(1200)
    assert len(rig.summaries()) == 1
    assert "refused for longer" in rig.summaries()[0]


async def test_a_dry_run_says_what_it_would_do_and_does_nothing(tmp_path: Path) -> None:
    rig = Rig(tmp_path, dry_run=True)
    rig.host.crash("web")
    await rig.run(3600)
    assert (rig.outcomes(), rig.starts(), rig.host.changes, rig.controls) == ([], 1, [], [])
    assert "dry_run" in rig.reasons()


async def test_a_dry_run_lists_nothing_that_would_be_refused_right_before_it_is_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(*_: object) -> None:
        raise RefusedError("it answers")

    monkeypatch.setattr(Restart, "preflight", refuse)
    rig = Rig(tmp_path, dry_run=True)
    rig.host.crash("web")
    await rig.run(600)
    assert (rig.outcomes(), rig.host.changes) == ([], [])
    assert "dry_run" not in rig.reasons()
    assert "no_target" in rig.reasons()


async def test_a_person_who_stopped_it_is_respected(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    await rig.turn()
    rig.host.stop("web")
    await rig.run(300)
    assert rig.starts() == 1
    assert "stopped_by_person" in rig.reasons()


async def test_the_hourly_budget_holds_over_all_targets_and_restarts(tmp_path: Path) -> None:
    names = [f"s{n}" for n in range(8)]
    rig = Rig(tmp_path, names, storm=Limit(100, 300.0, 600.0))
    for name in names:
        rig.host.services[name].hangs = True
        await rig.run(70)
    rig = rig.restart(storm=Limit(100, 300.0, 600.0))
    await rig.run(1200)
    first_hour = [row for row in rig.store.actions(limit=1000) if row.reserved_at.steady < 1_000_000 + 3600]
    assert len(first_hour) == 5
    assert "rate_limit" in rig.reasons()


async def test_mass_failure_brakes_and_tells_once(tmp_path: Path) -> None:
    names = [f"s{n}" for n in range(20)]
    rig = Rig(tmp_path, names, storm_share=0.5)
    await rig.turn()
    for name in names:
        rig.host.crash(name)
    await rig.run(900)
    assert rig.outcomes() == []
    assert len([message for message in rig.told.messages if message.kind.value == "engine"]) == 1
    assert rig.summaries() == []
    assert rig.parts.safe_mode.brake is not None


@pytest.mark.parametrize("jump", [86_400.0, -86_400.0])
async def test_a_clock_set_by_a_day_changes_no_limit(tmp_path: Path, jump: float) -> None:
    rig = Rig(tmp_path)
    rig.host.services["web"].refuses_to_start = True
    rig.host.crash("web")
    await rig.run(15)
    before = len(rig.outcomes())
    rig.clock.jump_wall(jump)
    await rig.run(3)
    assert len(rig.outcomes()) == before
    await rig.run(1800)
    assert rig.outcomes() == ["failed"] * 4


async def test_an_early_wake_brings_the_decision_forward(tmp_path: Path) -> None:
    rig = Rig(tmp_path, every_seconds=300.0)
    await rig.turn()
    rig.host.crash("web")
    rig.tick.watchlist.hurry("system_health.web|service:web", rig.clock.now().steady)
    await rig.turn()
    assert rig.starts() == 2


async def test_acknowledged_means_hands_off_for_an_hour(tmp_path: Path) -> None:
    rig = Rig(tmp_path, mode="observe")
    rig.host.crash("web")
    await rig.run(10)
    from zen_agents.rules import transitions  # noqa: PLC0415

    incident, now = next(iter(rig.parts.book)), rig.clock.now()
    rig.parts.book.put(transitions.acknowledged(incident, by="alice", until=now.steady + 3600, keep_acting=False, now=now))
    rig.parts.policy = Rig(tmp_path / "other").parts.policy
    rig.tick.look_soon(incident.key)
    await rig.run(3500)
    assert rig.starts() == 1
    await rig.run(200)
    assert rig.starts() == 2


async def test_a_judgement_names_every_guard(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    rig.host.crash("web")
    rule = next(iter(rig.tick.watchlist.rules.values()))
    situation = rig.parts.book.situation(rig.parts.policy, rig.clock.now(), actionable=1, running=0, foreign="")
    judged = await rig.parts.judging.judge(
        rule.ladder[0].alternatives[0], rule=rule, incident=None, policy=rig.parts.policy,
        present=lambda: AsOf(rig.clock.now(), situation),
    )  # fmt: skip
    assert judged.verdict.ruling is Ruling.ALLOW
    assert len(judged.verdict.answers) > 15


async def test_an_agent_that_does_not_decide_has_nothing_due_for_ever(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    await rig.turn()
    rig.host.crash("web")
    rig.host.advance(5)
    await rig.tick.run(act=False)
    assert rig.tick.next_at() > rig.clock.now().steady


async def test_a_storm_is_told_once_and_what_stays_broken_after_it_is_told_then(tmp_path: Path) -> None:
    names = [f"s{number}" for number in range(6)]
    rig = Rig(
        tmp_path, names, rule={"ladder": ()}, storm=Limit(3, 300.0, 600.0), triggers=SafeModeTriggers(storm=False)
    )  # fmt: skip
    await rig.turn()
    for name in names:
        rig.host.crash(name)
    await rig.run(120)
    assert [text for text in rig.summaries("engine") if "6 of 6 targets fail" in text], "somebody has to know"
    assert rig.summaries() == []
    for name in names[1:]:
        rig.host.start(name)
    await rig.run(1800)
    assert len(rig.summaries()) == 1, "the one that stayed broken"
    assert len([text for text in rig.summaries("resolved") if "storm" in text]) == 1
    assert len(rig.summaries("resolved")) == 1, "nobody is told that something is over which nobody was told of"


async def test_that_a_storm_is_over_is_told_when_all_is_well_again(tmp_path: Path) -> None:
    names = [f"s{number}" for number in range(6)]
    rig = Rig(tmp_path, names, storm=Limit(3, 300.0, 600.0), triggers=SafeModeTriggers(storm=False))
    await rig.turn()
    for name in names:
        rig.host.crash(name)
    await rig.run(60)
    for name in names:
        rig.host.start(name)
    await rig.run(1800)
    assert [message.dedup_key for message in rig.told.messages] == ["host/engine|storm"] * 2
    assert not rig.store.brakes()


async def test_a_storm_that_leads_to_safe_mode_is_told_as_that(tmp_path: Path) -> None:
    names = [f"s{number}" for number in range(6)]
    rig = Rig(tmp_path, names, storm=Limit(3, 300.0, 600.0))
    await rig.turn()
    for name in names:
        rig.host.crash(name)
    await rig.run(120)
    assert len(rig.summaries("engine")) == 1
    assert "safe mode" in rig.summaries("engine")[0]


@pytest.mark.parametrize("every_seconds", [20.0, 3600.0])
async def test_what_has_to_last_is_looked_at_when_it_has_and_not_only_at_its_next_time(
    tmp_path: Path, every_seconds: float
) -> None:
    rig = Rig(tmp_path, rule={"hold": Hold(held_for_seconds=30.0)}, every_seconds=every_seconds)
    rig.host.crash("web")
    await rig.run(29)
    assert rig.outcomes() == []
    await rig.run(10)
    assert rig.outcomes() == ["verified"]
