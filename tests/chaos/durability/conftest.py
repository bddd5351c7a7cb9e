"""Where no compiler is, the calls of a process cannot be seen: that is said, not passed."""

from __future__ import annotations

from pathlib import Path

import pytest

from chaos.durability.disk_calls import NoCompilerError, environment


@pytest.fixture(scope="session")
def disk_calls() -> None:
    """Skip what needs to see the calls of a process where that cannot be done."""
    try:
        environment(Path("/nonexistent"))
    except NoCompilerError as error:
        pytest.skip(f"the calls of an engine cannot be seen: {error}")
