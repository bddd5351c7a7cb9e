"""A systemd of ours behind a private socket: takes calls, and ends jobs as it is told."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from zen_agents.adapters.dbus_values import ValueReader, encode_values
from zen_agents.adapters.event_systemd import ERROR, RETURN, SIGNAL, BusMessage, encode_text, read_message, unit_path

MANAGER = "/org/freedesktop/systemd1"
JOB = f"{MANAGER}/job/77"


class FakeSystemd:
    """Listens where systemd would; what it does with a call is up to the test."""

    def __init__(self) -> None:
        #: Member and arguments of each call, in order.
        self.calls: list[tuple[Any, ...]] = []
        self.met, self.asked, self.left = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self._writer: asyncio.StreamWriter | None = None

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Talk to one client until it hangs up."""
        self._writer = writer
        await reader.readuntil(b"BEGIN\r\n")
        writer.write(b"OK 0123456789abcdef0123456789abcdef\r\n")
        self.met.set()
        with contextlib.suppress(EOFError, ConnectionError):
            while True:
                call = await read_message(reader)
                self.calls.append((call.member, *ValueReader(call.body, call.order, 0).value(f"({call.signature})")))
                self.asked.set()
        self.left.set()
        writer.close()

    def enqueue(self, job: str = JOB) -> None:
        """Answer the call: there is a job for it."""
        self._send(BusMessage(RETURN, 1, reply_to=1, signature="o", body=encode_text(job)))

    def refuse(self, why: str) -> None:
        """Answer the call: there is no job for it."""
        self._send(BusMessage(ERROR, 1, reply_to=1, signature="s", body=encode_text(why)))

    def end(self, result: str, *, job: str = JOB, unit: str = "web.service") -> None:
        """Tell everybody that a job ended."""
        body = encode_values("uoss", (77, job, unit, result))
        self._send(BusMessage(SIGNAL, 2, MANAGER, "org.freedesktop.systemd1.Manager", "JobRemoved", "", 0, "uoss", body))

    def exit(self, code: int, *, unit: str, killed: bool = False) -> None:
        """Tell everybody that the main process of a unit ended."""
        changed = [("ExecMainCode", ("i", 2 if killed else 1)), ("ExecMainStatus", ("i", code))]
        body = encode_values("sa{sv}as", ("org.freedesktop.systemd1.Service", changed, []))
        properties = "org.freedesktop.DBus.Properties", "PropertiesChanged"
        self._send(BusMessage(SIGNAL, 4, unit_path(unit), *properties, "", 0, "sa{sv}as", body))

    def change(self) -> None:
        """Tell everybody of something that nobody asked for."""
        self._send(BusMessage(SIGNAL, 3, f"{MANAGER}/unit/x", "org.freedesktop.DBus.Properties", "PropertiesChanged"))

    def babble(self, what: bytes) -> None:
        """Say what is no message, or none that belongs here."""
        assert self._writer is not None
        self._writer.write(what)

    def hang_up(self) -> None:
        """Break off, as systemd does when it executes itself anew."""
        assert self._writer is not None
        self._writer.close()

    def _send(self, message: BusMessage) -> None:
        assert self._writer is not None
        self._writer.write(message.encode())


@contextlib.asynccontextmanager
async def fake_systemd(socket: Path) -> AsyncIterator[FakeSystemd]:
    """Listen on a socket."""
    fake = FakeSystemd()
    async with await asyncio.start_unix_server(fake.serve, socket):
        yield fake
