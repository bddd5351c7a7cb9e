"""The watch over a target sees what it is there to see: a fuzz test that cannot fail would be worth nothing."""

from __future__ import annotations

import contextlib
import os
import subprocess
from pathlib import Path

import pytest

from chaos.fuzz import promise
from chaos.fuzz.given import folder, put


def test_what_a_target_raises_is_passed_on() -> None:
    def fails(data: bytes) -> None:
        raise KeyError(data)

    with pytest.raises(KeyError):
        promise.run(fails, b"x")


def test_work_without_end_is_stopped_whatever_the_parser_catches() -> None:
    def hangs(data: bytes) -> None:
        while True:
            with contextlib.suppress(Exception):
                len(data)

    with pytest.raises(promise.TooMuchWorkError):
        promise.run(hangs, b"x")


def test_work_may_grow_with_the_input() -> None:
    def reads(data: bytes) -> None:
        for _ in range(promise.MOST_CALLS + 1000):
            len(data)

    promise.run(reads, b"x" * 1000)
    with pytest.raises(promise.TooMuchWorkError):
        promise.run(reads, b"")


def test_a_process_is_never_started() -> None:
    def starts(data: bytes) -> None:
        with contextlib.suppress(Exception):
            subprocess.run(["/bin/true", data.decode()], check=False)

    with pytest.raises(promise.EscapedError):
        promise.run(starts, b"x")


@pytest.mark.parametrize("path", ["/root/.ssh/id_rsa", "/var/log/syslog"])
def test_no_file_is_read_that_the_target_did_not_give(path: str) -> None:
    def reads(data: bytes) -> None:
        with contextlib.suppress(OSError):
            os.close(os.open(data, os.O_RDONLY))

    with pytest.raises(promise.EscapedError):
        promise.run(reads, path.encode())


def test_no_file_is_written_outside_the_scratch_directory(tmp_path: Path) -> None:
    def writes(data: bytes) -> None:
        Path(os.fsdecode(data)).write_text("x", encoding="ascii")

    with pytest.raises(promise.EscapedError):
        promise.run(writes, os.fsencode(tmp_path / "a"))
    promise.run(writes, os.fsencode(folder("promises") / "a"))


def test_the_watch_ends_with_the_target(tmp_path: Path) -> None:
    with pytest.raises(promise.BrokenPromiseError):
        promise.run(lambda _: promise.promise(False, "kept"), b"")
    assert put(tmp_path / "a", b"x").read_bytes() == b"x"
