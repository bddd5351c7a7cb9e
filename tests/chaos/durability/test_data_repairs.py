"""A file is repaired, restored and put back: killed at each step, on a full disk, on one that fails. It stays whole."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial
from pathlib import Path
from random import Random
from types import FrameType
from typing import Any

import pytest

from chaos.durability.disk_calls import Fault, environment
from tests.support.changing import IS_ROOT
from tests.support.repairing_data import GOOD, MENDED, ROWS, TAKEN, RepairSite, repair_site
from zen_agents.adapters import linux_datasets, quarantine
from zen_agents.adapters.data_repairs import RepairedFile, repaired
from zen_agents.datasets.job import repair_question
from zen_agents.errors import HostError, RefusedError

pytest.importorskip("duckdb")

#: Calls of the kernel, as the interpreter names them, that change what a disk holds; what is made is written to next.
_CHANGES = frozenset({"write", "fsync", "rename", "link", "unlink", "mkdir", "fchmod", "fchown", "setxattr", "utime"})
_CHILD = [sys.executable, "-m", "tests.support.repairing_data"]


@pytest.fixture
def site(tmp_path: Path) -> RepairSite:
    return repair_site(tmp_path)


@pytest.fixture
def mended(site: RepairSite, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Have the worker write the repaired file once; each repair gets that one."""
    runner, block = asyncio.Runner(), repaired(repair_question(site.contract))
    done = runner.run(block.__aenter__())

    @contextlib.asynccontextmanager
    async def again(*_: object) -> AsyncIterator[RepairedFile]:
        state = site.file.stat()
        now = done.repair.model_copy(update={"identity": (state.st_dev, state.st_ino, state.st_size, state.st_mtime_ns)})
        yield RepairedFile(now, done.directory)

    monkeypatch.setattr(linux_datasets, "repaired", again)
    yield
    runner.run(block.__aexit__(None, None, None))
    runner.close()


def killed_at(step: int, work: Callable[[], object]) -> bool:
    """Do it in a process that is killed before or after its nth change; tell whether it was."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    count = 0

    def counted(frame: FrameType, event: str, called: Any) -> None:
        nonlocal count
        is_change = event.startswith("c_") and getattr(called, "__name__", "") in _CHANGES
        count += is_change or (event in ("call", "return") and frame.f_code.co_name == "_renamed")
        if count == step:
            os.kill(os.getpid(), signal.SIGKILL)

    threading.setprofile(counted)  # files are changed beside the loop
    try:
        work()
    finally:
        os._exit(0)


@pytest.mark.usefixtures("mended")
@pytest.mark.parametrize(
    ("verb", "new", "by"),
    [("repair", MENDED, "copy"), ("restore", GOOD, "copy"), ("put_back", ROWS, "copy"), ("restore", GOOD, "link")],
)
def test_killed_at_each_step_it_is_the_old_or_the_new_one(
    site: RepairSite, verb: str, new: bytes, by: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if by == "link":
        monkeypatch.setattr(quarantine, "LINKED_FROM", 1)
    is_undo = verb == "put_back"
    action, plan = site.undoing(site.do(*site.planned("restore"))) if is_undo else site.planned(verb)
    old, found, step = site.file.read_bytes(), set(), 1
    while killed_at(step, partial(site.do, action, plan)):
        content = site.file.read_bytes()
        found.add(content)
        assert content in (old, new), step
        assert site.taken() in ([], TAKEN), step
        site.next_start()
        assert site.left() == [] and site.file.stat().st_nlink == 1, step
        if content == new:  # the first is there again, as the action left it
            site.file.write_bytes(ROWS)
            for each in (site.directory / "taken").iterdir():
                each.unlink()
            if is_undo:
                action, plan = site.undoing(site.do(*site.planned("restore")))
            else:
                action, plan = site.planned(verb)
        elif by == "link":  # its time of change is another one
            action, plan = site.planned(verb)
        step += 1
    assert found == {old, new} and step > 20
    assert site.file.read_bytes() == new and site.taken() == (TAKEN if verb == "repair" else [])
    assert site.left() == []


@pytest.mark.slow
def test_killed_at_any_moment_nothing_stays_behind(site: RepairSite, tmp_path: Path) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir(mode=0o1777)
    temporary.chmod(0o1777)
    around = {**os.environ, "TMPDIR": str(temporary)}
    random, found = Random(7), set()
    for _ in range(10):
        child = subprocess.Popen([*_CHILD, str(tmp_path), "repair"], env=around)
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(random.uniform(0.3, 2.5))
        child.kill()
        child.wait()
        found.add(site.file.read_bytes())
        site.next_start()
        site.file.write_bytes(ROWS)
    assert found <= {ROWS, MENDED} and ROWS in found
    subprocess.run([*_CHILD, str(tmp_path), "repair"], env=around, check=True)
    assert site.file.read_bytes() == MENDED
    assert [*temporary.iterdir()] == [] and site.left() == []


@pytest.mark.usefixtures("disk_calls")
@pytest.mark.parametrize(
    ("call", "glob"), [("write", "data/.zen-*"), ("sync", "data/.zen-*"), ("sync", "state/quarantine/*")]
)
def test_a_disk_that_fails_while_it_is_put_back_leaves_what_is_there(site: RepairSite, call: str, glob: str) -> None:
    undo = site.do(*site.planned("restore"))
    fault = Fault(call, str(site.directory / glob), "eio")
    done = subprocess.run(
        [*_CHILD, str(site.directory), "put_back", json.dumps(dict(undo.params))],
        env={**os.environ, **environment(site.directory, fault=fault)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode != 0 and "HostError" in done.stderr, done.stderr
    site.next_start()
    assert site.file.read_bytes() == GOOD and site.left() == []
    site.do(*site.undoing(undo))
    assert site.file.read_bytes() == ROWS


@pytest.mark.usefixtures("disk_calls", "mended")
@pytest.mark.parametrize("mode", ["eio", "enospc"])
@pytest.mark.parametrize(
    ("call", "glob"), [("write", "data/.zen-*"), ("sync", "data/.zen-*"), ("write", "state/quarantine/*"), ("sync", "data")]
)
def test_a_disk_that_fails_leaves_it_whole(site: RepairSite, call: str, glob: str, mode: str) -> None:
    """The last one, the directory's sync, may fail when the new file is there: then that is whole."""
    fault = Fault(call, str(site.directory / glob), mode)
    done = subprocess.run(
        [*_CHILD, str(site.directory), "restore"], env={**os.environ, **environment(site.directory, fault=fault)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode != 0 and "Error" in done.stderr
    assert site.file.read_bytes() in (ROWS, GOOD)
    site.next_start()
    assert site.left() == []


@pytest.mark.skipif(not IS_ROOT, reason="only root can mount a small file system")
@pytest.mark.parametrize("full", ["data", "taken", "state/quarantine", "spill"])
def test_on_a_full_disk_it_stays_as_it_is(tmp_path: Path, full: str, monkeypatch: pytest.MonkeyPatch) -> None:
    site = repair_site(tmp_path)
    (place := tmp_path / full).mkdir(exist_ok=True, parents=True)
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8k,mode=1777", "none", str(place)], check=False)
    if mounted.returncode != 0:
        pytest.skip("no file system can be mounted here")
    try:
        if full == "data":
            site.file.write_bytes(ROWS + ROWS[5:] * 2)
        if full == "spill":
            monkeypatch.setattr("tempfile.gettempdir", lambda: str(place))
        if full in ("taken", "spill"):
            (place / "other").write_bytes(bytes(8192))
        content = site.file.read_bytes()
        with pytest.raises((HostError, RefusedError), match=r"No space left|cannot be written|room"):
            site.do(*site.planned("repair"))
        site.next_start()
        assert site.file.read_bytes() == content
        assert {*site.left()} <= {"taken/other"} and site.taken() == []
    finally:
        subprocess.run(["umount", str(place)], check=True)
