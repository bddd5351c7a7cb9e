"""The format of checkpoints: what was signed once has to verify for ever, so every byte of it is fixed here."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from zen_agents.model.entry import Checkpoint
from zen_agents.store.checkpoint import (
    MOST_UNSIGNED,
    checkpoint_body,
    checkpoint_of,
    is_signed_at_once,
    key_id,
    signed_text,
)

WHOLE = {"seq": 812, "hash": "7c" * 32, "key": "0123456789abcdef", "signature": "ab" * 64}


@pytest.mark.parametrize(
    ("kind", "id", "at_once"),
    [
        ("human", "pause", True),
        ("human", "started", True),
        ("engine", "started", True),
        ("engine", "stopped", True),
        ("engine", "recovered", False),
        ("engine", "checkpoint", False),
        ("decision", "started", False),
        ("intent", "stopped", False),
    ],
)
def test_a_person_and_both_ends_of_an_engine_are_signed_at_once(kind: str, id: str, at_once: bool) -> None:
    assert is_signed_at_once(kind, id) is at_once


def test_a_signature_is_over_these_bytes() -> None:
    assert signed_text(812, "7c1e") == b"zen-agents ledger checkpoint v1\n812\n7c1e\n"


def test_a_key_is_called_by_the_first_sixteen_digits_of_its_sha_256() -> None:
    assert key_id(b"a public key") == hashlib.sha256(b"a public key").hexdigest()[:16]
    assert len(key_id(b"")) == 16


def test_older_ledgers_go_on_to_verify() -> None:
    assert MOST_UNSIGNED >= 200


def test_a_checkpoint_is_read_as_it_was_written() -> None:
    checkpoint = Checkpoint(812, "7c" * 32, "0123456789abcdef", "ab" * 64)
    assert checkpoint_body(checkpoint) == WHOLE
    assert checkpoint_of(WHOLE) == checkpoint


@pytest.mark.parametrize("name", list(WHOLE))
def test_a_body_without_one_of_its_values_is_no_checkpoint(name: str) -> None:
    with pytest.raises(KeyError, match=name):
        checkpoint_of({key: value for key, value in WHOLE.items() if key != name})


@pytest.mark.parametrize(
    "wrong", [{"seq": "812"}, {"seq": True}, {"seq": 812.0}, {"hash": 7}, {"key": None}, {"signature": []}]
)
def test_a_value_of_another_type_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="a checkpoint's values are of another type"):
        checkpoint_of(WHOLE | wrong)
