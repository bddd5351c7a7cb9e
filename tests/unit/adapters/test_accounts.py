"""Whose groups an account has, as the host says."""

from __future__ import annotations

import grp
import os

from zen_agents.adapters.accounts import group_names


def test_an_account_has_its_own_group_and_an_unknown_one_has_none() -> None:
    assert grp.getgrgid(os.getgid()).gr_name in group_names(os.getuid())
    assert group_names(2**31 - 7) == frozenset()
