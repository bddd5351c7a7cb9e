"""Targets that no configuration names: each address has its own incident, brakes and undo, and none moves the others'."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from chaos.simulation.network import SimulatedNetwork
from tests.support.banning import POLICY, Banning
from zen_agents.actions.ban_address import BanAddressPolicy
from zen_agents.engine import live_rules
from zen_agents.engine import undo as undoing
from zen_agents.engine.undo import Undo
from zen_agents.errors import ActionFailedError
from zen_agents.guards.past_actions import first_in_need
from zen_agents.model.action import Budget
from zen_agents.model.address import Network
from zen_agents.model.principal import Principal

ALICE = Principal("alice", 1000)


async def test_who_fails_too_often_is_shut_out_verified_and_forgotten(tmp_path: Path) -> None:
    rig = Banning(tmp_path)
    await rig.turn()
    rig.tries("192.0.2.7")
    rig.tries("192.0.2.8", times=2)
    await rig.run(30)
    assert (rig.banned, rig.outcomes()) == (["192.0.2.7"], ["verified"])
    (incident,) = [each for each in rig.store.incidents() if each.target == "address:192.0.2.7"]
    assert (incident.rule, incident.resolved_by) == ("log_analysis.ban.guessing", "engine")
    # People were told of what the lines say, whatever was done about it.
    assert len(rig.summaries()) == 1
    rig.goes_away("192.0.2.7")
    await rig.run(1300)
    assert rig.banned == []
    assert (len(rig.tick.outlook.live), len(rig.tick.watchlist.rules)) == (0, 2)
    assert rig.tick.latest.last("ban.guessing", "address:192.0.2.7") is None


async def test_one_attacker_after_another_leaves_nothing_in_memory(tmp_path: Path) -> None:
    rig = Banning(tmp_path, policy=POLICY.model_copy(update={"expires": timedelta(seconds=10), "max_per_hour": None}))
    await rig.turn()
    for number in range(1, 16):
        rig.tries(f"192.0.2.{number}")
        await rig.run(5)
    await rig.run(2)
    assert rig.outcomes() == ["verified"] * 15
    for number in range(1, 16):
        rig.goes_away(f"192.0.2.{number}")
    await rig.run(1300)
    memories = (rig.parts.book._openings, rig.tick.outlook.again, rig.parts.rivals._mended)
    attackers = [key for memory in memories for key in memory if "192.0.2." in key]
    assert (attackers, len(rig.tick.outlook.live), rig.banned) == ([], 0, [])
    assert not any("192.0.2." in target for _, target in rig.recorder._statuses)
    assert rig.check_memory() == []


async def test_a_line_alone_gets_nobody_banned_and_is_told(tmp_path: Path) -> None:
    rig = Banning(tmp_path)
    await rig.turn()
    rig.tries("192.0.2.7", times=50, connects=False)
    await rig.run(60)
    assert (rig.banned, rig.outcomes(), len(rig.summaries())) == ([], [], 1)


async def test_a_host_without_the_ban_in_its_allow_list_bans_nobody(tmp_path: Path) -> None:
    rig = Banning(tmp_path, allowed={})
    await rig.turn()
    rig.tries("192.0.2.7")
    await rig.run(60)
    assert (rig.banned, rig.outcomes()) == ([], [])
    assert "not_allowed" in rig.reasons()


async def test_a_person_is_asked_first_unless_the_hosts_own_file_says_otherwise(tmp_path: Path) -> None:
    rig = Banning(tmp_path, policy=BanAddressPolicy(never=("10.0.0.0/24",)), origins={})
    await rig.turn()
    rig.tries("192.0.2.7", "192.0.2.8")
    await rig.run(20)
    assert (rig.banned, rig.outcomes()) == ([], [])
    asked = {target: rig.store.open_approval("ban_address", target) for target in ("address:192.0.2.7", "address:192.0.2.8")}
    assert None not in asked.values()
    # Another address that comes meanwhile takes nobody's question back.
    rig.tries("192.0.2.9")
    await rig.run(20)
    assert {target: rig.store.open_approval("ban_address", target) for target in asked} == asked


async def test_many_attackers_stop_no_repair_and_spend_none(tmp_path: Path) -> None:
    rig = Banning(tmp_path, policy=POLICY.model_copy(update={"most_at_once": 30, "max_per_hour": 15}))
    await rig.turn()
    rig.tries(*(f"192.0.2.{number}" for number in range(1, 61)))
    for _ in range(30):
        await rig.run(5)
    assert len(rig.banned) == 15
    situation = rig.tick.deciding.situation(rig.clock.now())
    assert (situation.failing_targets, rig.parts.escalation.storm) == (1, False)
    assert rig.store.spent(Budget.REPAIR, 0.0) == 0
    assert first_in_need(situation.incidents, None, rig.parts.policy, rig.clock.now().steady) is None
    assert len(rig.tick.outlook.live) <= 30


async def test_an_engine_that_was_killed_goes_on_with_each_address(tmp_path: Path) -> None:
    rig = Banning(tmp_path, policy=BanAddressPolicy(never=("10.0.0.0/24",)), origins={})
    await rig.turn()
    rig.tries("192.0.2.7")
    await rig.run(10)
    before = [incident for incident in rig.store.live_incidents() if incident.target == "address:192.0.2.7"]
    rig.store.close()
    again = Banning(tmp_path, host=rig.host)
    assert "log_analysis.ban.guessing|address:192.0.2.7" in again.tick.watchlist.rules
    await again.run(10)
    assert (again.banned, again.outcomes()) == (["192.0.2.7"], ["verified"])
    assert [each.id for each in again.store.incidents() if each.target == "address:192.0.2.7"] == [before[0].id]


async def test_an_incident_whose_pattern_may_not_ban_any_more_ends_with_its_rule(tmp_path: Path) -> None:
    rig = Banning(tmp_path, policy=BanAddressPolicy(), origins={})
    await rig.turn()
    rig.tries("192.0.2.7")
    await rig.run(10)
    assert rig.tick.outlook.live
    rig.agent._bans = None
    rig.tick.rebuild(rig.agent)
    await rig.run(10)
    assert [each.resolved_by for each in rig.store.incidents() if each.target == "address:192.0.2.7"] == ["configuration"]


async def test_an_undone_ban_is_not_made_again_and_others_still_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(undoing, "HELD_SECONDS", 0.01)
    rig = Banning(tmp_path)
    undo = Undo(rig.parts, rig.by_hand, lambda: [rig.running])
    await rig.turn()
    rig.tries("192.0.2.7")
    await rig.run(20)
    (row,) = rig.store.actions()
    done = await undo.undo(row, who=ALICE, reason="it is us")
    assert (done.outcome.kind.value, rig.banned, done.paused) == ("verified", [], ("target:address:192.0.2.7",))
    rig.tries("192.0.2.7", "192.0.2.8")
    await rig.run(60)
    assert rig.banned == ["192.0.2.8"]


async def test_what_is_observed_beyond_the_bound_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_rules, "MOST_LIVE", 2)
    rig = Banning(tmp_path)
    await rig.turn()
    rig.tries(*(f"192.0.2.{number}" for number in range(1, 6)))
    await rig.run(60)
    assert len(rig.banned) == 2
    assert rig.tick.latest.last("ban.guessing", "address:192.0.2.5") is None


async def test_a_firewall_that_says_no_to_many_addresses_is_no_safe_mode(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig = Banning(tmp_path)

    def refuses(_: SimulatedNetwork, network: Network, until: float, now: float) -> None:
        raise ActionFailedError("nft ended with 1")

    monkeypatch.setattr(SimulatedNetwork, "ban", refuses)
    await rig.turn()
    rig.tries(*(f"192.0.2.{number}" for number in range(1, 9)))
    await rig.run(300)
    assert set(rig.outcomes()) == {"failed"}
    assert not any("safe mode" in text for text in rig.summaries())


async def test_the_emergency_stop_bans_nobody_and_what_is_banned_ends_in_its_time(tmp_path: Path) -> None:
    rig = Banning(tmp_path)
    await rig.turn()
    rig.tries("192.0.2.7")
    await rig.run(20)
    rig.flag.set(by="alice", reason="stop", at=rig.clock.now().wall)
    rig.tries("192.0.2.8")
    await rig.run(60)
    assert rig.banned == ["192.0.2.7"]
    await rig.run(600)
    assert rig.banned == []
