"""What a repair wrote is on the disk once it is said to be."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from zen_agents.workers.taken_rows import TakenRows
from zen_agents.workers.text_sink import TextSink

_MADE: dict[str, Callable[[Path], AbstractContextManager[object]]] = {
    "the text": lambda to: TextSink(to, packed="none", encoding=""),
    "rows taken out": lambda to: TakenRows(to, lambda _: {}),
}


@pytest.mark.parametrize("what", _MADE)
def test_a_disk_that_fails_when_it_has_to_keep_it_is_no_success(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    def failing(_: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, "fsync", failing)
    with pytest.raises(OSError, match="Input/output error"), _MADE[what](tmp_path / "out"):
        pass
