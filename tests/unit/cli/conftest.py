"""A written state for the commands that look."""

from pathlib import Path

import pytest

from tests.support.command_line import WrittenState


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> WrittenState:
    """Return an empty state without an engine."""
    for name in ("ZEN_AGENTS_STATE_DIR", "ZEN_AGENTS_CONFIG", "NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    return WrittenState(tmp_path / "state")
