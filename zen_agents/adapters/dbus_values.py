"""The values in a D-Bus message, read from its bytes and written to them (D-Bus specification, "Marshaling").

Whatever is read and is no value is a ValueError, struct.error or IndexError.
"""

from __future__ import annotations

import struct
from collections.abc import Container, Sequence
from typing import Any

#: Nested deeper than this is nothing that systemd sends.
_DEEPEST = 16
_NUMBERS = {"y": "B", "n": "h", "q": "H", "i": "i", "u": "I", "h": "I", "x": "q", "t": "Q", "d": "d", "b": "I"}
#: What may be a key of a dictionary: numbers and texts.
_KEYS = frozenset((*_NUMBERS, "s", "o", "g"))
_ALIGNMENTS = {"n": 2, "q": 2, "x": 8, "t": 8, "d": 8, "(": 8, "{": 8, "y": 1, "g": 1, "v": 1}


class ValueReader:
    """Reads values of one message; positions count from the beginning of `block`, as alignment does."""

    def __init__(self, block: bytes, order: str, position: int) -> None:
        self._block, self._order, self._position = block, order, position

    def value(self, signature: str, depth: int = 0) -> Any:
        """Return the first value of a signature."""
        kind = signature[0]
        if depth > _DEEPEST:
            raise ValueError("a D-Bus value is nested too deep")
        self._align(_ALIGNMENTS.get(kind, 4))
        if kind in _NUMBERS:
            return self._number(_NUMBERS[kind])
        if kind in "so":
            return self._text(self._number("I"))
        if kind == "g":
            return self._text(self._number("B"))
        if kind == "v":
            return self.value(self._text(self._number("B")), depth + 1)
        if kind == "a":
            return self._array(signature[1 : _end(signature, 1)], depth)
        if kind in "({":
            return self._struct(signature[1 : _end(signature, 0) - 1], depth)
        raise ValueError(f"a D-Bus value of no known kind {kind!r}")

    def entries(self, wanted: Container[str]) -> dict[str, Any]:
        """Return those of an `a{sv}` that are wanted; the others are passed over unread."""
        found = {}
        end = self._number("I")
        self._align(8)
        end += self._position
        while self._position < end:
            self._align(8)
            name = self._text(self._number("I"))
            if name in wanted:
                found[name] = self.value("v")
            else:
                self._pass_over("v")
        return found

    def _pass_over(self, signature: str, depth: int = 0) -> None:
        kind = signature[0]
        if depth > _DEEPEST:
            raise ValueError("a D-Bus value is nested too deep")
        self._align(_ALIGNMENTS.get(kind, 4))
        if kind in _NUMBERS:
            self._position += struct.calcsize(_NUMBERS[kind])
        elif kind in "so":
            size = self._number("I")
            self._position += size + 1
        elif kind == "v":
            self._pass_over(self._text(self._number("B")), depth + 1)
        elif kind == "a":
            size = self._number("I")
            self._align(_ALIGNMENTS.get(signature[1], 4))
            self._position += size
        else:
            self.value(signature, depth)
        if self._position > len(self._block):
            raise ValueError("a D-Bus value is cut short")

    def _array(self, item: str, depth: int) -> Any:
        end = self._number("I")
        self._align(_ALIGNMENTS.get(item[0], 4))
        end += self._position
        if end > len(self._block):
            raise ValueError("a D-Bus array is cut short")
        if item == "y":
            taken, self._position = self._block[self._position : end], end
            return taken
        if item[0] == "{" and item[1] not in _KEYS:
            raise ValueError("the keys of a D-Bus dictionary are of no kind that can be one")
        items = []
        while self._position < end:
            before = self._position
            items.append(self.value(item, depth + 1))
            if self._position == before:
                raise ValueError("a D-Bus array holds values without a size")
        return dict(items) if item[0] == "{" else items

    def _struct(self, members: str, depth: int) -> tuple[Any, ...]:
        values, at = [], 0
        while at < len(members):
            end = _end(members, at)
            values.append(self.value(members[at:end], depth + 1))
            at = end
        return tuple(values)

    def _number(self, code: str) -> Any:
        (number,) = struct.unpack_from(f"{self._order}{code}", self._block, self._position)
        self._position += struct.calcsize(code)
        return number

    def _text(self, size: int) -> str:
        end = self._position + size
        if end >= len(self._block):
            raise ValueError("a D-Bus text is cut short")
        text = self._block[self._position : end].decode("utf-8", "replace")
        self._position = end + 1
        return text

    def _align(self, to: int) -> None:
        self._position += -self._position % to


def encode_values(signature: str, values: Sequence[Any]) -> bytes:
    """Return the body of a message, little-endian. A variant is given as (signature, value), a structure as a sequence."""
    block = bytearray()
    _write_all(block, signature, values)
    return bytes(block)


def _write_all(block: bytearray, signature: str, values: Sequence[Any]) -> None:
    at = 0
    for value in values:
        end = _end(signature, at)
        _write(block, signature[at:end], value)
        at = end
    if at != len(signature):
        raise ValueError(f"{len(values)} values are not what {signature!r} says")


def _write(block: bytearray, signature: str, value: Any) -> None:
    kind = signature[0]
    _pad(block, _ALIGNMENTS.get(kind, 4))
    if kind in _NUMBERS:
        block += struct.pack(f"<{_NUMBERS[kind]}", value)
    elif kind in "sog":
        raw = value.encode()
        block += struct.pack("<B" if kind == "g" else "<I", len(raw)) + raw + b"\0"
    elif kind == "v":
        _write(block, "g", value[0])
        _write(block, value[0], value[1])
    elif kind == "a":
        _write_array(block, signature[1:], value)
    else:
        _write_all(block, signature[1:-1], value)


def _write_array(block: bytearray, item: str, values: Sequence[Any]) -> None:
    length_at = len(block)
    block += b"\0\0\0\0"
    # Its length does not count what aligns the first item.
    _pad(block, _ALIGNMENTS.get(item[0], 4))
    begin = len(block)
    for value in values:
        _write(block, item, value)
    struct.pack_into("<I", block, length_at, len(block) - begin)


def _pad(block: bytearray, to: int) -> None:
    block += b"\0" * (-len(block) % to)


def _end(signature: str, at: int) -> int:
    """Return where the single type that begins at `at` ends."""
    while signature[at] == "a":
        at += 1
    if signature[at] not in "({":
        return at + 1
    depth = 0
    for index in range(at, len(signature)):
        depth += (signature[index] in "({") - (signature[index] in ")}")
        if depth == 0:
            return index + 1
    raise ValueError("a D-Bus signature is cut short")
