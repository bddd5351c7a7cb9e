"""What systemd, or whoever took its place on the bus, answers to a look: units, or an error of the bus."""

from __future__ import annotations

import contextlib
import struct

from chaos.fuzz.given import Peer, folder
from zen_agents.adapters.event_systemd import ERROR, RETURN, BusMessage, encode_text
from zen_agents.adapters.systemd_bus import BusError, SystemdBus

_OK = b"OK 0123456789abcdef\r\n"


def _variant(signature: bytes, body: bytes) -> bytes:
    return encode_text("Job") + bytes([len(signature)]) + signature + b"\0" + body


def _reply(serial: int, signature: str, body: bytes) -> bytes:
    return BusMessage(RETURN, 1, reply_to=serial, signature=signature, body=body).encode()


def _properties(entries: bytes) -> bytes:
    return struct.pack("<II", len(entries), 0) + entries


def _text(value: str) -> bytes:
    return b"\x01s\0\0" + encode_text(value)


def _number(value: int) -> bytes:
    return b"\x01u\0\0" + struct.pack("<I", value)


#: What is asked along with the properties that every unit has: those of a service, and the state of the system.
_REST = b"".join(
    _reply(2 + number, "v", value)
    for number, value in enumerate((_text("success"), _number(4242), _number(0), _text("system.slice"), _text("running")))
)
SEEDS = (
    _OK + _reply(1, "a{sv}", _properties(_variant(b"u", b"\0\0\0\0\0"))) + _REST,
    # An array whose items take no room.
    _OK + _reply(1, "a{sv}", _properties(_variant(b"a()", b"\0\0\0" + struct.pack("<II", 64, 0) + b"\0" * 64))) + _REST,
    _OK + _reply(1, "aa{ss}", b"\0" * 64) + _REST,
    _OK + _reply(1, "a{ays}", _properties(b"\0" * 32)) + _REST,
    _OK + BusMessage(ERROR, 1, reply_to=1, signature="s", body=encode_text("no such unit")).encode(),
    b"REJECTED\r\n",
    b"",
    _OK + _reply(1, "v" * 200, b"\x01v\0" * 60) + _REST,
    _OK + b"l\x02\0\x01" + b"\xff" * 64,
)
WORDS = (
    _OK,
    b"a{sv}",
    b"a()",
    b"a{}",
    b"InvocationID",
    b"LoadState",
    b"ActiveState",
    b"RequiredBy",
    b"Job",
    b"\x01s\0",
    b"(uo)",
)
_peer: list[Peer] = []


def fuzz(data: bytes) -> None:
    """Ask for a unit and the state of the system."""
    path = folder("bus") / "private"
    if not _peer:
        _peer.append(Peer(path))
    _peer[0].says(data)
    with contextlib.suppress(BusError):
        SystemdBus(private=str(path), bus=str(path), timeout_seconds=5.0).units(["web.service"])
