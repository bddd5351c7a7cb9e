"""From a shape, as `shapes` has them, to JSON Schema."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

#: What has no fixed form.
ANY = object()
_PLAIN: Mapping[Any, str] = {str: "string", int: "integer", float: "number", bool: "boolean", None: "null"}


def items(shape: Any) -> dict[str, Any]:
    """Return the shape of a list of such."""
    return {"items": [shape]}


def document(name: str, shape: Mapping[str, Any]) -> dict[str, Any]:
    """Return the schema of a whole document, which begins with its name."""
    whole = _schema_of(shape)
    whole["properties"] = {"schema": {"const": f"zen-agents/{name}/v1"}, **whole["properties"]}
    whole["required"] = ["schema", *whole["required"]]
    return whole


def _schema_of(shape: Any) -> dict[str, Any]:
    if shape is ANY:
        return {}
    if isinstance(shape, list):
        return {"type": "array", "items": _schema_of(shape[0])}
    if isinstance(shape, tuple):
        return {"anyOf": [_schema_of(one) for one in shape]}
    if not isinstance(shape, Mapping):
        return {"type": _PLAIN[shape]}
    named = {name: one for name, one in shape.items() if name != "*"}
    return {
        "type": "object",
        "properties": {name.removesuffix("?"): _schema_of(one) for name, one in named.items()},
        "required": [name for name in named if not name.endswith("?")],
        "additionalProperties": _schema_of(shape["*"]) if "*" in shape else False,
    }
