"""The power cut and kill -9 at any moment, many times: the short form of `python -m chaos.durability`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from chaos.counts import reached
from chaos.durability import kill, power, store_power
from chaos.durability.campaign import Campaign, Finding, Round
from chaos.durability.lives import LIVES
from chaos.durability.scene import PATIENCE_SECONDS
from zen_agents.adapters import sqlite_store_file

CUTS, KILLS = 500, 300


@pytest.mark.slow
@pytest.mark.usefixtures("disk_calls")
def test_the_power_goes_at_any_call(tmp_path: Path) -> None:
    campaign = Campaign(tmp_path)
    assert [problem for finding in campaign.run(power.rounds(CUTS, seed=1)) for problem in finding.problems] == []
    assert sum(finding.count for finding in campaign.findings) == CUTS
    assert sum(finding.unfinished for finding in campaign.findings) > 0


def test_the_power_goes_under_the_store_alone(tmp_path: Path) -> None:
    campaign = Campaign(tmp_path, at_once=1)
    assert [problem for finding in campaign.run(store_power.rounds(CUTS, seed=1)) for problem in finding.problems] == []
    assert sum(finding.count for finding in campaign.findings) == CUTS
    assert sum(finding.unfinished for finding in campaign.findings) > 0


def test_a_store_that_syncs_less_is_found_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lax = tuple(pragma.replace("= FULL", "= NORMAL") for pragma in sqlite_store_file._PRAGMAS)
    assert lax != sqlite_store_file._PRAGMAS
    monkeypatch.setattr(sqlite_store_file, "_PRAGMAS", lax)
    assert any("was durable, and is gone" in problem for problem in store_power.run(tmp_path, "lax", 50).problems)


@pytest.mark.slow
@pytest.mark.usefixtures("disk_calls")
def test_a_disk_that_takes_no_sync_seriously_is_found_out(tmp_path: Path) -> None:
    """The cuts would notice an engine that acknowledges what is not durable."""
    recording = power.record(LIVES[0], tmp_path / "life")
    lying = replace(recording, calls=[call for call in recording.calls if call.name != "sync"])
    found = [power.look(lying, cut, image)
             for cut, image in power.images(lying, power.cuts(lying, 100, "1"), tmp_path / "images")]  # fmt: skip
    assert any("was durable, and" in problem for problems in found for problem in problems)


@pytest.mark.slow
def test_killed_at_any_moment_and_again(tmp_path: Path) -> None:
    campaign = Campaign(tmp_path, at_once=6)
    # How fast it is depends on the machine and is measured by the command, whose lives are longer; here it only has to come.
    rounds = kill.rounds(KILLS, seed=1, within=PATIENCE_SECONDS, longest_life=1.0)
    assert [problem for finding in campaign.run(rounds) for problem in finding.problems] == []
    assert sum(finding.count for finding in campaign.findings) == KILLS
    assert sum(finding.unfinished for finding in campaign.findings) > 0


def test_a_campaign_goes_on_where_it_was_ended(tmp_path: Path) -> None:
    gone: list[str] = []

    def round(name: str, problem: str = "") -> Round:
        def go(folder: Path) -> Finding:
            gone.append(name)
            (folder / "left").touch()
            return Finding(name, 3, (problem,) if problem else (), seconds=(0.5,))

        return Round(name, go)

    rounds = [round("1:0"), round("1:1", "broken"), round("1:2")]
    progress = tmp_path / "progress"
    list(Campaign(tmp_path / "a", progress=progress).run(rounds[:2]))
    assert sorted(gone) == ["1:0", "1:1"]
    found = {finding.round: finding for finding in Campaign(tmp_path / "b", progress=progress).run(rounds)}
    assert sorted(gone) == ["1:0", "1:1", "1:1", "1:2"], "what was broken may have been mended"
    assert found["1:1"] == Finding("1:1", 3, ("broken",), seconds=(0.5,))
    assert list(map(str, reached(progress))) == ["durability       9, 1 broken"]
    # What shows a problem is kept, the rest is not.
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["1_1"]
