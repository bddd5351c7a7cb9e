"""Failpoints do nothing unless a test armed one."""

from __future__ import annotations

import errno

import pytest

from tests.conftest import Arm
from zen_agents.store.failpoint import FAILPOINTS, failpoint


def test_nothing_happens_unless_armed() -> None:
    assert [failpoint(name) for name in FAILPOINTS] == [None] * len(FAILPOINTS)


def test_only_the_named_place_fails_and_only_once(arm: Arm) -> None:
    arm("store.finish.after_commit:enospc:2")
    failpoint("store.finish.before_commit")
    failpoint("store.finish.after_commit")
    with pytest.raises(OSError, match="failpoint store") as caught:
        failpoint("store.finish.after_commit")
    assert caught.value.errno == errno.ENOSPC
    failpoint("store.finish.after_commit")


def test_a_place_that_is_not_listed_is_an_error_of_the_caller(arm: Arm) -> None:
    arm("store.finish.after_commit:eio:9")
    with pytest.raises(ValueError, match="no such failpoint"):
        failpoint("store.nowhere")
