"""What a real engine decided over a simulated host is decided again by a replay of what it recorded, and nothing else."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.rig import Rig
from zen_agents.rehearsal.difference import differences, recorded_decisions
from zen_agents.rehearsal.recording import Recording
from zen_agents.rehearsal.replay import Replay, pairs_of


def replayed(rig: Rig, folder: Path) -> Replay:
    """Replay all that a rig recorded, by the same rules and the same policy, over a state of its own."""
    rig.store.commit()
    folder.mkdir()
    other = Rig(folder, [check.name.removeprefix("up.") for check in rig.agent.checks()])
    other.parts.policy, other.parts.actionable = rig.parts.policy, rig.parts.actionable
    rules = rig.agent.rules()
    every = {(name, check.target): check.every_seconds for check in rig.agent.checks() for name in check.observes}
    recording = Recording(rig.store, {pair for rule in rules for pair in pairs_of(rule)})
    replay = Replay(other.parts, other.host.clock, rules, every, 0.0, recording.failed_after)
    replay.run(recording.moments(0.0, rig.clock.now().steady + 1))
    return replay


def crash(rig: Rig) -> None:
    rig.host.crash("web")


def never_starts(rig: Rig) -> None:
    rig.host.services["web"].refuses_to_start = True
    rig.host.crash("web")


@pytest.mark.parametrize(
    ("wrong", "policy", "decided"),
    [
        (crash, {}, ["act"]),
        (never_starts, {}, ["act"] * 4 + ["alert"]),
        (crash, {"mode": "observe"}, ["skip", "alert"]),
        (crash, {"auto_mitigate": {}}, ["skip", "alert"]),
    ],
)
async def test_the_same_is_decided(
    tmp_path: Path, wrong: Callable[[Rig], None], policy: dict[str, object], decided: list[str]
) -> None:
    rig = Rig(tmp_path / "engine", **policy)
    await rig.run(300)
    wrong(rig)
    await rig.run(1800)
    replay = replayed(rig, tmp_path / "replay")
    then = list(recorded_decisions(Recording(rig.store, ()).decisions(0.0, rig.clock.now().steady), ()))
    assert [one.outcome for one in then] == decided
    assert differences(replay.decisions.decided, then) == []
    assert replay.gaps == []
    assert replay.judged_seconds == pytest.approx(2100, abs=130)
