"""A token answers one question about one plan, and only where it was issued."""

from __future__ import annotations

import stat
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.guarding import NOW
from zen_agents.adapters.approval_tokens import ApprovalTokens
from zen_agents.errors import RefusedError, UsageError
from zen_agents.model.approval import Approval
from zen_agents.model.principal import ENGINE

ASKED = Approval(
    "apr-2c8d4k", "a" * 64, "restart_service", "service:web", "system_health", "", None, ENGINE, 1, NOW, 500.5, {}
)


def test_a_token_is_valid_for_its_own_question_alone(tmp_path: Path) -> None:
    tokens = ApprovalTokens(tmp_path)
    token = tokens.issue(ASKED)
    assert len(tokens.verify(token, ASKED)) == 64
    assert tokens.issue(ASKED) != token
    for other in (
        replace(ASKED, id="apr-zzzzzz"), replace(ASKED, digest="b" * 64), replace(ASKED, expires_at=900.0),
    ):  # fmt: skip
        with pytest.raises(RefusedError, match="not valid"):
            tokens.verify(token, other)


def test_each_changed_character_is_found(tmp_path: Path) -> None:
    tokens = ApprovalTokens(tmp_path)
    token = tokens.issue(ASKED)
    for index, character in enumerate(token):
        spoilt = token[:index] + ("A" if character != "A" else "B") + token[index + 1 :]
        with pytest.raises((RefusedError, UsageError)):
            tokens.verify(spoilt, ASKED)


@pytest.mark.parametrize("text", ["", "apr-2c8d4k", "a.b", "a..c", "a.b.c.d", "é.b.c", "x" * 300])
def test_what_is_no_token_is_told_so(tmp_path: Path, text: str) -> None:
    with pytest.raises(UsageError):
        ApprovalTokens(tmp_path).verify(text, ASKED)


def test_the_key_stays_in_the_state_and_for_the_engine_alone(tmp_path: Path) -> None:
    token = ApprovalTokens(tmp_path).issue(ASKED)
    assert ApprovalTokens(tmp_path).verify(token, ASKED)
    key = tmp_path / "approval.key"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    key.chmod(0o640)
    with pytest.raises(RefusedError, match="only the engine may read"):
        ApprovalTokens(tmp_path).verify(token, ASKED)
    key.unlink()
    with pytest.raises(RefusedError, match="not valid"):
        ApprovalTokens(tmp_path).verify(token, ASKED)
