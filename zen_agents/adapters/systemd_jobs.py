"""Jobs of systemd, asked for on its private socket by root: a call costs one millisecond, a child of `systemctl` ten.

The connection is made before anything is asked, so that what comes between it and the call (the intent's record, a look at
the emergency stop) lies right before the call. Who cannot connect has asked for nothing, and may go another way.
"""

from __future__ import annotations

import asyncio
import os
import struct
from types import TracebackType
from typing import Any

from zen_agents.adapters.dbus_values import ValueReader
from zen_agents.adapters.event_systemd import CALL, ERROR, RETURN, SIGNAL, SYSTEMD, BusMessage, encode_text, read_message
from zen_agents.adapters.systemd_bus import BusError
from zen_agents.errors import HostError
from zen_agents.ports.host_units import UnitJob

_CONNECT_SECONDS = 2.0
#: The calls of a connection; what comes of a reset is not waited for.
_RESTART, _RESET = 1, 2
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
            self._call(_RESET, "ResetFailedUnit", unit)
        self._call(_RESTART, "RestartUnit", unit, "replace")

    def _call(self, serial: int, member: str, *texts: str) -> None:
        body = b""
        for text in texts:
            body += b"\0" * (-len(body) % 4) + encode_text(text)
        manager = "/org/freedesktop/systemd1", f"{SYSTEMD}.Manager", member
        self._writer.write(BusMessage(CALL, serial, *manager, SYSTEMD, signature="s" * len(texts), body=body).encode())

    async def ended(self, timeout_seconds: float) -> UnitJob:
        """Wait for the job to end and return how; HostError if systemd hangs up first, which nobody may take for an end."""
        try:
            async with asyncio.timeout(timeout_seconds):
                return await self._end()
        except TimeoutError:
            return UnitJob("", f"not done within {timeout_seconds:g} s; systemd goes on with it", timed_out=True)
        except _BROKEN as error:
            why = str(error) or type(error).__name__
            raise HostError(
                f"systemd did not say how the restart of {self._unit} ended ({why}); look at: systemctl status {self._unit}"
            ) from error

    async def _end(self) -> UnitJob:
        job, ends = "", dict[str, str]()
        # On its private socket systemd tells everybody of every job.
        while job not in ends:
            message = await read_message(self._reader)
            if message.kind == ERROR and message.reply_to == _RESTART:
                return UnitJob("refused", *(_values(message, "s") if message.signature == "s" else ()))
            if message.kind == RETURN and message.reply_to == _RESTART:
                (job,) = _values(message, "o")
            elif message.kind == SIGNAL and message.member == "JobRemoved":
                _, path, _, result = _values(message, "uoss")
                ends[path] = result
        return UnitJob(ends[job])


def _values(message: BusMessage, signature: str) -> tuple[Any, ...]:
    if message.signature != signature:
        raise ValueError(f"{message.member or 'an answer'} of systemd is not as it should be")
    values: tuple[Any, ...] = ValueReader(message.body, message.order, 0).value(f"({signature})")
    return values


async def _authenticate(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"\0AUTH EXTERNAL " + str(os.geteuid()).encode().hex().encode() + b"\r\nBEGIN\r\n")
    if not (await reader.readline()).startswith(b"OK "):
        raise ConnectionError("systemd did not accept this account")
