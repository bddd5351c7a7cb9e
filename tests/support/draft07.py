"""As much of JSON Schema's draft 07 as our schema uses; a keyword it does not know is an error."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

_IGNORED = {"$schema", "title", "description", "default", "examples", "definitions", "format"}
_TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,), "array": (list,), "string": (str,), "integer": (int,), "number": (int, float), "boolean": (bool,),
    "null": (type(None),),
}  # fmt: skip


def faults(value: Any, schema: dict[str, Any], whole: dict[str, Any], path: str = "") -> Iterator[str]:
    """Yield what a value does against the schema."""
    for keyword, wanted in schema.items():
        if keyword not in _IGNORED:
            yield from _KEYWORDS[keyword](value, wanted, schema, whole, path)


def _ref(value: Any, wanted: Any, _: Any, whole: Any, path: str) -> Iterator[str]:
    target = whole
    for step in wanted.removeprefix("#/").split("/"):
        target = target[step]
    yield from faults(value, target, whole, path)


def _type(value: Any, wanted: Any, _: Any, __: Any, path: str) -> Iterator[str]:
    if not isinstance(value, _TYPES[wanted]) or (isinstance(value, bool) and wanted in ("integer", "number")):
        yield f"{path} is no {wanted}"


def _properties(value: Any, wanted: Any, _: Any, whole: Any, path: str) -> Iterator[str]:
    for key in value if isinstance(value, dict) else ():
        if key in wanted:
            yield from faults(value[key], wanted[key], whole, f"{path}.{key}")


def _additional(value: Any, wanted: Any, schema: Any, whole: Any, path: str) -> Iterator[str]:
    for key in value if isinstance(value, dict) else ():
        free = any(re.search(pattern, key) for pattern in schema.get("patternProperties", {}))
        if key not in schema.get("properties", {}) and not free:
            if wanted is False:
                yield f"{path}.{key} is unknown"
            elif isinstance(wanted, dict):
                yield from faults(value[key], wanted, whole, f"{path}.{key}")


def _pattern_properties(value: Any, wanted: Any, _: Any, whole: Any, path: str) -> Iterator[str]:
    for pattern, below in wanted.items():
        for key in value if isinstance(value, dict) else ():
            if re.search(pattern, key):
                yield from faults(value[key], below, whole, f"{path}.{key}")


def _property_names(value: Any, wanted: Any, _: Any, whole: Any, path: str) -> Iterator[str]:
    for key in value if isinstance(value, dict) else ():
        yield from faults(key, wanted, whole, f"{path}.{key}")


def _required(value: Any, wanted: Any, _: Any, __: Any, path: str) -> Iterator[str]:
    yield from (f"{path}.{key} is missing" for key in wanted if isinstance(value, dict) and key not in value)


def _items(value: Any, wanted: Any, _: Any, whole: Any, path: str) -> Iterator[str]:
    for index, item in enumerate(value if isinstance(value, list) else ()):
        yield from faults(item, wanted, whole, f"{path}[{index}]")


def _any_of(value: Any, wanted: Any, _: Any, whole: Any, path: str) -> Iterator[str]:
    if all(list(faults(value, each, whole, path)) for each in wanted):
        yield f"{path} is none of the alternatives"


def _all_of(value: Any, wanted: Any, _: Any, whole: Any, path: str) -> Iterator[str]:
    for each in wanted:
        yield from faults(value, each, whole, path)


def _compare(allowed: Any) -> Any:
    def check(value: Any, wanted: Any, _: Any, __: Any, path: str) -> Iterator[str]:
        if not allowed(value, wanted):
            yield f"{path} is out of bounds ({wanted})"

    return check


def _number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


_KEYWORDS: dict[str, Any] = {
    "$ref": _ref, "type": _type, "properties": _properties, "additionalProperties": _additional,
    "patternProperties": _pattern_properties, "propertyNames": _property_names, "required": _required, "items": _items,
    "anyOf": _any_of, "allOf": _all_of,
    "enum": _compare(lambda value, wanted: value in wanted),
    "const": _compare(lambda value, wanted: value == wanted),
    "pattern": _compare(lambda value, wanted: not isinstance(value, str) or re.search(wanted, value)),
    "minimum": _compare(lambda value, wanted: not _number(value) or value >= wanted),
    "maximum": _compare(lambda value, wanted: not _number(value) or value <= wanted),
    "exclusiveMinimum": _compare(lambda value, wanted: not _number(value) or value > wanted),
    "exclusiveMaximum": _compare(lambda value, wanted: not _number(value) or value < wanted),
    "minLength": _compare(lambda value, wanted: not isinstance(value, str) or len(value) >= wanted),
    "maxLength": _compare(lambda value, wanted: not isinstance(value, str) or len(value) <= wanted),
    "minItems": _compare(lambda value, wanted: not isinstance(value, list) or len(value) >= wanted),
    "maxItems": _compare(lambda value, wanted: not isinstance(value, list) or len(value) <= wanted),
}  # fmt: skip
