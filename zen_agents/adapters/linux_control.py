"""The only thing that changes a Linux host: `LinuxControl`, one for each intent (ports.host.HostControl).

A control can be made before its intent is durable, so that spawning a child and writing the intent overlap: with
`LinuxControls.held` nothing passes until `release()`; children are there, but wait on a pipe, and `abort()` ends them.
The executor's order then is: held(intent); start `action.execute` as a task and let it run; store.reserve(); release().
Called as a plain factory, after the intent is durable, `LinuxControls` makes controls that are released already.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from zen_agents.adapters import linux_control_deleted, linux_control_processes, safe_files
from zen_agents.adapters.emergency_flag import EmergencyFlag
from zen_agents.adapters.launcher import OUTPUT_BYTES, Child, account_of, checked_argv, environment_of, launch, shown
from zen_agents.adapters.quarantine import Quarantine
from zen_agents.adapters.running_actions import RunningGroup, this_boot
from zen_agents.adapters.service_keeper import ServiceKeeper, checked_name, write_record
from zen_agents.adapters.systemd_bus import BusError
from zen_agents.adapters.systemd_jobs import SystemdJobs
from zen_agents.clock import Clock
from zen_agents.errors import ActionFailedError, HostError, RefusedError, StalePlanError
from zen_agents.model.action import Intent
from zen_agents.model.reason import Reason
from zen_agents.ports.host import Command, CommandResult, Host, HostView, Process, UnitJob
from zen_agents.ports.host_directories import DirectoryHandle
from zen_agents.store.failpoint import failpoint

if TYPE_CHECKING:
    from zen_agents.adapters.environment_stage import EnvironmentStages
    from zen_agents.adapters.linux_datasets import DataFilesChanged
    from zen_agents.model.address import Network
    from zen_agents.model.debian_upgrade import DebianChange
    from zen_agents.model.environment import Switched, Trial, TrialReport
    from zen_agents.model.pool import PoolQuestion, PoolSession
    from zen_agents.ports.host import FileState
    from zen_agents.ports.host_datasets import DataQuestion

#: How long a thread waits for its intent to become durable before it gives up.
_RELEASED_WITHIN_SECONDS = 60.0
#: A program that is missing or misconfigured ends within this; the start is then told as failed, with what it said.
_AT_ONCE_SECONDS = 0.1
#: The command of a daemon that cannot start ends within this after systemd has begun it; one that goes on is left to.
_LEAVES_WITHIN_SECONDS = 1.0
#: How often systemd is asked whether it has begun a daemon (seconds).
_ASK_AGAIN_SECONDS = 0.1
_RUNNING = "running"
#: How systemctl tells of a job that failed, and of one that failed for another unit's sake.
_JOB_FAILED, _DEPENDENCY_FAILED = re.compile(r"Job for \S+ failed"), re.compile(r"A dependency job for \S+ failed")


class LinuxControls:
    """Makes the control of each intent; holds what they share. One for an engine."""

    def __init__(
        self, host: Host, *, state_dir: str | Path, flag: EmergencyFlag, clock: Clock, systemd: SystemdJobs | None = None
    ) -> None:
        self.host, self.state_dir, self.flag, self._clock = host, Path(state_dir), flag, clock
        self.systemd = systemd or SystemdJobs()
        self.quarantine = Quarantine(self.state_dir / "quarantine", clock)
        self.keeper = ServiceKeeper(self.state_dir)

    def __call__(self, intent: Intent) -> LinuxControl:
        """Return the control of an intent that is durable already."""
        control = self.held(intent.id)
        control.release()
        return control

    def held(self, intent_id: str) -> LinuxControl:
        """Return a control through which nothing passes before its `release()`."""
        return LinuxControl(self, intent_id)

    def keep_files(self, seconds: float, most_bytes: int) -> None:
        """Keep files of the quarantine so long and of that size from now on, and drop what has had its time."""
        self.quarantine.keep_seconds, self.quarantine.most_bytes = seconds, most_bytes
        self.quarantine.drop_expired()

    @cached_property
    def stages(self) -> EnvironmentStages:
        """The stages of environments that are upgraded."""
        from zen_agents.adapters.environment_stage import EnvironmentStages  # noqa: PLC0415 - only hosts that list them

        return EnvironmentStages(self.state_dir, self.quarantine, self._clock)

    def data_files(self, go_on: Callable[[], None]) -> DataFilesChanged:
        """Return what changes files of data sets, asking at each piece whether to go on."""
        from zen_agents.adapters.linux_datasets import DataFilesChanged  # noqa: PLC0415 - only hosts that list data sets

        return DataFilesChanged(self.quarantine, self._clock, go_on)

    def close(self) -> None:
        """Let go of the services' processes, which go on; call in the loop."""
        self.keeper.close()


class LinuxControl:
    """Changes the host for one intent, which it knows by id; looks at the emergency stop before every change (R9, R36)."""

    def __init__(self, shared: LinuxControls, intent_id: str) -> None:
        self._shared, self._intent_id = shared, intent_id
        self._gate = _Gate()
        self._children: set[Child] = set()

    @property
    def view(self) -> HostView:
        return self._shared.host.look()

    # -- the executor's side ------------------------------------------------------------------------------------------
    def release(self) -> None:
        """Let changes pass: the intent is durable now (R16). Call in the loop; does nothing after `abort`."""
        self._gate.open()

    def abort(self, why: str = "the intent was not reserved") -> None:
        """Let nothing pass any more and kill this intent's children; services that have begun go on. Call in the loop."""
        self._gate.refuse(why)
        for child in list(self._children):
            child.kill()

    # -- the action's side --------------------------------------------------------------------------------------------
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
            await self._let_go(child, _in_thread(self._record_group, record, child))
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

    async def restart_unit(self, name: str, *, timeout_seconds: float) -> UnitJob:
        try:
            connection = await self._shared.systemd.connect()
        except BusError:
            # Nothing was asked: systemctl may know a way to systemd that we do not.
            argv = ("systemctl", "restart", "--", name)
            return _job_of(await self.run(Command(argv, timeout_seconds=timeout_seconds)))
        with connection:
            await self._gate.passed()
            # Nothing comes between: the call leaves before anybody else gets a turn.
            self.check_stop()
            connection.restart(name)
            failpoint("executor.after_spawn")
            return await connection.ended(timeout_seconds)

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

    async def stop_process(self, process: Process, *, timeout_seconds: float) -> bool:
        await self._gate.passed()
        self.check_stop()
        look = self._shared.host.look
        return await linux_control_processes.stop(process, look, timeout_seconds=timeout_seconds)

    def signal(self, process: Process, number: int) -> None:
        self._pass()
        with linux_control_processes.held_process(process, self.view) as pidfd:
            linux_control_processes.send(pidfd, process, number)

    def renice(self, process: Process, nice: int) -> None:
        self._pass()
        with linux_control_processes.held_process(process, self.view):
            linux_control_processes.renice(process, nice)

    def truncate_descriptor(self, process: Process, descriptor: int, *, expected_path: str) -> int:
        self._pass()
        with linux_control_processes.held_process(process, self.view):
            return linux_control_deleted.truncate_deleted(process, descriptor, expected_path=expected_path)

    def set_kernel_setting(self, name: str, value: str, *, expected: str) -> None:
        from zen_agents.adapters.linux_kernel import write_setting  # noqa: PLC0415 - only where one is listed

        self._pass()
        write_setting(name, value, expected=expected)

    def open_directory(self, path: str) -> AbstractContextManager[DirectoryHandle]:
        self._pass()
        return safe_files.open_directory(path, go_on=self.check_stop, quarantine=self._shared.quarantine)

    async def limit_log_rate(self, unit: str, lines_per_second: int) -> None:
        from zen_agents.adapters import linux_control_journal as journal  # noqa: PLC0415 - only hosts that flood

        await self._gate.passed()
        await journal.limit(self, unit, lines_per_second)

    async def lift_log_rate(self, unit: str) -> None:
        from zen_agents.adapters import linux_control_journal as journal  # noqa: PLC0415 - as above

        await self._gate.passed()
        await journal.lift(self, unit)

    async def ban(self, network: Network, seconds: int) -> None:
        from zen_agents.adapters import linux_firewall  # noqa: PLC0415 - only hosts that ban

        await linux_firewall.ban(self, network, seconds)

    async def lift_ban(self, network: Network) -> None:
        from zen_agents.adapters import linux_firewall  # noqa: PLC0415 - as above

        await linux_firewall.lift(self, network)

    async def end_sessions(
        self, asked: PoolQuestion, sessions: Sequence[PoolSession], *, timeout_seconds: float
    ) -> Sequence[int]:
        from zen_agents.adapters import linux_pools  # noqa: PLC0415 - only hosts that list pools

        await self._gate.passed()
        self.check_stop()
        return await linux_pools.end_sessions(asked, sessions, timeout_seconds=timeout_seconds)

    async def keep_debian_packages(self, changes: Sequence[DebianChange], *, action: str) -> Sequence[str]:
        from zen_agents.adapters import linux_debian  # noqa: PLC0415 - only hosts whose packages are looked after

        await self._gate.passed()
        self.check_stop()
        kept_in, state_dir = self._shared.quarantine, self._shared.state_dir
        return await linux_debian.keep(changes, action=action, control=self, kept_in=kept_in, state_dir=state_dir)

    async def install_kept_packages(self, ids: Sequence[str], *, timeout_seconds: float) -> CommandResult:
        debs = [str(self._shared.quarantine.content(id)) for id in ids]
        from zen_agents.model.debian_upgrade import UNASKED  # noqa: PLC0415 - only hosts whose packages are looked after

        argv = ("dpkg", "--force-confold", "--install", *debs)
        return await self.run(Command(argv, environment=UNASKED, timeout_seconds=timeout_seconds, is_let_finish=True))

    async def repair_data(self, asked: DataQuestion, expected: FileState, taken_to: str, *, action: str) -> str:
        return await (await self._datasets()).repair(asked, expected, taken_to, action)

    async def restore_data(self, expected: FileState, copy: FileState, *, action: str) -> str:
        return await (await self._datasets()).restore(expected, copy, action)

    async def put_back_data(self, expected: FileState, id: str, *, action: str) -> str:
        return await (await self._datasets()).put_back(expected, id, action)

    async def _datasets(self) -> DataFilesChanged:
        await self._gate.passed()
        self.check_stop()
        return self._shared.data_files(self.check_stop)

    async def try_environment(self, trial: Trial) -> TrialReport:
        from zen_agents.adapters.linux_environments import try_out  # noqa: PLC0415 - only hosts that list environments

        await self._gate.passed()
        self.check_stop()
        return await try_out(self._shared.stages, self._intent_id, trial, self.check_stop)

    async def switch_environment(self) -> Switched:
        from zen_agents.adapters.linux_environments import switch  # noqa: PLC0415 - as above

        return await switch(self._shared.stages, self._intent_id, self.check_stop)

    async def restarting_on_environment(self, units: Sequence[str]) -> None:
        await asyncio.to_thread(self._shared.stages.restarting, self._intent_id, units)

    async def keep_environment(self, seconds: float) -> None:
        await asyncio.to_thread(self._shared.stages.keep, self._intent_id, seconds)

    async def switch_environment_back(self, id: str) -> None:
        await self._gate.passed()
        self.check_stop()
        await asyncio.to_thread(self._shared.stages.switch_back, id)

    # -- how ----------------------------------------------------------------------------------------------------------
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
            await self._let_go(child, _in_thread(self._record_group, record, child))
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

    def _pass(self) -> None:
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
            await self._let_go(child, _in_thread(self._record_service, name, process, command))
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


def _job_of(result: CommandResult) -> UnitJob:
    """Return what systemctl said of a job in systemd's own word."""
    word = "done" if result.exit_code == 0 else "refused"
    if _JOB_FAILED.search(result.output):
        word = "failed"
    elif _DEPENDENCY_FAILED.search(result.output):
        word = "dependency"
    return UnitJob("" if result.timed_out else word, result.output, result.timed_out)


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


def _in_thread(write: Callable[..., None], *arguments: object) -> asyncio.Future[None]:
    """Begin to write in a thread at once, so that its fsync overlaps with the intent's."""
    return asyncio.get_running_loop().run_in_executor(None, write, *arguments)


class _Gate:
    """What every change waits for; opened once, or refused for good."""

    def __init__(self) -> None:
        self._decided = threading.Event()
        self._refused = ""
        self._waiting: list[asyncio.Future[None]] = []

    def open(self) -> None:
        self._decide()

    def refuse(self, why: str) -> None:
        self._refused = self._refused or why
        self._decide()

    def check(self) -> None:
        """Raise RefusedError if it is refused."""
        if self._refused:
            raise RefusedError(f"Nothing more is done for this action: {self._refused}.")

    async def passed(self) -> None:
        """Wait in the loop until it is decided; RefusedError if it is refused."""
        if not self._decided.is_set():
            future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.append(future)
            await future
        self.check()

    def pass_blocking(self) -> None:
        """Wait in a thread until it is decided; in the loop, where waiting would be for ever, HostError."""
        if not self._decided.is_set():
            with contextlib.suppress(RuntimeError):  # no loop in this thread: it may wait
                asyncio.get_running_loop()
                raise HostError("a change was tried before its intent was durable; nothing was done")
            if not self._decided.wait(_RELEASED_WITHIN_SECONDS):
                raise HostError("the intent did not become durable in time; nothing was done")
        self.check()

    def _decide(self) -> None:
        self._decided.set()
        for future in self._waiting:
            if not future.done():
                future.set_result(None)
        self._waiting.clear()
