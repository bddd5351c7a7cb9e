"""Services that the engine itself starts: they outlive it, under systemd in a unit of their own."""

from __future__ import annotations

import asyncio
import os

from zen_agents.adapters.launcher import account_of, checked_argv, environment_of, launch
from zen_agents.adapters.linux_control_children import ChildrenControl, in_thread
from zen_agents.adapters.service_keeper import checked_name
from zen_agents.errors import ActionFailedError, RefusedError, StalePlanError
from zen_agents.ports.host_commands import Command, CommandResult
from zen_agents.ports.host_processes import Process

#: A program that is missing or misconfigured ends within this; the start is then told as failed, with what it said.
_AT_ONCE_SECONDS = 0.1
#: The command of a daemon that cannot start ends within this after systemd has begun it; one that goes on is left to.
_LEAVES_WITHIN_SECONDS = 1.0
#: How often systemd is asked whether it has begun a daemon (seconds).
_ASK_AGAIN_SECONDS = 0.1


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
        if command.leaves_daemon:
            return await self._start_daemon(name, f"zen-agents-service-{name}-{self._intent_id}.service", command)
        unit = f"zen-agents-service-{name}.service"
        result = await self.run(Command(systemd_run(unit, command), timeout_seconds=command.timeout_seconds))
        found = await asyncio.to_thread(lambda: self.view.unit(unit))
        process = self.view.process(found.main_pid) if found is not None and found.main_pid else None
        if process is None:
            raise _not_started(unit, result)
        await asyncio.to_thread(self._record_service, name, process, command)
        return process

    async def _start_daemon(self, name: str, unit: str, command: Command) -> Process:
        # The client stays to tell how the command ends; ending the client ends nothing of the unit.
        client = asyncio.create_task(self.run(Command(systemd_run(unit, command), timeout_seconds=command.timeout_seconds)))
        try:
            # Most commands of daemons end before anybody need ask.
            await asyncio.wait((client,), timeout=_ASK_AGAIN_SECONDS)
            while not client.done() and not await asyncio.to_thread(self._is_started, unit):
                await asyncio.wait((client,), timeout=_ASK_AGAIN_SECONDS)
            await asyncio.wait((client,), timeout=_LEAVES_WITHIN_SECONDS)
            if client.done() and (result := client.result()).exit_code != 0:
                raise _not_started(unit, result)
        finally:
            client.cancel()
            await asyncio.wait((client,))
        return Process(0, 0, 1, name, "X", 0.0, 0, 0)

    def _is_started(self, unit: str) -> bool:
        found = self.view.unit(unit)
        return found is not None and found.active_state != "activating"


def _not_started(unit: str, result: CommandResult) -> ActionFailedError:
    return ActionFailedError(
        f"systemd did not start {unit} (exit {result.exit_code}): {result.output.strip()[-500:]}; "
        f"look at: journalctl -u {unit}"
    )


def systemd_run(unit: str, command: Command) -> tuple[str, ...]:
    """Return the argument list that makes a command a transient unit of its own, which outlives the engine."""
    account = account_of(command.user)
    argv = ["systemd-run", f"--unit={unit}", "--collect", "--quiet", "--service-type=exec"]
    argv += [
        f"--uid={account.uid}",
        f"--gid={account.gid}",
        f"--working-directory={command.directory}",
        "--property=LimitCORE=0",
    ]
    if command.leaves_daemon:
        argv += ["--property=KillMode=process", "--wait"]
    argv += [f"--setenv={key}={value}" for key, value in environment_of(command, account).items()]
    # systemd would put variables in: `$$` is its way to write a dollar.
    arguments = [argument.replace("$", "$$") for argument in command.argv[1:]]
    return (*argv, "--", command.argv[0], *arguments)
