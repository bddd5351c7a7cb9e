"""What a file is besides its content is known in full, or not at all."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from zen_agents.adapters.likeness import Likeness
from zen_agents.errors import HostError

ACL = "system.posix_acl_access"


def likeness_of(path: Path) -> Likeness:
    path.touch()
    descriptor = os.open(path, os.O_RDONLY)
    try:
        return Likeness.of(descriptor)
    finally:
        os.close(descriptor)


def test_an_access_list_that_cannot_be_read_is_not_taken_for_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The mode's group bits are its mask then: a copy without the list would let the group do what it may not."""

    def unreadable(_: int, name: str) -> bytes:
        raise OSError(errno.EIO, os.strerror(errno.EIO), name)

    monkeypatch.setattr(os, "listxattr", lambda _: [ACL])
    monkeypatch.setattr(os, "getxattr", unreadable)
    with pytest.raises(HostError, match="Input/output error; nothing was changed"):
        likeness_of(tmp_path / "app.conf")


def test_a_file_system_that_knows_no_attributes_has_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(_: int) -> list[str]:
        raise OSError(errno.ENOTSUP, os.strerror(errno.ENOTSUP))

    monkeypatch.setattr(os, "listxattr", unknown)
    assert likeness_of(tmp_path / "app.conf").attributes == {}
