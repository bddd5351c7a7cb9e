"""Services that the engine itself starts: they outlive it, under systemd in a unit of their own."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Sequence

from zen_agents.adapters.launcher import account_of, checked_argv, environment_of, launch
from zen_agents.adapters.linux_control_children import ChildrenControl, in_thread
from zen_agents.adapters.service_keeper import checked_name
from zen_agents.adapters.systemd_jobs import Property
from zen_agents.errors import ActionFailedError, HostError, RefusedError, StalePlanError
from zen_agents.ports.host_commands import Command
from zen_agents.ports.host_processes import Process
from zen_agents.store.failpoint import failpoint

#: A program that is missing or misconfigured ends within this; the start is then told as failed, with what it said.
_AT_ONCE_SECONDS = 0.1
#: The command of a daemon that cannot start ends within this after systemd has begun it; one that goes on is left to.
_LEAVES_WITHIN_SECONDS = 1.0


class ServiceControl(ChildrenControl):
    """Part of `LinuxControl`: starts commands that go on when their intent, and the engine, have ended."""

    async def start_service(self, name: str, command: Command) -> Process:
        checked_name(name)
        if os.geteuid() == 0 and not command.user:
            raise RefusedError(f"the service {name} does not say as whom it runs; as root write `user:` (R29)")
        if (present := self.view.service_process(name)) is not None:
            raise StalePlanError(f"{name} runs already as process {present.pid}; nothing was started")
        checked_argv(command)
        # Only root may ask systemd for a unit; another engine's services are in its own unit, see KillMode there.
        if os.geteuid() == 0 and self.view.has_systemd():
            return await self._start_unit(name, command)
        return await self._start_detached(name, command)

    async def _start_detached(self, name: str, command: Command) -> Process:
        keeper, flags = self._shared.keeper, self._shared.flag.paths
        log = keeper.open_log(name)
        try:
            child = launch(command, flags=flags, cpu_seconds=None, log=log)
        finally:
            os.close(log)
        self._children.add(child)
        try:
            process = self._seen(child)
            await self._let_go(child, in_thread(self._record_service, name, process, command))
            await child.begun()
            code = await child.ended_within(_AT_ONCE_SECONDS)
            if code is not None and not (command.leaves_daemon and code == 0):
                raise ActionFailedError(f"{name} ended at once with exit code {code}: {keeper.said(name)}")
        except BaseException:
            child.kill()
            raise
        finally:
            self._children.discard(child)
            keeper.adopt(child.process)
            child.close()
        return process

    def _record_service(self, name: str, process: Process, command: Command) -> None:
        if not command.leaves_daemon:
            self._shared.keeper.record(name, process.pid, process.start_time)

    async def _start_unit(self, name: str, command: Command) -> Process:
        # A fixed name lets an engine that ended before it wrote its record find the service again. What daemons leave behind
        # keeps their unit loaded, so each start of one gets its own.
        unit = f"zen-agents-service-{name}{f'-{self._intent_id}' if command.leaves_daemon else ''}.service"
        properties = transient_service(unit, command)
        with await self._shared.systemd.connect() as connection:
            await self._passed()
            # Nothing comes between: the call leaves before anybody else gets a turn.
            connection.start_transient(unit, properties)
            failpoint("executor.after_spawn")
            job = await connection.ended(command.timeout_seconds)
            if job.timed_out:
                raise HostError(f"{unit} was {job.output}; look at: systemctl status {unit}")
            if job.result != "done":
                raise _not_started(unit, job.output or job.result)
            if command.leaves_daemon:
                if code := await connection.exited(_LEAVES_WITHIN_SECONDS):
                    raise _not_started(unit, f"its command ended at once (exit {code})")
                return Process(0, 0, 1, name, "X", 0.0, 0, 0)
        found = await asyncio.to_thread(lambda: self.view.unit(unit))
        process = self.view.process(found.main_pid) if found is not None and found.main_pid else None
        if process is None:
            raise _not_started(unit, "it ended at once")
        await asyncio.to_thread(self._record_service, name, process, command)
        return process


def _not_started(unit: str, why: str) -> ActionFailedError:
    return ActionFailedError(f"systemd did not start {unit}: {why}; look at: journalctl -u {unit}")


def transient_service(unit: str, command: Command) -> Sequence[Property]:
    """Return what makes a command a unit of its own, which outlives the engine and is gone when it has ended.

    ActionFailedError if its program is not there.
    """
    account = account_of(command.user)
    environment = environment_of(command, account)
    program = shutil.which(command.argv[0], path=environment["PATH"])
    if program is None:
        raise ActionFailedError(
            f"systemd did not start {unit}: there is no program {command.argv[0]} to be run, looked for in "
            f"{environment['PATH']}; write its absolute path"
        )
    # systemd would put variables in: `$$` is its way to write a dollar.
    argv = [argument.replace("$", "$$") for argument in command.argv]
    # No description: systemd writes that to the unit's file as it is, where a line break in an argument begins a setting.
    texts = {
        "Type": "exec", "CollectMode": "inactive-or-failed", "User": str(account.uid), "Group": str(account.gid),
        "WorkingDirectory": command.directory,
    }  # fmt: skip
    if command.leaves_daemon:
        texts["KillMode"] = "process"
    return (
        *((name, ("s", text)) for name, text in texts.items()),
        *((limit, ("t", 0)) for limit in ("LimitCORE", "LimitCORESoft")),
        ("Environment", ("as", [f"{key}={value}" for key, value in environment.items()])),
        ("ExecStart", ("a(sasb)", [(program, argv, False)])),
    )
