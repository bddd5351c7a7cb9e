"""What the resident engine never loads: each of these costs memory that it has no use for, and once loaded it stays."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]

#: The package index, workers, the command line's decoration, other parts of the product, and tests.
NEVER = {
    "_duckdb", "alembic", "apprise", "cryptography", "cyclopts", "duckdb", "fastapi", "hypothesis", "jinja2", "markdown",
    "numpy", "opentelemetry", "pandas", "pip", "polars", "psycopg", "pytest", "redis", "requests", "rich", "setuptools",
    "sqlalchemy", "sqlmodel", "starlette", "tornado", "twisted", "urllib3", "uvicorn",
}  # fmt: skip
#: Heavy parts of the standard library that nothing in this configuration needs.
NOT_YET = {
    "_hashlib", "_ssl", "difflib", "email", "html.entities", "http.client", "multiprocessing.connection", "unittest",
    "urllib.request", "xml.etree.ElementTree",
}  # fmt: skip

#: One real engine, from the command line to its end; then it tells what it had loaded.
ENGINE = """
import json, sys
from zen_agents.cli.main import main
code = main(sys.argv[1:])
print(json.dumps({"code": code, "modules": sorted(sys.modules)}))
"""


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """Every module of a real engine that ran with the shipped configuration."""
    state = tmp_path_factory.mktemp("guard") / "state"
    argv = ["run", "-c", str(REPOSITORY / "config" / "default.yaml"), "--state-dir", str(state), "--max-runtime", "3s"]
    environment = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    done = subprocess.run(
        [sys.executable, "-c", ENGINE, *argv], cwd=REPOSITORY, env=environment, capture_output=True, text=True,
        timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["code"] == 0, done.stderr[-2000:]
    assert "first turn of system_health taken" in done.stderr
    return set(told["modules"])


def test_the_engine_loads_none_of_the_heavy_packages(loaded: set[str]) -> None:
    assert {name.partition(".")[0] for name in loaded} & NEVER == set()


def test_what_only_some_configurations_need_is_not_loaded_by_the_shipped_one(loaded: set[str]) -> None:
    assert loaded & NOT_YET == set()


def test_the_engine_loads_no_worker_and_no_model_of_tables(loaded: set[str]) -> None:
    own = {name for name in loaded if name.startswith("zen_agents.")}
    assert "zen_agents.engine.engine" in own
    assert {name for name in own if name.startswith(("zen_agents.workers", "zen_agents.store.models"))} == set()


def test_the_engine_loads_nothing_that_reads_logs_unless_log_analysis_is_configured(loaded: set[str]) -> None:
    rooms = (
        "zen_agents.agents.log_analysis", "zen_agents.adapters.linux_logs_", "zen_agents.checks.log_source",
        "zen_agents.checks.log_reading", "zen_agents.checks.log_study", "zen_agents.checks.log_templates",
        "zen_agents.checks.log_latency", "zen_agents.checks.log_queues", "zen_agents.checks.accounts",
    )  # fmt: skip
    own_logs = {name for name in loaded if name.startswith("zen_agents.logs.")}
    assert {name for name in loaded if name.startswith(rooms)} == set()
    own_rooms = tuple(f"zen_agents.logs.{room}" for room in ("watching", "matching", "mining", "latency"))
    assert {name for name in own_logs if name.startswith(own_rooms)} == set()
    assert "re2" not in loaded
