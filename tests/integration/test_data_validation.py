"""A real engine looks at a real file: what is wrong is told, and is over when the file is right."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.datasets import open_to_others, write_csv
from tests.support.engine_process import EngineProcess, wait_for

pytest.importorskip("duckdb")

CONFIG = """
mode: observe
agents:
  data_validation:
    interval: 1s
    datasets:
      orders:
        source: {{csv: "{folder}/data/*.csv"}}
        expect:
          - {{column: id, unique: true}}
          - {{column: amount, between: [0, 100], severity: warning}}
"""


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[EngineProcess]:
    """Return an engine that looks at a file with a key that comes twice."""
    (tmp_path / "data").mkdir()
    open_to_others(tmp_path / "data")
    write_csv(tmp_path / "data" / "a.csv", ["id", "amount"], [(1, 5), (1, 7)])
    engine = EngineProcess(tmp_path, CONFIG.format(folder=tmp_path))
    engine.start()
    yield engine
    engine.close()


def state(engine: EngineProcess, severity: str) -> str:
    rows = engine.json("status")["checks"]
    found = [row["state"] for row in rows if row["check"].startswith(f"data_validation.orders.{severity}")]
    return found[0] if found else ""


def test_what_is_wrong_is_told_until_it_is_right(engine: EngineProcess, tmp_path: Path) -> None:
    wait_for(lambda: state(engine, "error") == "DOWN", "the key that comes twice is told")
    wait_for(lambda: state(engine, "warning") == "ok", "what holds is told as such")
    (incident,) = engine.json("incidents")["items"]
    assert (incident["target"], incident["severity"]) == ("dataset:orders", "error")
    write_csv(tmp_path / "data" / "a.csv", ["id", "amount"], [(1, 5), (2, 7)])
    wait_for(lambda: state(engine, "error") == "ok", "it is over")


TAKING = """
agents:
  data_validation:
    interval: 5s
    datasets:
      orders:
        contract: {folder}/contract.yaml
        source: {{csv: "{folder}/data/*.csv"}}
        on_failure: [quarantine_file]
      ledger:
        source: {{csv: "{folder}/ledger.csv"}}
        keep_snapshots: true
limits: {{boot_grace: 0s}}
"""


def _verified(engine: EngineProcess) -> list[str]:
    return [each["id"] for each in engine.actions() if (each["action"], each["outcome"]) == ("quarantine_file", "verified")]


def test_a_file_that_fails_is_taken_away_a_good_one_is_copied_and_undo_puts_it_back(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    open_to_others(tmp_path / "data")
    (tmp_path / "contract.yaml").write_text("expect:\n  - {column: id, not_null: true}\n", encoding="utf-8")
    good, bad = (write_csv(tmp_path / "data" / f"{name}.csv", ["id", "v"], [(1, 2)]) for name in "ab")
    write_csv(tmp_path / "ledger.csv", ["id"], [(1,)])
    engine = EngineProcess(tmp_path, TAKING.format(folder=tmp_path))
    engine.start()
    try:
        wait_for(lambda: [*engine.state.glob("snapshots/ledger/ledger.csv.*.good")], "the good file is copied")
        write_csv(bad, ["id", "v"], [(None, 2)])
        wait_for(lambda: not bad.exists(), "the file that fails is taken away")
        wait_for(lambda: _verified(engine), "the others are right")
        assert good.exists()
        assert engine.cli("undo", _verified(engine)[0], "--yes", "--reason", "it is wanted").returncode == 0
        assert bad.read_text(encoding="utf-8").splitlines() == ["id,v", ",2"]
    finally:
        engine.close()


REPAIRING = """
agents:
  data_validation:
    interval: 1h
    datasets:
      orders:
        source: {{csv: "{folder}/data/a.csv"}}
        repair: [trim]
        repair_at_most: 100%
actions:
  allow:
    repair_data: {{paths: ["{folder}/data"], approval: auto}}
limits: {{boot_grace: 0s}}
"""


def test_a_person_has_a_data_set_repaired_and_takes_it_back(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    open_to_others(tmp_path / "data")
    file = tmp_path / "data" / "a.csv"
    file.write_text("id,v\n1, a\n2,b\n", encoding="utf-8")
    engine = EngineProcess(tmp_path, REPAIRING.format(folder=tmp_path))
    engine.start()
    try:
        repair = ("-c", str(engine.config), "data", "repair", "orders")
        shown = engine.cli(*repair, "--dry-run")
        assert shown.returncode == 0 and "1 changed" in shown.stdout and file.read_text().count(" a") == 1
        done = engine.json(*repair, "--yes", "--reason", "blanks")["items"]
        assert [(each["outcome"], each["exit"]) for each in done] == [("verified", 0)]
        assert file.read_text(encoding="utf-8") == "id,v\n1,a\n2,b\n"
        again = engine.cli(*repair, "--yes", "--reason", "blanks")
        assert again.returncode == 0 and "nothing to do" in again.stdout
        assert engine.cli("undo", done[0]["action"], "--yes", "--reason", "they were wanted").returncode == 0
        assert file.read_text(encoding="utf-8") == "id,v\n1, a\n2,b\n"
    finally:
        engine.close()
