"""A repair whose engine is killed, and looks that a person ends: no worker outlives either, and the next engine goes on."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support.datasets import open_to_others
from tests.support.engine_process import EngineProcess, start_time, wait_for
from tests.support.held_workers import HeldWorkers
from zen_agents.jobs import data_check, data_repair, table_repair

pytest.importorskip("duckdb")

CONFIG = """
agents:
  data_validation:
    interval: 5s
    datasets:
      orders:
        source: {source}
        columns: {{id: integer}}
        expect:
          - {{column: v, matches: "[a-z]+"}}
        repair: [{{trim: v}}]
        repair_at_most: 100%
        limits: {{spill_dir: "{spill}"}}
actions:
  allow:
    repair_data: {{datasets: [orders], approval: auto, cooldown: 0s, verify_within: 3s}}
limits: {{boot_grace: 0s}}
"""
#: So many that a repair lasts longer than it takes to catch its worker on a busy machine.
_ROWS = 20_000


@pytest.fixture
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[EngineProcess]:
    """Return an engine that has yet to start, and to repair a file or a table."""
    spill, folder = tmp_path / "spill", tmp_path / "srv"
    for each in (spill, folder):
        each.mkdir()
    spill.chmod(0o1777)
    folder.chmod(0o777)
    open_to_others(tmp_path)
    made = EngineProcess(tmp_path, CONFIG.format(source=_source(request.param, folder), spill=spill))
    yield made
    made.close()


def _source(kind: str, folder: Path) -> str:
    place = folder / "orders"
    if kind == "file":
        place.write_text("id,v\n" + "".join(f"{each}, a\n" for each in range(_ROWS)), encoding="utf-8")
        return f'{{csv: "{place}"}}'
    with closing(sqlite3.connect(place)) as database:
        database.execute("create table orders (id integer primary key, v text)")
        database.executemany("insert into orders values (?, ' a')", ((each,) for each in range(_ROWS)))
        database.commit()
    place.chmod(0o666)
    return f'{{sqlite: "{place}", table: orders}}'


def bad(engine: EngineProcess) -> int:
    """Return how many rows have yet to be repaired."""
    place = engine.folder / "srv" / "orders"
    if place.read_bytes().startswith(b"id,v"):
        return place.read_bytes().count(b" a")
    with closing(sqlite3.connect(place)) as database:
        return int(database.execute("select count(*) from orders where v = ' a'").fetchone()[0])


_REPAIRS = frozenset({data_repair.WORKER, table_repair.WORKER})


@pytest.fixture
def workers() -> Iterator[HeldWorkers]:
    """Return what holds workers, which is asked for behind the engine: a held one ends before it."""
    held = HeldWorkers()
    yield held
    held.close()


def held_worker(workers: HeldWorkers, engine: EngineProcess, but: int = 0, kinds: frozenset[str] = _REPAIRS) -> int:
    """Wait for a worker that looks or repairs, another one than this, and hold it."""
    assert engine.process is not None
    return workers.hold(engine.process.pid, kinds, but)


def looks(engine: EngineProcess, action: str | None) -> list[dict[str, Any]]:
    """Return the looks that are shown, for an action or a check."""
    return [each for each in engine.json("status")["looks"] if each["action"] == action]


@pytest.mark.parametrize(
    ("engine", "stage"), [("file", "look"), ("file", "repair"), ("table", "repair")], indirect=["engine"]
)  # fmt: skip
def test_a_worker_ends_with_its_engine_and_the_next_one_goes_on(
    engine: EngineProcess, workers: HeldWorkers, stage: str
) -> None:
    engine.start()
    worker = held_worker(workers, engine)
    if stage == "repair":
        workers.let_go(worker)
        worker = held_worker(workers, engine, but=worker)
    engine.kill()
    wait_for(lambda: start_time(worker) is None, "the worker's end")
    assert bad(engine) == _ROWS
    engine.start()
    wait_for(lambda: not bad(engine), "the repair")
    wait_for(lambda: any(each["outcome"] == "verified" for each in engine.actions()), "that it is verified")
    engine.stop()
    assert [*(engine.folder / "spill").iterdir()] == []


@pytest.mark.parametrize("engine", ["file"], indirect=True)
def test_a_look_is_shown_while_it_lasts(engine: EngineProcess, workers: HeldWorkers) -> None:
    engine.start()
    worker = held_worker(workers, engine)
    (look,) = wait_for(lambda: looks(engine, "repair_data"), "the look")
    assert (look["action"], look["target"], look["by"]) == ("repair_data", "dataset:orders", "engine")
    for words in (["status"], ["why", "@open"], ["incidents", "--open"]):
        assert "finding out what repair_data would do" in " ".join(engine.cli(*words).stdout.split()), words
    assert "looking" in {each["reason"] for each in engine.decisions()}
    workers.let_go(worker)
    wait_for(lambda: not bad(engine), "the repair")
    assert looks(engine, "repair_data") == []


@pytest.mark.parametrize("engine", ["file"], indirect=True)
def test_a_check_that_takes_long_is_shown_and_ends_with_the_configuration_that_wants_it(
    engine: EngineProcess, workers: HeldWorkers
) -> None:
    engine.start()
    worker = held_worker(workers, engine, kinds=frozenset({data_check.WORKER}))
    (look,) = wait_for(lambda: looks(engine, None), "the look")
    assert (look["target"], look["by"]) == ("dataset:orders", "data_validation")
    assert "orders: looking at it" in " ".join(engine.cli("status").stdout.split())
    text = engine.config.read_text(encoding="utf-8")
    engine.config.write_text(text.replace("interval: 5s", "interval: 6s"), encoding="utf-8")
    assert engine.cli("reload").returncode == 0
    wait_for(lambda: start_time(worker) is None, "the worker's end")
    wait_for(lambda: not bad(engine), "the repair")


@contextmanager
def started(command: Sequence[str]) -> Iterator[subprocess.Popen[bytes]]:
    """Run a command; it is not waited for if the test fails meanwhile, whose worker is held."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        try:
            yield process
        finally:
            process.kill()


def catches(pid: int, number: int) -> bool:
    """Tell whether a process has something to do when it is sent this signal."""
    fields = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines())
    return bool(int(fields["SigCgt"], 16) >> (number - 1) & 1)


@pytest.mark.parametrize("engine", ["file"], indirect=True)
def test_what_a_person_began_ends_without_them(engine: EngineProcess, workers: HeldWorkers) -> None:
    # Its agent, which looks as well, has its next turn when all is over, however long that takes.
    config = engine.config.read_text(encoding="utf-8").replace("interval: 5s", "interval: 1d")
    engine.config.write_text(f"mode: observe\n{config}", encoding="utf-8")
    engine.start()
    words = ["-c", str(engine.config), "data", "repair", "orders", "--yes", "--reason", "blanks"]
    command = [sys.executable, "-m", "zen_agents", *words, "--state-dir", str(engine.state)]
    with started(command) as looking:
        looker = held_worker(workers, engine)
        wait_for(lambda: catches(looking.pid, signal.SIGTERM), "that the command waits for the look")
        looking.send_signal(signal.SIGTERM)
        assert b"dataset:orders was only looked at, and nothing was changed" in looking.communicate(timeout=60)[1]
        assert looking.returncode == 128 + signal.SIGTERM
    workers.let_go(looker)
    wait_for(lambda: start_time(looker) is None, "the look's end")
    assert bad(engine) == _ROWS and engine.actions() == []
    with started(command) as repairing:
        worker = held_worker(workers, engine, but=looker)
        repairing.send_signal(signal.SIGINT)
        assert b"the engine goes on with it" in repairing.communicate(timeout=60)[1]
        assert repairing.returncode == 128 + signal.SIGINT
    workers.let_go(worker)
    wait_for(lambda: [each["outcome"] for each in engine.actions()] == ["verified"], "that it is verified")
    assert bad(engine) == 0


@pytest.mark.parametrize(("engine", "brake"), [("table", "pause"), ("file", "stop")], indirect=["engine"])
def test_a_look_ends_with_a_pause_and_an_emergency_stop(engine: EngineProcess, workers: HeldWorkers, brake: str) -> None:
    engine.start()
    worker = held_worker(workers, engine)
    words = {"pause": ("pause", "--for", "1h"), "stop": ("stop", "--emergency")}[brake]
    done = engine.cli(*words, "--reason", "wait", "--yes")
    assert done.returncode == 0, done.stderr
    wait_for(lambda: start_time(worker) is None, "the look's end")
    assert bad(engine) == _ROWS
