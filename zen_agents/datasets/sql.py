"""Pieces of SQL whose values stay apart from its text until a driver joins them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from zen_agents.dataclass import dataclass
from zen_agents.datasets.identifiers import identifier

#: What a driver is handed beside the text.
Parameter = bool | int | float | str | datetime | list[str] | list[str | None] | dict[str, str] | None


@dataclass(frozen=True, slots=True)
class Bound:
    """A value in the text."""

    value: Parameter


@dataclass(frozen=True, slots=True)
class Sql:
    """A piece of SQL: texts of this program's own, quoted names, and values between them."""

    parts: tuple[str | Bound, ...]

    def __add__(self, other: Sql) -> Sql:
        return Sql(self.parts + other.parts)

    def text(self, placeholder: str = "?") -> str:
        """Return the text with a mark for each value; for `%s` every other percent sign is doubled."""
        texts = (part if isinstance(part, str) else None for part in self.parts)
        double = placeholder.startswith("%")
        return "".join(placeholder if text is None else text.replace("%", "%%") if double else text for text in texts)

    @property
    def values(self) -> list[Parameter]:
        """Return the values in the order of their marks."""
        return [part.value for part in self.parts if isinstance(part, Bound)]


def sql(template: str, *pieces: Sql) -> Sql:
    """Return the template with a piece in the place of each `{}`; the template is this program's own text."""
    texts = template.split("{}")
    if len(texts) != len(pieces) + 1:
        raise ValueError(f"{template!r} has another number of places than {len(pieces)}")
    parts: list[str | Bound] = [texts[0]]
    for piece, text in zip(pieces, texts[1:], strict=True):
        parts += [*piece.parts, text]
    return Sql(tuple(parts))


def name(written: str) -> Sql:
    """Return a quoted name."""
    return Sql((identifier(written),))


def value(given: Parameter) -> Sql:
    """Return a value."""
    return Sql((Bound(given),))


def joined(separator: str, pieces: Iterable[Sql]) -> Sql:
    """Return the pieces with a separator between them."""
    parts: list[Any] = []
    for number, piece in enumerate(pieces):
        parts += ([separator] if number else []) + list(piece.parts)
    return Sql(tuple(parts))


def listed(pieces: Sequence[Sql]) -> Sql:
    """Return the pieces with commas between them."""
    return joined(", ", pieces)
