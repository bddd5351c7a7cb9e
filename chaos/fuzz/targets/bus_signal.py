"""Signals on the system bus: messages, or the errors after which the connection is made anew."""

from __future__ import annotations

import asyncio
import contextlib

from zen_agents.adapters.event_systemd import SIGNAL, BusMessage, read_message, unit_path

_SIGNAL = BusMessage(
    SIGNAL, 3, unit_path("web.service"), "org.freedesktop.DBus.Properties", "PropertiesChanged", body=b"\0" * 8
)
SEEDS = (_SIGNAL.encode(), _SIGNAL.encode() * 3, _SIGNAL.encode()[:-1], b"B" + _SIGNAL.encode()[1:], b"l" * 64, b"")
WORDS = (b"\x01\x01o\0", b"\x08\x01g\0", b"\x05\x01u\0", b"l\x04\0\x01", b"PropertiesChanged")


def fuzz(data: bytes) -> None:
    """Read messages to the end of one input."""
    asyncio.run(_read(data))


async def _read(data: bytes) -> None:
    reader = asyncio.StreamReader(limit=1 << 24)
    reader.feed_data(data)
    reader.feed_eof()
    with contextlib.suppress(EOFError, ValueError, OSError):
        while True:
            await read_message(reader)
