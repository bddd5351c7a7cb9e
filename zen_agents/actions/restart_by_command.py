"""Restarting a service by its own argument lists, for hosts without systemd."""

from __future__ import annotations

import asyncio
import contextlib
import json

from pydantic import BaseModel, ConfigDict, Field, model_validator

from zen_agents.errors import ActionFailedError, HostError, StalePlanError
from zen_agents.model.action import Effect, Plan
from zen_agents.model.scalars import AbsolutePath, HostPort
from zen_agents.ports.host import HostControl, HostView
from zen_agents.ports.host_commands import Command, CommandResult
from zen_agents.ports.host_probes import HttpRequest, ProbeResult
from zen_agents.ports.host_processes import Process

_POLL_SECONDS = 0.02
#: A daemon that has not written its pidfile by then is judged by its checks (seconds).
_PIDFILE_SECONDS = 5.0


class CommandParams(BaseModel):
    """How a service is started, stopped and restarted: argument lists, never shell strings (R18)."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    start: tuple[str, ...] = Field(min_length=1, description="argument list that starts it")
    stop: tuple[str, ...] | None = Field(None, description="argument list that stops it; empty: TERM, then KILL")
    restart: tuple[str, ...] | None = Field(None, description="argument list that restarts it while it is there")
    user: str = Field("", description="account it runs as; required when the engine is root")
    directory: AbsolutePath = Field("/", description="directory it is started in")
    environment: dict[str, str] = Field(default_factory=dict, description="added to its small environment")

    def command(self, argv: tuple[str, ...], *, seconds: float, leaves_daemon: bool = False) -> Command:
        """Return one of the argument lists with all that goes with it."""
        environment = tuple(sorted(self.environment.items()))
        return Command(argv, self.user, self.directory, environment, seconds, leaves_daemon)


class ProbeParams(BaseModel):
    """The question that a running service answers: one of `tcp`, `unix` and `http`."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    tcp: HostPort | None = Field(None, description="HOST:PORT that accepts a connection")
    unix: AbsolutePath | None = Field(None, description="unix socket that accepts a connection")
    http: HttpRequest | None = Field(None, description="page that is answered as it should be")
    send: str = Field("", description="what is said there first (not with http), each character up to U+00FF one byte")
    contains: str = Field("", description="text that comes back there (not with http)")
    timeout_seconds: float = Field(3.0, gt=0, description="how long an answer may take, in seconds")

    @property
    def asked(self) -> str:
        """What is asked, in words."""
        if self.http is not None:
            return f"{self.http.url} at {self.http.unix}" if self.http.unix else self.http.url
        return self.tcp or self.unix or ""

    async def ask(self, host: HostView) -> ProbeResult:
        """Ask once."""
        if self.http is not None:
            return await host.http(self.http, self.timeout_seconds)
        said, wanted = self.send.encode("latin-1"), self.contains.encode()
        if self.unix is not None:
            return await host.unix_socket(self.unix, self.timeout_seconds, send=said, contains=wanted)
        name, _, port = (self.tcp or "").rpartition(":")
        return await host.tcp(name.strip("[]"), int(port), self.timeout_seconds, send=said, contains=wanted)

    @model_validator(mode="after")
    def _one_question(self) -> ProbeParams:
        if [self.tcp, self.unix, self.http].count(None) != 2:
            raise ValueError("a probe asks exactly one of tcp, unix and http")
        return self


def present_process(
    service: str, command: CommandParams, pidfile: str | None, executable: str, host: HostView
) -> Process | None:
    """Return the service's process, None if it is gone; HostError if its pidfile cannot be trusted (R20)."""
    if pidfile is None:
        return host.service_process(service)
    return host.pidfile_process(pidfile, user=command.user, executable=executable)


def command_steps(command: CommandParams, process: Process | None, stop_timeout_seconds: float) -> tuple[str, ...]:
    """Return what will be done, argument lists as lists."""
    who = f" as {command.user}" if command.user else ""
    start = f"run {json.dumps(command.start)}{who} in {command.directory}"
    if process is None:
        return (start,)
    if command.restart is not None:
        return (f"run {json.dumps(command.restart)}{who} in {command.directory}",)
    kill = f"signal TERM to process {process.pid} ({process.name}), KILL after {stop_timeout_seconds:g} s"
    if command.stop is None:
        return (kill, start)
    return (f"run {json.dumps(command.stop)}{who} in {command.directory}", f"if it is still there: {kill}", start)


async def restart_by_command(
    service: str, command: CommandParams, plan: Plan, control: HostControl, *, pidfile: str | None, executable: str,
    stop_timeout_seconds: float, start_seconds: float,
) -> Effect:  # fmt: skip
    """Stop what is there, start it again; StalePlanError if it is another process than was planned for."""
    process = present_process(service, command, pidfile, executable, control.view)
    if (process.fingerprint if process is not None else "absent") != plan.fingerprint:
        raise StalePlanError(f"{service} is another process than was planned for; nothing was done")
    before = f"process {process.pid} ({process.state})" if process is not None else "absent"
    if process is not None and command.restart is not None:
        result = await control.run(command.command(command.restart, seconds=start_seconds))
        return _effect(result, f"ran {json.dumps(command.restart)}", before)
    if process is not None:
        await _stop(process, command, control, stop_timeout_seconds)
    started = await control.start_service(
        service, command.command(command.start, seconds=start_seconds, leaves_daemon=pidfile is not None)
    )
    if pidfile is not None:
        daemon = await _daemon(service, command, pidfile, executable, control)
        if daemon is None:
            return Effect(True, f"started; {pidfile} names no process of it yet", before=before, after="started")
        started = daemon
    return Effect(True, f"started as process {started.pid}", before=before, after=f"process {started.pid}")


async def _daemon(
    service: str, command: CommandParams, pidfile: str, executable: str, control: HostControl
) -> Process | None:
    """Wait until a daemon has written its pidfile, which most do only after the command that started it has ended."""
    for _ in range(int(_PIDFILE_SECONDS / _POLL_SECONDS)):
        # A file that is only half written holds no number.
        with contextlib.suppress(HostError):
            process = present_process(service, command, pidfile, executable, control.view)
            if process is not None:
                return process
        await asyncio.sleep(_POLL_SECONDS)
    return None


async def _stop(process: Process, command: CommandParams, control: HostControl, timeout_seconds: float) -> None:
    output = ""
    if command.stop is not None:
        result = await control.run(command.command(command.stop, seconds=timeout_seconds))
        output = result.output.strip()[-300:]
        if await _gone(process, control, timeout_seconds if result.exit_code == 0 else 0.0):
            return
    if not await control.stop_process(process, timeout_seconds=timeout_seconds):
        raise ActionFailedError(f"process {process.pid} ({process.name}) cannot be stopped, it hangs in the kernel {output}")


async def _gone(process: Process, control: HostControl, timeout_seconds: float) -> bool:
    """Wait for a process to go after its stop command came back."""
    for _ in range(max(1, int(timeout_seconds / _POLL_SECONDS))):
        present = control.view.process(process.pid)
        if present is None or present.start_time != process.start_time or present.state in "ZXx":
            return True
        await asyncio.sleep(_POLL_SECONDS)
    return False


def _effect(result: CommandResult, what: str, before: str) -> Effect:
    ok = result.exit_code == 0 and not result.timed_out
    end = "did not end in time" if result.timed_out else f"exit {result.exit_code}"
    return Effect(ok, f"{what}: {end}", before=before, exit_code=result.exit_code, output=result.output)
