"""What is read is bounded, and whole where it is not longer than that, however long a piece of a read is."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from zen_agents.adapters.linux_view_reading import read_kernel_file, read_regular_file

_ALL = os.urandom(200_000)


@pytest.mark.parametrize("limit", [1, 65_535, 65_536, 65_537, 199_999, 200_000, 200_001, 16 << 20])
def test_no_more_than_the_limit_is_read_and_no_less(tmp_path: Path, limit: int) -> None:
    path = tmp_path / "long"
    path.write_bytes(_ALL)
    assert read_kernel_file(str(path), limit=limit) == _ALL[:limit]
    found, at_its_end = read_regular_file(str(path), limit=limit), read_regular_file(str(path), limit=limit, end=True)
    assert found is not None and found[0] == _ALL[:limit]
    assert at_its_end is not None and at_its_end[0] == _ALL[-limit:]


def test_what_is_gone_is_nothing(tmp_path: Path) -> None:
    assert read_kernel_file(str(tmp_path / "gone")) is None
    assert read_regular_file(str(tmp_path / "gone"), limit=9) is None
