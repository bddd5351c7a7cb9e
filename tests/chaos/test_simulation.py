"""The whole engine through simulated hours: safe and live whatever happens, and the same from the same seed."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from chaos.simulate import live, main, memory, replay_command, seeds_of
from chaos.simulation.life import Life, Verdict
from chaos.simulation.loop import VirtualLoop, bury
from chaos.simulation.store_faults import ERRORS, StoreFault, put_under
from zen_agents.adapters.ledger_audit import export
from zen_agents.adapters.sqlite_store import SqliteStore
from zen_agents.errors import StoreError

#: As many as fit into three minutes of two cores; always the same, so that a red build is red again.
SEEDS, A_BATCH = 600, 20
REPOSITORY = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def within() -> Iterator[Path]:
    with memory() as folder:
        yield folder


def ledger(folder: Path, seed: int) -> str:
    """Return the ledger that a life leaves, and behind it what was told when."""
    Life(seed, folder).run()
    state = folder / "state" / "state.db"
    with closing(sqlite3.connect(state)) as store:
        told = store.execute("SELECT message_id, channel, attempts, not_before, done_at FROM outbox ORDER BY id").fetchall()
    return "".join(export(state)) + "\n".join(map(str, told))


@pytest.mark.slow
@pytest.mark.parametrize("first", range(0, SEEDS, A_BATCH))
def test_simulated_hours_break_no_rule(first: int, within: Path) -> None:
    verdicts = [live(seed, 1.0, within) for seed in range(first, first + A_BATCH)]
    broke = [verdict for verdict in verdicts if verdict.violations]
    told = [line for verdict in broke for line in (*verdict.events, *map(str, verdict.violations))]
    assert not broke, "\n".join([*told, *(f"live it again: {replay_command(verdict.seed, 1.0)}" for verdict in broke)])
    # In which nothing happens proves nothing.
    assert sum(verdict.actions for verdict in verdicts) >= A_BATCH
    assert sum(verdict.engines for verdict in verdicts) > A_BATCH
    assert sum(verdict.told for verdict in verdicts) >= 2 * A_BATCH


#: Seeds beyond those that broke a rule once, and what they had found.
FOUND = {
    12: "what was over was remembered as lasting after a restart: told of again, nobody would have heard of it (R15)",
    106: "what else failed while an action was planned was not counted by the storm brake (R3)",
    223: "an engine died between the outcome of a repair and its incident's end: the repair did not count as one (R7)",
    332: "an engine that died with a state that it could not write told of it, and the next one told the same again (R15)",
    390: "an older state of an incident took the place of the newer: its repair counted, and it stayed open (R6)",
    394: "an action was begun between a reload and its entry in the ledger, which said another mode (R9)",
    641: "the state could not be written: what was told meanwhile left no trace there",
    698: "a host was suspended while an action ran: it was judged at its deadline, and ended once more by itself",
    777: "an action failed after its rule had gone with a reload, and its end was written twice (R16)",
    1118: "as 641, and the ledger refused to say so as well",
    1383: "an engine died while it started and held its state for ever",
    2284: "a person's resume in stages was no end of a pause for the oracle (R9)",
    3123: "the state failed in the moment of an act and after it, which the oracle took for a storm (R3)",
    2356: "of two questions about one incident that nobody answered people were told twice (R15)",
}


@pytest.mark.parametrize("kind", ERRORS)
@pytest.mark.parametrize("after", [0, 1, 2])
def test_the_simulated_disk_fails_under_whatever_is_written(kind: str, after: int, tmp_path: Path) -> None:
    """Once the store wrote by a cursor of its own, and the disk below the connection failed under next to nothing."""
    store, fault = SqliteStore(tmp_path / "state.db"), StoreFault(kind, 0 if kind == "busy" else after, 1)
    cut_off = put_under(store, fault)
    with pytest.raises(StoreError, match=ERRORS[kind][1]):
        store.put("a", "1")
        store.commit()
    store.put("a", "2")
    store.commit()
    assert store.get("a") == "2"
    cut_off()


@pytest.mark.parametrize("seed", FOUND)
def test_what_a_seed_once_found_is_mended(seed: int, within: Path) -> None:
    verdict = live(seed, 1.0, within)
    assert not verdict.violations, f"{FOUND[seed]}\n" + "\n".join(map(str, verdict.violations))


@pytest.mark.slow
def test_a_day_of_nothing_wrong_is_a_day_of_nothing_done(tmp_path: Path) -> None:
    """Trap T1: 24 simulated hours, no action, no page, no mail."""
    verdict = Life(0, tmp_path / "life", hours=24.0, troubled=False).run()
    assert (verdict.actions, verdict.told, verdict.violations) == (0, 0, ())


def test_the_same_seed_leaves_the_same_ledger_byte_for_byte(tmp_path: Path) -> None:
    """Also when others were lived in between: a process that has lived much decides nothing either."""
    first, other = ledger(tmp_path / "life", 11), ledger(tmp_path / "life", 12)
    assert first != other
    assert (ledger(tmp_path / "life", 11), ledger(tmp_path / "life", 12)) == (first, other)


def test_another_process_leaves_the_same_ledger(tmp_path: Path) -> None:
    """Neither the order of sets nor the process decides anything."""
    first = ledger(tmp_path / "life", 12)
    program = (
        "import sys; from pathlib import Path; from tests.chaos.test_simulation import ledger;"
        "sys.stdout.write(ledger(Path(sys.argv[1]), 12))"
    )
    environment = os.environ | {"PYTHONHASHSEED": "4321", "PYTHONPATH": str(REPOSITORY)}
    again = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "life")], env=environment, capture_output=True, text=True, check=True
    )
    assert again.stdout == first


def test_the_command_line_goes_on_where_it_ended(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = ["--hours", "0.1", "--progress", str(tmp_path / "progress")]
    assert main(["--seeds", "0:2", *given]) == 0
    assert "2 seeds lived" in capsys.readouterr().out
    assert main(["--seeds", "0:3", *given]) == 0
    assert "3 seeds lived" in capsys.readouterr().out
    assert len((tmp_path / "progress").read_text().splitlines()) == 3


def test_a_life_that_breaks_off_is_told_with_its_seed_and_the_others_are_lived(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = Life.run

    def breaks_off(life: Life) -> Verdict:
        if life.seed == 0:
            raise OSError("the machine has no room")
        return whole(life)

    monkeypatch.setattr(Life, "run", breaks_off)
    assert main(["--seeds", "0:2", "--hours", "0.1", "--progress", str(tmp_path / "progress")]) == 1
    told = capsys.readouterr().out
    assert "python -m chaos.simulate --seeds 0 " in told
    assert "OSError: the machine has no room" in told
    assert len((tmp_path / "progress").read_text().splitlines()) == 2


def test_one_seed_is_told_with_all_that_happened(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--seeds", "3", "--hours", "0.1"]) == 0
    assert "all faults end" in capsys.readouterr().out


def test_seeds_are_one_or_a_range() -> None:
    assert (list(seeds_of("17")), list(seeds_of("3:6"))) == ([17], [3, 4, 5])


def test_of_an_engine_that_died_with_a_run_due_nothing_is_said(caplog: pytest.LogCaptureFixture) -> None:
    loop = VirtualLoop(lambda _: None)

    async def dies_while_a_run_is_due() -> None:
        scheduler = AsyncIOScheduler(event_loop=loop)
        scheduler.start()
        scheduler.add_job(asyncio.sleep, args=(1.0,))
        scheduler.wakeup()

    loop.run_until_complete(dies_while_a_run_is_due())
    assert len(asyncio.all_tasks(loop)) == 1
    bury([loop])
    assert loop.is_closed() and caplog.records == []
