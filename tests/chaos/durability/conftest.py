"""Where no compiler is, nothing of this can be seen: that is said, not passed."""

from __future__ import annotations

from pathlib import Path

import pytest

from chaos.durability.disk_calls import NoCompilerError, environment


@pytest.fixture(scope="session", autouse=True)
def _disk_calls_can_be_seen() -> None:
    try:
        environment(Path("/nonexistent"))
    except NoCompilerError as error:
        pytest.skip(f"the calls of an engine cannot be seen: {error}")
