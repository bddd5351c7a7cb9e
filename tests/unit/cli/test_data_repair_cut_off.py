"""`data repair --to` that is killed or interrupted: there is a whole copy or none, and it can be done again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import pytest

from chaos.durability.disk_calls import Fault, environment
from tests.support.datasets import open_to_others
from tests.support.engine_process import start_time, wait_for
from tests.support.held_workers import HeldWorkers
from zen_agents.jobs.data_repair import WORKER

pytest.importorskip("duckdb")

_CONTRACT = "columns: {v: text}\nexpect: [{column: id, not_null: true}]\nrepair: [trim, quarantine_rows]\n"
_ROWS = "id,v\n1, a\n,b\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A directory with a file, its contract, and a place for what is written."""
    for name in ("out", "temporary"):
        (tmp_path / name).mkdir()
        (tmp_path / name).chmod(0o1777)
    (tmp_path / "a.csv").write_text(_ROWS)
    (tmp_path / "contract.yaml").write_text(_CONTRACT)
    open_to_others(tmp_path)
    return tmp_path


def started(folder: Path, more: Mapping[str, str] | None = None) -> subprocess.Popen[bytes]:
    """Start the command."""
    words = ["data", "repair", str(folder / "a.csv"), "--contract", str(folder / "contract.yaml")]
    with (folder / "said").open("wb") as said:
        return subprocess.Popen(
            [sys.executable, "-m", "zen_agents", *words, "--to", str(folder / "out" / "b.csv")],
            env={**os.environ, "TMPDIR": str(folder / "temporary"), **(more or {})}, stdout=subprocess.DEVNULL,
            stderr=said, stdin=subprocess.DEVNULL,
        )  # fmt: skip


def is_whole(folder: Path) -> bool:
    """Tell whether the copy is there; fails if only a part of it is, or the file itself was touched."""
    assert (folder / "a.csv").read_text() == _ROWS
    if not (copy := folder / "out" / "b.csv").exists():
        return False
    assert copy.read_text() == "id,v\n1,a\n" and (folder / "out" / "b.csv.quarantined").exists()
    return True


def is_done_again(folder: Path) -> bool:
    """Do it once more and tell whether that left the copy, what was taken out, and nothing else."""
    for each in (folder / "out").glob("b.csv*"):
        each.unlink()
    code = started(folder).wait(60)
    left = {each.name for each in (folder / "out").iterdir()}
    return (
        code == 0 and is_whole(folder) and left == {"b.csv", "b.csv.quarantined"} and not [*(folder / "temporary").iterdir()]
    )


@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_while_its_worker_works(folder: Path, sent: signal.Signals) -> None:
    command = started(folder)

    with closing(HeldWorkers()) as workers:
        held = workers.hold(command.pid, (WORKER,))
        command.send_signal(sent)
        assert command.wait(60) in (-sent, 128 + sent)
        said = (folder / "said").read_bytes()
        assert (b"b.csv was not written" in said) == (sent != signal.SIGKILL), said
        wait_for(lambda: start_time(held) is None, "the worker's end")
    assert not is_whole(folder) and is_done_again(folder)


@pytest.mark.parametrize(
    ("call", "name", "mode", "whole"),
    [
        ("write", ".b.csv.new", "torn", False), ("link", "b.csv", "before", False), ("link", "b.csv", "after", True),
        ("write", ".b.csv.new", "enospc", False),
    ],
)  # fmt: skip
def test_while_it_writes(folder: Path, call: str, name: str, mode: str, whole: bool) -> None:
    out = folder / "out"
    assert started(folder, environment(out, fault=Fault(call, str(out / name), mode))).wait(60) != 0
    assert is_whole(folder) == whole and is_done_again(folder)
