"""State changes of systemd's units, told over D-Bus by a small client of our own.

It says hello, asks for the signals of units, and from then on only reads. Whatever a signal says is not believed: it wakes
a tick, which asks systemd itself. A lost connection is made again, and then every watched unit is looked at.
"""

from __future__ import annotations

import asyncio
import os
import struct
from collections.abc import Iterable
from pathlib import Path

from zen_agents.adapters.dbus_values import encode_values
from zen_agents.adapters.event_source import Push
from zen_agents.dataclass import dataclass
from zen_agents.ports.events import Wake, Watch

UNIT_PATH = "/org/freedesktop/systemd1/unit/"
SYSTEMD = "org.freedesktop.systemd1"
BUS = "org.freedesktop.DBus"
_MATCH = (
    f"type='signal',sender='{SYSTEMD}',interface='{BUS}.Properties',member='PropertiesChanged',"
    f"path_namespace='{UNIT_PATH.rstrip('/')}'"
)
CALL, RETURN, ERROR, SIGNAL = 1, 2, 3, 4
_PATH, _INTERFACE, _MEMBER, _REPLY_TO, _DESTINATION, _SIGNATURE = 1, 2, 3, 5, 6, 8
_LONGEST_MESSAGE = 1 << 20
_GREETING_SECONDS = 10.0
_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 1.0, 300.0


@dataclass(frozen=True, slots=True)
class BusMessage:
    """One D-Bus message, as far as a client that only listens has to understand it."""

    kind: int
    serial: int = 0
    path: str = ""
    interface: str = ""
    member: str = ""
    destination: str = ""
    reply_to: int = 0
    signature: str = ""
    body: bytes = b""
    #: How numbers in the body are written, for struct; only what was read may be big-endian.
    order: str = "<"

    def encode(self) -> bytes:
        """Return the message as it goes over the wire, little-endian."""
        fields = b""
        for code, text in ((_PATH, self.path), (_INTERFACE, self.interface), (_MEMBER, self.member)):
            fields = _add_field(fields, code, "o" if code == _PATH else "s", text)
        fields = _add_field(fields, _DESTINATION, "s", self.destination)
        fields = _add_field(fields, _SIGNATURE, "g", self.signature)
        if self.reply_to:
            fields = _pad(fields, 8) + struct.pack("<BB2sI", _REPLY_TO, 1, b"u\0", self.reply_to)
        head = struct.pack("<cBBBIII", b"l", self.kind, 0, 1, len(self.body), self.serial, len(fields))
        return _pad(head + fields, 8) + self.body


class UnitEvents:
    """Listens on the system bus while at least one unit is watched and systemd runs the host."""

    kind = "unit"

    def __init__(self, bus: str = "/run/dbus/system_bus_socket", systemd_mark: str = "/run/systemd/system") -> None:
        self._bus = bus
        self._mark = Path(systemd_mark)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._push: Push | None = None
        #: Object path -> names under which the unit is watched.
        self._units: dict[str, set[str]] = {}
        self._task: asyncio.Task[None] | None = None
        self._listening = False

    def open(self, loop: asyncio.AbstractEventLoop, push: Push) -> None:
        """Attach to the loop; the bus is not met before a unit is watched."""
        self._loop, self._push = loop, push

    def watch(self, watches: Iterable[Watch]) -> None:
        """Replace which units wake."""
        self._units = {}
        for watch in watches:
            self._units.setdefault(unit_path(watch.name), set()).add(watch.name)
        if self._units and self._task is None and self._loop is not None and self._mark.is_dir():
            self._task = self._loop.create_task(self._stay_connected(), name="systemd-events")

    def close(self) -> None:
        """Hang up."""
        if self._task is not None:
            self._task.cancel()
        self._units = {}
        self._task = self._loop = self._push = None
        self._listening = False

    @property
    def unwatched(self) -> int:
        """All watched units while there is no connection, else none."""
        return 0 if self._listening else sum(map(len, self._units.values()))

    async def _stay_connected(self) -> None:
        pause = _FIRST_PAUSE_SECONDS
        while True:
            try:
                await self._listen()
            except (OSError, EOFError, ValueError):
                # No bus, a bus without systemd, or one that went away: `unwatched` tells, the poll goes on.
                pause = _FIRST_PAUSE_SECONDS if self._listening else min(pause * 2, _LONGEST_PAUSE_SECONDS)
            self._listening = False
            await asyncio.sleep(pause)

    async def _listen(self) -> None:
        reader, writer = await asyncio.open_unix_connection(self._bus)
        try:
            async with asyncio.timeout(_GREETING_SECONDS):
                await greet(reader, writer)
                await _subscribe(reader, writer)
            self._listening = True
            for path in self._units:
                self._tell(path)
            while True:
                message = await read_message(reader)
                # What is addressed to us alone comes from anybody who likes, not from systemd by way of the bus.
                if message.kind == SIGNAL and message.member == "PropertiesChanged" and not message.destination:
                    self._tell(message.path)
        finally:
            writer.close()

    def _tell(self, path: str) -> None:
        for name in self._units.get(path, ()):
            if self._push is not None:
                self._push(Wake(f"unit:{name}", "systemd"))


async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Authenticate by the socket's peer credentials and say hello (serial 1); OSError if the bus does not want us."""
    writer.write(b"\0AUTH EXTERNAL " + str(os.geteuid()).encode().hex().encode() + b"\r\n")
    if not (await reader.readline()).startswith(b"OK "):
        raise ConnectionError("the bus did not accept this account")
    writer.write(b"BEGIN\r\n" + _call(1, BUS, "/org/freedesktop/DBus", BUS, "Hello").encode())
    await _await_replies(reader, {1})


async def _subscribe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(_call(2, BUS, "/org/freedesktop/DBus", BUS, "AddMatch", _MATCH).encode())
    writer.write(_call(3, SYSTEMD, "/org/freedesktop/systemd1", f"{SYSTEMD}.Manager", "Subscribe").encode())
    await _await_replies(reader, {2, 3})


async def _await_replies(reader: asyncio.StreamReader, serials: set[int]) -> None:
    while serials:
        message = await read_message(reader)
        if message.kind == ERROR and message.reply_to in serials:
            raise ConnectionError("the bus refused a call")
        if message.kind == RETURN:
            serials.discard(message.reply_to)


async def read_message(reader: asyncio.StreamReader) -> BusMessage:
    """Return the next message; EOFError at the end, ValueError for what is no message or too long."""
    head = await reader.readexactly(16)
    order = {b"l": "<", b"B": ">"}.get(head[:1], "")
    if not order:
        raise ValueError("not a D-Bus message")
    kind = head[1]
    body_length, serial, fields_length = struct.unpack(f"{order}III", head[4:])
    padded = (fields_length + 7) // 8 * 8
    if padded + body_length > _LONGEST_MESSAGE:
        raise ValueError("a D-Bus message is too long")
    block = await reader.readexactly(padded)
    try:
        fields = _read_fields(block, fields_length, order)
    except (IndexError, struct.error) as error:
        raise ValueError("the header of a D-Bus message is cut short") from error
    body = await reader.readexactly(body_length)
    texts = {code: value for code, value in fields.items() if isinstance(value, str)}
    reply_to = fields.get(_REPLY_TO, 0)
    return BusMessage(
        kind,
        serial,
        texts.get(_PATH, ""),
        texts.get(_INTERFACE, ""),
        texts.get(_MEMBER, ""),
        texts.get(_DESTINATION, ""),
        reply_to if isinstance(reply_to, int) else 0,
        texts.get(_SIGNATURE, ""),
        body,
        order,
    )


def unit_path(name: str) -> str:
    """Return the object path of a unit, as systemd spells it."""
    full = name if "." in name else f"{name}.service"
    label = "".join(
        char if char.isascii() and char.isalnum() and not (index == 0 and char.isdigit()) else _escaped(char)
        for index, char in enumerate(full)
    )
    return UNIT_PATH + label


def encode_text(text: str) -> bytes:
    """Return a string as D-Bus writes one."""
    raw = text.encode()
    return struct.pack("<I", len(raw)) + raw + b"\0"


def _escaped(char: str) -> str:
    return "".join(f"_{byte:02x}" for byte in char.encode())


def _call(serial: int, destination: str, path: str, interface: str, member: str, *texts: str) -> BusMessage:
    signature = "s" * len(texts)
    return BusMessage(CALL, serial, path, interface, member, destination, 0, signature, encode_values(signature, texts))


def _add_field(fields: bytes, code: int, kind: str, text: str) -> bytes:
    if not text:
        return fields
    fields = _pad(fields, 8) + bytes((code, 1, ord(kind), 0))
    return fields + (bytes((len(text),)) + text.encode() + b"\0" if kind == "g" else encode_text(text))


def _read_fields(block: bytes, length: int, order: str) -> dict[int, str | int]:
    fields: dict[int, str | int] = {}
    position = 0
    while position < length:
        code, kind = block[position], block[position + 2 : position + 3]
        position += 4
        if kind == b"u":
            (fields[code],) = struct.unpack_from(f"{order}I", block, position)
            position += 4
        elif kind in (b"s", b"o", b"g"):
            size, start = (block[position], position + 1) if kind == b"g" else _size(block, position, order)
            fields[code] = block[start : start + size].decode("utf-8", "replace")
            position = start + size + 1
        else:
            raise ValueError("a D-Bus header field is of no known kind")
        position = (position + 7) // 8 * 8
    return fields


def _size(block: bytes, position: int, order: str) -> tuple[int, int]:
    size: int = struct.unpack_from(f"{order}I", block, position)[0]
    return size, position + 4


def _pad(content: bytes, to: int) -> bytes:
    return content + b"\0" * (-len(content) % to)
