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
    assert state(engine, "warning") == "ok"
    (incident,) = engine.json("incidents")["items"]
    assert (incident["target"], incident["severity"]) == ("dataset:orders", "error")
    write_csv(tmp_path / "data" / "a.csv", ["id", "amount"], [(1, 5), (2, 7)])
    wait_for(lambda: state(engine, "error") == "ok", "it is over")
