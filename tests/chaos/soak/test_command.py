"""The command that soaks: whoever ends it early gets the report so far, and nothing of it goes on."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.engine_process import REPOSITORY, wait_for

pytestmark = pytest.mark.slow


def test_a_soak_that_is_ended_tells_what_was_so_far(tmp_path: Path) -> None:
    report = tmp_path / "soak.md"
    command = [sys.executable, "-m", "chaos.soak", "--minutes", "30", "--speed", "60", "--report", str(report)]
    with (tmp_path / "progress").open("wb") as progress, subprocess.Popen(
        command, cwd=REPOSITORY, stdout=subprocess.DEVNULL, stderr=progress
    ) as process:  # fmt: skip
        wait_for(lambda: (tmp_path / "progress").stat().st_size or process.poll() is not None, "the first sample")
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    told = report.read_text(encoding="utf-8")
    assert "not judged: too short" in told
    assert "entries verify" in told
