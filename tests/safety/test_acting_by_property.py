"""Rules about acting, telling and who may: whatever changes meanwhile, breaks, is printed, is answered or lies about."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from unittest import mock

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.support.acting import a_group, a_state, record
from tests.support.changing import IS_ROOT, changing
from tests.support.datasets import write_csv
from tests.support.engine_process import REPOSITORY, start_time
from tests.support.rig import Restart, Rig
from zen_agents.actions.base import ActionPolicy
from zen_agents.actions.base import Approval as Who
from zen_agents.datasets.source import Source, SourceKind
from zen_agents.engine.approvals import Approvals
from zen_agents.errors import HostError, StoreError, ZenError
from zen_agents.model.action import ActionRequest, Plan
from zen_agents.model.principal import Principal
from zen_agents.ports.host import HostView
from zen_agents.ports.host_commands import Command, CommandResult
from zen_agents.workers.data_files import DataFiles
from zen_agents.workers.lesser_account import NOBODY, AccountError

needs_root = pytest.mark.skipif(not IS_ROOT, reason="accounts and ownership need root")
CHANGES = {
    "a crash": lambda rig: rig.host.crash("web"),
    "a start": lambda rig: rig.host.start("web"),
    "a stop": lambda rig: rig.host.stop("web"),
    "time": lambda rig: rig.host.clock.advance(0.5),
}
FAULTS = st.sampled_from([OSError, RuntimeError, ValueError, KeyError, HostError, StoreError, TimeoutError])
PRINTED = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), min_size=1, max_size=20)
#: Uid, whether that person may approve, and whether they say yes.
ANSWERS = st.lists(st.tuples(st.sampled_from([1000, 1000, 1001, 1002, None]), st.booleans(), st.booleans()), max_size=5)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from(sorted(CHANGES)), max_size=3))
def test_what_is_done_was_planned_for_what_is_there_now(changes: list[str]) -> None:
    """R5."""
    made: list[str] = []

    async def live(folder: Path) -> Rig:
        rig = Rig(folder)
        await rig.turn()
        loop, plan = asyncio.get_running_loop(), Restart.plan

        def planned(self: Restart, request: ActionRequest, host: HostView) -> Plan:
            found = plan(self, request, host)
            made.append(found.fingerprint)
            if len(made) == 1:
                loop.call_soon_threadsafe(lambda: [CHANGES[each](rig) for each in changes])
            return found

        rig.host.crash("web")
        rig.host.advance(5)
        with mock.patch.object(Restart, "plan", planned):
            await rig.turn()
        return rig

    with tempfile.TemporaryDirectory() as folder:
        rig = asyncio.run(live(Path(folder)))
        assert len(made) == 2
        assert bool(rig.controls) == (made[0] == made[1]), made
        assert ("stale_plan" in rig.reasons()) == (made[0] != made[1])
        rig.store.close()


@settings(max_examples=8, deadline=None)
@given(PRINTED, st.integers(0, 400_000))
def test_a_child_that_prints_without_end_costs_a_few_thousand_characters(text: str, count: int) -> None:
    """R14."""
    script = f"import sys; sys.stdout.buffer.write({text.encode()!r} * {count})"
    with tempfile.TemporaryDirectory() as folder:
        result = asyncio.run(_run(Path(folder), Command((sys.executable, "-S", "-c", script))))
    assert result.exit_code == 0
    # What cannot be printed is escaped, by ten characters at most for one byte or letter of the 8 KiB that are kept.
    assert len(result.output) <= 8300 * 10
    assert all(each.isprintable() or each in "\n\t" for each in result.output)


async def _run(folder: Path, command: Command) -> CommandResult:
    here = changing(folder)
    try:
        return await here.control().run(command)
    finally:
        here.controls.close()


@settings(max_examples=15, deadline=None)
@given(st.none() | FAULTS, st.none() | FAULTS)
def test_neither_telling_nor_acting_needs_the_other(telling: type[Exception] | None, acting: type[Exception] | None) -> None:
    """R15."""

    async def live(folder: Path) -> Rig:
        rig, execute = Rig(folder), Restart.execute
        if telling is not None:
            rig.told.tell = mock.Mock(side_effect=telling)  # type: ignore[method-assign]
        rig.host.crash("web")
        broken = mock.AsyncMock(side_effect=acting) if acting is not None else execute
        with mock.patch.object(Restart, "execute", broken):
            await rig.run(600)
        return rig

    with tempfile.TemporaryDirectory() as folder:
        rig = asyncio.run(live(Path(folder)))
        assert ("verified" in rig.outcomes()) == (acting is None), rig.outcomes()
        if acting is not None and telling is None:
            assert rig.summaries()
        rig.store.close()


@needs_root
@settings(max_examples=40, deadline=None)
@given(st.integers(0, 0o777), st.sampled_from([0, 12345]), st.integers(0, 0o777).map(lambda mode: mode | 0o700))
def test_data_is_read_by_nobody_or_by_its_owner_and_never_by_root(mode: int, owner: int, above: int) -> None:
    """R29."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        (below := Path(folder, "data")).mkdir()
        path = write_csv(below / "a.csv", ["id"], [(1,)])
        os.chown(path, owner, owner)
        path.chmod(mode)
        below.chmod(above)
        try:
            uid, gid = DataFiles(Source(SourceKind.CSV, path=str(path))).account()
        except (AccountError, ZenError):
            return
    assert uid != 0 and gid != 0
    assert uid in (NOBODY, owner)


@settings(max_examples=40, deadline=None)
@given(ANSWERS, st.sampled_from([Who.REQUIRED, Who.TWO_PERSON]))
def test_only_as_many_different_people_as_are_needed_let_it_be_done(
    answers: list[tuple[int | None, bool, bool]], who: Who
) -> None:
    """R30."""
    needed, agreed, refused = 2 if who is Who.TWO_PERSON else 1, set[int](), False

    async def live(folder: Path) -> Rig:
        nonlocal refused
        rig = Rig(folder, allowed={"restart_service": ActionPolicy(approval=who)})
        await rig.turn()
        rig.host.crash("web")
        await rig.run(10)
        (question,) = rig.store.open_approvals()
        for uid, approves, yes in answers:
            person = Principal(f"uid {uid}", uid, approves=approves)
            counts = uid is not None and approves and uid not in agreed and not refused and len(agreed) < needed
            try:
                await Approvals(rig.parts).answer(question.id, person, yes=yes, reason="seen")
            except ZenError:
                assert not counts
                continue
            assert counts and uid is not None
            refused = refused or not yes
            agreed.update([uid] if yes else [])
        await rig.run(30)
        return rig

    with tempfile.TemporaryDirectory() as folder:
        rig = asyncio.run(live(Path(folder)))
        assert bool(rig.controls) == (len(agreed) >= needed and not refused), (answers, rig.controls)
        rig.store.close()


@needs_root
@settings(max_examples=12, deadline=None)
@given(st.sampled_from([0, 65534]), st.booleans(), st.sampled_from([0, 0, -1, 1]), st.sampled_from(["", "another"]))
@example(owner=0, link=False, off=0, boot="")
@example(owner=0, link=True, off=0, boot="")
@example(owner=65534, link=False, off=0, boot="")
def test_the_emergency_script_ends_only_what_a_record_of_roots_own_names(
    owner: int, link: bool, off: int, boot: str
) -> None:
    """R33."""
    with tempfile.TemporaryDirectory() as folder, a_group("sleep", "600") as victim:
        state, began = a_state(Path(folder)), start_time(victim.pid)
        assert began is not None
        written = record(state, victim.pid, start=began + off, boot=boot or None)
        if link:
            written = written.rename(Path(folder, "elsewhere"))
            (state / "running" / "act-test00").symlink_to(written)
        os.chown(written, owner, owner)
        script = REPOSITORY / "scripts" / "stop-agents.sh"
        argv = ["/usr/bin/env", "-i", str(script), "--emergency", "--state-dir", str(state)]
        done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=True, stdin=subprocess.DEVNULL)
        is_right = owner == 0 and not link and not off and not boot
        assert ("killed    act-test00" in done.stdout) == is_right, done.stdout
        assert is_right or victim.poll() is None
