"""Whoever may not ask the engine reads which group lets them in, and the command that works."""

from __future__ import annotations

import asyncio
import grp
import os
import pwd
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from zen_agents.adapters import control_access
from zen_agents.adapters.control_client import ask
from zen_agents.adapters.control_socket import ControlSocket
from zen_agents.errors import PermissionDeniedError

NOBODY = pwd.getpwnam("nobody")
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")


@pytest.fixture
def state() -> Iterator[Path]:
    """A state directory through which everybody may pass, unlike pytest's own."""
    with tempfile.TemporaryDirectory() as directory:
        Path(directory).chmod(0o711)
        yield Path(directory)


@pytest.fixture
def somebody() -> Iterator[None]:
    """This process as an account that is in no group but its own."""
    groups = os.getgroups()
    os.setgroups([NOBODY.pw_gid])
    os.seteuid(NOBODY.pw_uid)
    yield
    os.seteuid(0)
    os.setgroups(groups)


@pytest.fixture
def closed(state: Path) -> Path:
    (state / "control.sock").touch(mode=0o600)
    return state


def refused(state: Path) -> str:
    with pytest.raises(PermissionDeniedError) as told:
        ask(state / "control.sock", "ping")
    assert told.value.exit_code == 77
    return str(told.value)


@as_root
def test_who_is_in_no_group_reads_which_one_and_the_command(
    closed: Path, somebody: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(control_access, "VIEW_GROUP", "bin")
    monkeypatch.setattr(control_access, "OPS_GROUP", "daemon")
    told = refused(closed)
    assert "nobody is not in bin and daemon: sudo usermod --append --groups bin,daemon nobody, then log in anew" in told
    assert told.endswith("(bin is enough for looking)")


@as_root
def test_without_the_group_only_root_may_and_how_to_make_it(
    closed: Path, somebody: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(control_access, "OPS_GROUP", "no-such-people-here")
    told = refused(closed)
    assert "only root may: sudo zen-agents ..." in told
    assert "groupadd no-such-people-here && sudo usermod --append --groups no-such-people-here nobody" in told


@as_root
def test_an_engine_without_root_is_asked_as_its_own_account(state: Path, request: pytest.FixtureRequest) -> None:
    (state / "control.sock").touch(mode=0o600)
    os.chown(state, pwd.getpwnam("daemon").pw_uid, -1)
    request.getfixturevalue("somebody")
    assert refused(state).endswith("only that account may ask it: sudo -u daemon zen-agents ...")


@as_root
def test_a_session_that_is_older_than_its_group_is_told_to_begin_anew(
    closed: Path, somebody: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = grp.getgrgid(NOBODY.pw_gid).gr_name
    monkeypatch.setattr(control_access, "OPS_GROUP", own)
    assert "start it anew, or: sudo zen-agents ..." in refused(closed)
    monkeypatch.setattr(os, "getgroups", list)
    assert f"this session began before that: log in anew, or: newgrp {own}" in refused(closed)


async def test_the_answer_of_the_socket_for_looking_names_the_other_one(tmp_path: Path) -> None:
    async def answer(verb: str, args: object, who: object, may_act: bool) -> None:
        raise PermissionDeniedError

    looking = ControlSocket(tmp_path / "view.sock", answer, may_act=False)
    await looking.open()
    try:
        with pytest.raises(PermissionDeniedError, match=r"control\.sock: only looking is open now"):
            await asyncio.to_thread(ask, tmp_path / "view.sock", "pause")
    finally:
        await looking.close()
