"""Plain JSON for jobs about environments, and the way back: each noun by its fields, checked on reading."""

from __future__ import annotations

import json
import types
from dataclasses import fields, is_dataclass
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

T = TypeVar("T")

_MOST_CHARS = 512 * 1024


class MalformedJobError(ValueError):
    """The JSON is not what was agreed; the message says which part."""


def to_json(noun: object) -> str:
    """Return a frozen noun as JSON on one line."""
    return json.dumps(_plain(noun))


def from_json(text: str, kind: type[T]) -> T:
    """Return the noun in a text; raises MalformedJobError."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise MalformedJobError("this is not JSON") from error
    found: T = _read(value, kind, kind.__name__)
    return found


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    return [_plain(each) for each in value] if isinstance(value, (tuple, list)) else value


def _read(value: object, kind: Any, where: str) -> Any:
    if is_dataclass(kind):
        return _noun(value, kind, where)
    if get_origin(kind) is tuple:
        return _row(value, get_args(kind)[0], where)
    if get_origin(kind) is types.UnionType:
        return None if value is None else _read(value, get_args(kind)[0], where)
    wanted = (int, float) if kind is float else kind
    if not isinstance(value, wanted) or (isinstance(value, bool) and kind is not bool):
        raise MalformedJobError(f"{where} is no {kind.__name__}")
    if isinstance(value, str) and len(value) > _MOST_CHARS:
        raise MalformedJobError(f"{where} is too long")
    return value


def _noun(value: object, kind: Any, where: str) -> Any:
    names = [field.name for field in fields(kind)]
    if not isinstance(value, dict) or value.keys() != set(names):
        raise MalformedJobError(f"{where} has other keys than {', '.join(names)}")
    hints = get_type_hints(kind)
    return kind(**{name: _read(value[name], hints[name], f"{where}.{name}") for name in names})


def _row(value: object, kind: Any, where: str) -> Any:
    if not isinstance(value, list):
        raise MalformedJobError(f"{where} is no list")
    return tuple(_read(each, kind, f"{where}[{number}]") for number, each in enumerate(value))
