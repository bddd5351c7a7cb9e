"""The whole engine through simulated hours: safe and live whatever happens, and the same from the same seed."""

from __future__ import annotations

import os
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from chaos.simulate import live, main, replay_command, seeds_of
from chaos.simulation.life import Life, Verdict
from zen_agents.adapters.ledger_audit import export

#: As many as fit into a minute and a half of one core; always the same, so that a red build is red again.
SEEDS = tuple(range(60))
REPOSITORY = Path(__file__).parents[2]


@cache
def lived(seed: int) -> Verdict:
    """Return what came of a life; each is lived once."""
    return live(seed, 1.0)


def ledger(folder: Path, seed: int) -> str:
    """Return the ledger that a life leaves."""
    Life(seed, folder, hours=0.5).run()
    return "".join(export(folder / "state" / "state.db"))


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS)
def test_a_simulated_hour_breaks_no_rule(seed: int) -> None:
    verdict = lived(seed)
    told = [*verdict.events, *map(str, verdict.violations)]
    assert not verdict.violations, "\n".join([*told, f"live it again: {replay_command(seed, 1.0)}"])


@pytest.mark.slow
def test_a_day_of_nothing_wrong_is_a_day_of_nothing_done(tmp_path: Path) -> None:
    """Trap T1: 24 simulated hours, no action, no page, no mail."""
    verdict = Life(0, tmp_path / "life", hours=24.0, troubled=False).run()
    assert (verdict.actions, verdict.told, verdict.violations) == (0, 0, ())


def test_the_same_seed_leaves_the_same_ledger_byte_for_byte(tmp_path: Path) -> None:
    first = ledger(tmp_path / "life", 11)
    assert first == ledger(tmp_path / "life", 11)
    assert first != ledger(tmp_path / "life", 12)


def test_another_process_leaves_the_same_ledger(tmp_path: Path) -> None:
    """Neither the order of sets nor the process decides anything."""
    first = ledger(tmp_path / "life", 11)
    program = (
        "import sys; from pathlib import Path; from tests.chaos.test_simulation import ledger;"
        "sys.stdout.write(ledger(Path(sys.argv[1]), 11))"
    )
    environment = os.environ | {"PYTHONHASHSEED": "4321", "PYTHONPATH": str(REPOSITORY)}
    again = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "life")], env=environment, capture_output=True, text=True, check=True
    )
    assert again.stdout == first


@pytest.mark.slow
def test_the_simulated_hours_see_trouble() -> None:
    """A simulation in which nothing happens proves nothing."""
    verdicts = [lived(seed) for seed in SEEDS[:6]]
    assert sum(verdict.actions for verdict in verdicts) >= 10
    assert sum(verdict.engines for verdict in verdicts) > len(verdicts)
    assert sum(verdict.told for verdict in verdicts) >= 20


def test_the_command_line_goes_on_where_it_ended(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = ["--hours", "0.1", "--progress", str(tmp_path / "progress")]
    assert main(["--seeds", "0:2", *given]) == 0
    assert "2 seeds lived" in capsys.readouterr().out
    assert main(["--seeds", "0:3", *given]) == 0
    assert "3 seeds lived" in capsys.readouterr().out
    assert len((tmp_path / "progress").read_text().splitlines()) == 3


def test_one_seed_is_told_with_all_that_happened(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--seeds", "3", "--hours", "0.1"]) == 0
    assert "all faults end" in capsys.readouterr().out


def test_seeds_are_one_or_a_range() -> None:
    assert (list(seeds_of("17")), list(seeds_of("3:6"))) == ([17], [3, 4, 5])
