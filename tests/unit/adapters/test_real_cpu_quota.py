"""A quota of the kernel's own CPU controller (control groups, version 1) is read as it is, and holds a loop down."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.engine_process import wait_for
from zen_agents.adapters.linux_view_cgroups import CgroupReader

_ROOT = Path("/sys/fs/cgroup")
_HAS_CONTROLLER = os.geteuid() == 0 and (_ROOT / "cpu" / "cpu.shares").exists() and os.access(_ROOT / "cpu", os.W_OK)
pytestmark = pytest.mark.skipif(not _HAS_CONTROLLER, reason="needs root and the CPU controller of control groups, version 1")


@pytest.fixture
def group() -> Iterator[Path]:
    made = _ROOT / "cpu" / f"zen-test-{os.getpid()}"
    made.mkdir()
    yield made
    # The dead leave it a moment later.
    wait_for(lambda: not (made / "cgroup.procs").read_text(), seconds=60)
    made.rmdir()


def test_a_quota_is_read_as_it_is_and_throttles(group: Path) -> None:
    reader = CgroupReader(str(_ROOT))
    assert reader.can_limit_cpu()
    assert reader.cpu_quota(f"/{group.name}") is None
    (group / "cpu.cfs_period_us").write_text("20000")
    (group / "cpu.cfs_quota_us").write_text("2000")
    assert reader.cpu_quota(f"/{group.name}") == 10.0
    loop = subprocess.Popen([sys.executable, "-ISc", "while True: pass"])
    try:
        (group / "cgroup.procs").write_text(str(loop.pid))
        # The kernel's own count of periods in which somebody was held back.
        wait_for(lambda: _throttled(group) >= 5, seconds=20)
    finally:
        loop.kill()
        loop.wait()


def _throttled(group: Path) -> int:
    lines = (group / "cpu.stat").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("nr_throttled "))
