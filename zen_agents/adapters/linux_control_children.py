"""The children of one intent: begun once it is durable, recorded before they begin, ended with it (R16, R36)."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from zen_agents.adapters.control_gate import Gate
from zen_agents.adapters.launcher import OUTPUT_BYTES, Child, checked_argv, launch, shown
from zen_agents.adapters.running_actions import RunningGroup, this_boot
from zen_agents.adapters.service_keeper import write_record
from zen_agents.errors import HostError, RefusedError
from zen_agents.model.reason import Reason
from zen_agents.ports.host import HostView
from zen_agents.ports.host_commands import Command, CommandResult
from zen_agents.ports.host_processes import Process
from zen_agents.store.failpoint import failpoint

if TYPE_CHECKING:
    from zen_agents.adapters.linux_control import LinuxControls

_RUNNING = "running"


class ChildrenControl:
    """Part of `LinuxControl`: its gate, and the commands that it runs."""

    def __init__(self, shared: LinuxControls, intent_id: str) -> None:
        self._shared, self._intent_id = shared, intent_id
        self._gate = Gate()
        self._children: set[Child] = set()

    @property
    def view(self) -> HostView:
        return self._shared.host.look()

    def release(self) -> None:
        """Let changes pass: the intent is durable now (R16). Call in the loop; does nothing after `abort`."""
        self._gate.open()

    def abort(self, why: str = "the intent was not reserved") -> None:
        """Let nothing pass any more and kill this intent's children; services that have begun go on. Call in the loop."""
        self._gate.refuse(why)
        for child in list(self._children):
            child.kill()

    def check_stop(self) -> None:
        self._gate.check()
        if (word := self._shared.flag.read()) is not None:
            raise RefusedError(f"{Reason.EMERGENCY_STOP.sentence} ({word})")

    async def run(self, command: Command) -> CommandResult:
        if command.is_let_finish:
            return await self._run_to_its_end(command)
        child = launch(command, flags=self._shared.flag.paths, cpu_seconds=int(command.timeout_seconds) + 10)
        record = self._shared.state_dir / _RUNNING / self._intent_id
        self._children.add(child)
        try:
            await self._let_go(child, in_thread(self._record_group, record, child))
            await child.begun()
            return await child.finish(command.timeout_seconds)
        finally:
            child.kill()
            self._children.discard(child)
            self._shared.keeper.adopt(child.process)
            child.close()
            if not self._children:
                # One that stays names a pid and start time that are gone: whoever reads it compares both.
                with contextlib.suppress(OSError):
                    record.unlink()

    async def _run_to_its_end(self, command: Command) -> CommandResult:
        """Run what is worse when it is broken off: its output goes to a file, so that it needs nobody to go on."""
        keeper, record = self._shared.keeper, self._shared.state_dir / _RUNNING / self._intent_id
        log = keeper.open_log(self._intent_id)
        try:
            child = launch(self._apart(command), flags=self._shared.flag.paths, cpu_seconds=None, log=log)
        finally:
            os.close(log)
        self._children.add(child)
        began, is_begun, code = time.monotonic(), False, None
        try:
            await self._let_go(child, in_thread(self._record_group, record, child))
            is_begun = True
            await child.begun()
            code = await child.ended_within(command.timeout_seconds)
        finally:
            if not is_begun:
                child.kill()
            self._children.discard(child)
            keeper.adopt(child.process)
            child.close()
            if code is not None:
                with contextlib.suppress(OSError):  # see `run`
                    record.unlink()
        said = shown(keeper.said(self._intent_id, most_bytes=OUTPUT_BYTES))
        if code is None:
            raise HostError(
                f"{command.argv[0]} still runs after {command.timeout_seconds:g} s and is let finish: {said[-300:]}"
            )
        keeper.drop_log(self._intent_id)
        return CommandResult(code, said, False, time.monotonic() - began)

    def _apart(self, command: Command) -> Command:
        """Return the command in a unit of its own where systemd runs: with the engine's it would be killed."""
        checked_argv(command)
        if os.geteuid() != 0 or not self.view.has_systemd():
            return command
        said = f"--description=zen-agents {self._intent_id}: {command.argv[0]}"
        return replace(command, argv=("systemd-run", "--scope", "--quiet", "--collect", said, "--", *command.argv))

    async def _passed(self) -> None:
        """Wait in the loop until the intent is durable; RefusedError if there is a stop."""
        await self._gate.passed()
        self.check_stop()

    def _pass(self) -> None:
        """Wait for the same in a thread."""
        self._gate.pass_blocking()
        self.check_stop()

    async def _let_go(self, child: Child, record: asyncio.Future[None]) -> None:
        """Give the child its word once intent and record are durable and no stop is set."""
        try:
            await self._gate.passed()
        finally:
            # Never left behind: what is written after the child is gone would name somebody else's group.
            await asyncio.shield(record)
        self.check_stop()
        child.go()
        failpoint("executor.after_spawn")

    def _record_group(self, record: Path, child: Child) -> None:
        process = self._seen(child)
        # Leader's start, and the ticks since when members of its session belong to this action: the same moment.
        running = RunningGroup(child.pid, process.start_time, process.start_time, this_boot())
        write_record(record, running.line())

    def _seen(self, child: Child) -> Process:
        process = self.view.process(child.pid)
        if process is None:
            raise HostError("the child ended before it began; nothing was run")
        return process


def in_thread(write: Callable[..., None], *arguments: object) -> asyncio.Future[None]:
    """Begin to write in a thread at once, so that its fsync overlaps with the intent's."""
    return asyncio.get_running_loop().run_in_executor(None, write, *arguments)
