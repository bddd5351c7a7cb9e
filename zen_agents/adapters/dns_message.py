"""Messages of the domain name system (RFC 1035): one question for the addresses of a name, and what answers it."""

from __future__ import annotations

import ipaddress
import re
import struct
from collections.abc import Iterator
from typing import NamedTuple

from zen_agents.errors import HostError

IPV4, IPV6 = 1, 28
_IN = 1
_HEADER = struct.Struct("!6H")
_RECORD = struct.Struct("!HHIH")
_RESPONSE, _TRUNCATED, _RECURSION_DESIRED, _CODE = 0x8000, 0x0200, 0x0100, 0x000F
_POINTER = 0xC0
_LABEL = re.compile(rb"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?")
#: More labels do not fit into a name.
_MOST_LABELS = 127
_SIZES = {IPV4: 4, IPV6: 16}


class BadMessageError(ValueError):
    """What came is no answer to the question."""


class Reply(NamedTuple):
    """What an answer says."""

    #: The server's word: 0 is no error, 2 that it failed, 3 that there is no such name, 5 that it refuses.
    code: int
    #: It did not fit; the whole of it is to be had by TCP.
    truncated: bool
    addresses: tuple[str, ...]


def question(name: str, kind: int, id: int) -> bytes:
    """Return the question for the addresses of a name; HostError if that is no name."""
    try:
        labels = name.removesuffix(".").encode("idna").split(b".")
    except UnicodeError as error:
        raise HostError(f"{name!r} is not a host name") from error
    if not all(_LABEL.fullmatch(label) for label in labels) or sum(map(len, labels)) + len(labels) > 254:
        raise HostError(f"{name!r} is not a host name")
    encoded = b"".join(bytes([len(label)]) + label for label in labels) + b"\0"
    return _HEADER.pack(id, _RECURSION_DESIRED, 1, 0, 0, 0) + encoded + struct.pack("!HH", kind, _IN)


def reply(message: bytes, asked: bytes) -> Reply:
    """Return what a message answers to a question; BadMessageError if it answers another one, or makes no sense.

    All addresses of the wanted kind count, whatever name they are given for: a name may stand for another one.
    """
    try:
        return _reply(message, asked)
    except (struct.error, IndexError) as error:
        raise BadMessageError("the answer is cut off") from error


def _reply(message: bytes, asked: bytes) -> Reply:
    id, flags, questions, answers, _, _ = _HEADER.unpack_from(message)
    if id != int.from_bytes(asked[:2], "big") or not flags & _RESPONSE:
        raise BadMessageError("the answer is not to what was asked")
    at = _HEADER.size
    # A server that could not read the question need not repeat it.
    if questions:
        end = at + len(asked) - _HEADER.size
        if questions != 1 or message[at:end].lower() != asked[_HEADER.size :].lower():
            raise BadMessageError("the answer is about another name")
        at = end
    elif not flags & _CODE:
        raise BadMessageError("the answer does not repeat the question")
    kind = int.from_bytes(asked[-4:-2], "big")
    truncated = bool(flags & _TRUNCATED)
    # What did not fit may end anywhere, and is asked for again.
    found = () if truncated else tuple(dict.fromkeys(_addresses(message, at, answers, kind)))
    return Reply(flags & _CODE, truncated, found)


def _addresses(message: bytes, at: int, count: int, kind: int) -> Iterator[str]:
    for _ in range(count):
        at = _after_name(message, at)
        type_, class_, _, size = _RECORD.unpack_from(message, at)
        at += _RECORD.size
        content = message[at : at + size]
        if len(content) != size:
            raise BadMessageError("the answer is cut off")
        if (type_, class_) == (kind, _IN):
            if size != _SIZES[kind]:
                raise BadMessageError("an address in the answer has the wrong length")
            yield str(ipaddress.ip_address(content))
        at += size


def _after_name(message: bytes, at: int) -> int:
    """Return where the name that begins at `at` ends; where a pointer in it leads is not followed."""
    for _ in range(_MOST_LABELS + 1):
        length = message[at]
        if length & _POINTER == _POINTER:
            if at + 2 > len(message):
                raise BadMessageError("the answer is cut off")
            return at + 2
        if length & _POINTER:
            raise BadMessageError("the answer has a label of an unknown kind")
        at += 1 + length
        if not length:
            return at
    raise BadMessageError("the answer has a name without end")
