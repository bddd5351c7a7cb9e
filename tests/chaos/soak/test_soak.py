"""The short form of the soak: one minute of a real engine on real faults."""

from __future__ import annotations

from pathlib import Path

import pytest

from chaos.soak.__main__ import soak

pytestmark = pytest.mark.slow


def test_an_engine_on_real_faults_repairs_them_and_leaves_a_whole_ledger(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    course, judged = soak(tmp_path, minutes=1.0, speed=60.0, quiet=True)
    assert [each for each in judged if each.met is False] == []
    repaired = {tally.fault.name: len(tally.repaired) for tally in course.tallies}
    # Temporary files count from the age of a minute, so theirs is the longer form's.
    assert all(count > 0 for name, count in repaired.items() if name != "old temporary files"), repaired
    assert course.messages > 0
    assert len(course.samples) > 10
    assert max(each.descriptors for each in course.samples) < 64
