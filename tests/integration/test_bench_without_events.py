"""The engine without events that `scripts/bench repair` compares with is the engine of today."""

import subprocess
import sys
from pathlib import Path

from scripts.benchmarks.repair import WITHOUT_EVENTS
from tests.support.engine_process import PATIENCE_SECONDS, REPOSITORY, with_a_run_of_its_own


def test_it_takes_its_turns_and_ends_by_itself(tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    config.write_text("version: 1\nagents: {system_health: {interval: 5}}\n", encoding="ascii")
    config.chmod(0o600)
    words = ["run", "-c", str(config), "--state-dir", str(tmp_path / "state"), "--max-runtime", "1s"]
    done = subprocess.run(
        [*with_a_run_of_its_own(), sys.executable, "-c", WITHOUT_EVENTS, *words],
        cwd=REPOSITORY, capture_output=True, text=True, check=False, timeout=PATIENCE_SECONDS,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    assert "engine started" in done.stderr
