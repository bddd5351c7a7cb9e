"""Jobs of systemd, asked for on its private socket by root: a call costs one millisecond, a child that asks ten.

The connection is made before anything is asked, so that what comes between it and the call (the intent's record, a look at
the emergency stop) lies right before the call. Who cannot connect has asked for nothing, and may go another way.
"""

from __future__ import annotations

import asyncio
import os
import struct
from collections.abc import Sequence
from types import TracebackType
from typing import Any

from zen_agents.adapters.dbus_values import ValueReader, encode_values
from zen_agents.adapters.event_systemd import (
    CALL,
    ERROR,
    RETURN,
    SIGNAL,
    SYSTEMD,
    BusMessage,
    read_message,
    unit_path,
)
from zen_agents.adapters.systemd_bus import BusError
from zen_agents.errors import HostError
from zen_agents.ports.host_units import UnitJob

_CONNECT_SECONDS = 2.0
#: The calls of a connection; what comes of a reset is not waited for.
_JOB, _RESET = 1, 2
#: How a process ended by itself, as waitid(2) says it; all else is a signal.
_EXITED = 1
#: A property of a unit: name, and its value as a variant.
Property = tuple[str, tuple[str, Any]]
_BROKEN = (OSError, EOFError, ValueError, IndexError, struct.error)


class SystemdJobs:
    """Connects to the systemd of this host."""

    def __init__(self, private: str = "/run/systemd/private") -> None:
        self._private = private

    async def connect(self) -> JobConnection:
        """Return a connection on which nothing was asked yet; BusError if there can be none."""
        if os.geteuid() != 0:
            raise BusError("only root may use systemd's private socket")
        try:
            async with asyncio.timeout(_CONNECT_SECONDS):
                reader, writer = await asyncio.open_unix_connection(self._private)
                try:
                    await _authenticate(reader, writer)
                except BaseException:
                    writer.close()
                    raise
        except (*_BROKEN, TimeoutError) as error:
            raise BusError(f"systemd could not be reached: {error}") from error
        return JobConnection(reader, writer)


class JobConnection:
    """One conversation, about one job; as a context manager it hangs up at the end, whatever systemd then goes on with."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer, self._unit = reader, writer, ""
        self._job, self._refusal, self._ends = "", "", dict[str, str]()
        #: Object path of the unit whose main process is listened for.
        self._started = ""
        self._exit_code: int | None = None

    def __enter__(self) -> JobConnection:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._writer.close()

    def restart(self, unit: str, *, fresh_limit: bool = False) -> None:
        """Have a unit restarted as `systemctl restart` does, with `fresh_limit` after `systemctl reset-failed`.

        The calls have left when this returns, without a pause, and systemd takes them in this order.
        """
        self._unit = unit
        if fresh_limit:
            self._call(_RESET, "ResetFailedUnit", "s", unit)
        self._call(_JOB, "RestartUnit", "ss", unit, "replace")

    def reload(self, unit: str) -> None:
        """Have a unit that runs read its configuration anew as `systemctl reload` does."""
        self._unit = unit
        self._call(_JOB, "ReloadUnit", "ss", unit, "replace")

    def start_transient(self, unit: str, properties: Sequence[Property]) -> None:
        """Have a unit made of these properties and started, as `systemd-run` does; it must not be there yet."""
        self._unit, self._started = unit, unit_path(unit)
        self._call(_JOB, "StartTransientUnit", "ssa(sv)a(sa(sv))", unit, "fail", properties, ())

    def _call(self, serial: int, member: str, signature: str, *values: Any) -> None:
        manager = "/org/freedesktop/systemd1", f"{SYSTEMD}.Manager", member
        body = encode_values(signature, values)
        self._writer.write(BusMessage(CALL, serial, *manager, SYSTEMD, signature=signature, body=body).encode())

    async def ended(self, timeout_seconds: float) -> UnitJob:
        """Wait for the job to end and return how; HostError if systemd hangs up first, which nobody may take for an end."""
        try:
            async with asyncio.timeout(timeout_seconds):
                return await self._end()
        except TimeoutError:
            return UnitJob("", f"not done within {timeout_seconds:g} s; systemd goes on with it", timed_out=True)
        except _BROKEN as error:
            raise self._unheard(error) from error

    async def exited(self, timeout_seconds: float) -> int | None:
        """Wait for the main process that was started to end and return its exit code, as of a child; None if it goes on.

        HostError as above.
        """
        try:
            async with asyncio.timeout(timeout_seconds):
                while self._exit_code is None:
                    self._hear(await read_message(self._reader))
        except TimeoutError:
            return None
        except _BROKEN as error:
            raise self._unheard(error) from error
        return self._exit_code

    async def _end(self) -> UnitJob:
        # On its private socket systemd tells everybody of every job and unit.
        while self._job not in self._ends:
            self._hear(await read_message(self._reader))
        return UnitJob(self._ends[self._job], self._refusal)

    def _hear(self, message: BusMessage) -> None:
        if message.kind == ERROR and message.reply_to == _JOB:
            self._ends[""] = "refused"
            self._refusal = _values(message, "s")[0] if message.signature == "s" else ""
        elif message.kind == RETURN and message.reply_to == _JOB:
            (self._job,) = _values(message, "o")
        elif message.kind == SIGNAL and message.member == "JobRemoved":
            _, path, _, result = _values(message, "uoss")
            self._ends[path] = result
        elif message.kind == SIGNAL and message.member == "PropertiesChanged" and message.path == self._started:
            _, changed, _ = _values(message, "sa{sv}as")
            how, status = changed.get("ExecMainCode"), changed.get("ExecMainStatus")
            # Until it ends it has no code.
            if how and isinstance(status, int):
                self._exit_code = status if how == _EXITED else -status

    def _unheard(self, error: Exception) -> HostError:
        why = str(error) or type(error).__name__
        return HostError(f"systemd did not say what became of {self._unit} ({why}); look at: systemctl status {self._unit}")


def _values(message: BusMessage, signature: str) -> tuple[Any, ...]:
    if message.signature != signature:
        raise ValueError(f"{message.member or 'an answer'} of systemd is not as it should be")
    values: tuple[Any, ...] = ValueReader(message.body, message.order, 0).value(f"({signature})")
    return values


async def _authenticate(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"\0AUTH EXTERNAL " + str(os.geteuid()).encode().hex().encode() + b"\r\nBEGIN\r\n")
    if not (await reader.readline()).startswith(b"OK "):
        raise ConnectionError("systemd did not accept this account")
