"""JSON Schema (draft 4 to 2020-12) of the objects in a file of JSON lines: each of its properties is a column."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import unquote

from zen_agents.datasets.contract import Column, ColumnType
from zen_agents.datasets.foreign.descriptor import Part, RefusedContractError
from zen_agents.datasets.foreign.forms import FORMS, anywhere
from zen_agents.datasets.foreign.translation import Draft, Translation
from zen_agents.datasets.questions import Between, HasColumns, Length, Matches, NotNull, OneOf

_TYPES: Final[Mapping[str, ColumnType]] = {
    "string": ColumnType.TEXT, "integer": ColumnType.INTEGER, "number": ColumnType.NUMBER, "boolean": ColumnType.BOOLEAN,
    "object": ColumnType.JSON, "array": ColumnType.JSON,
}  # fmt: skip
#: `format` that is a type of its own, and those that are a form of text.
_TYPED_FORMATS: Final = {
    "date": ColumnType.DATE, "date-time": ColumnType.TIMESTAMP, "time": ColumnType.TIME, "uuid": ColumnType.UUID,
}  # fmt: skip
_FORMATS: Final = {"email": "email", "uri": "uri", "hostname": "hostname", "ipv4": "ipv4", "duration": "duration"}
#: What describes and asks nothing.
_ANNOTATIONS: Final = frozenset(
    {"$schema", "$id", "id", "$comment", "$defs", "definitions", "$anchor", "$vocabulary", "title", "description", "default",
     "examples", "deprecated", "readOnly", "writeOnly", "contentEncoding", "contentMediaType"}
)  # fmt: skip
_OBJECT_KEYS: Final = _ANNOTATIONS | {"type", "properties", "required", "additionalProperties", "unevaluatedProperties"}
_VALUE_KEYS: Final = _ANNOTATIONS | {
    "type", "format", "enum", "const", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "minLength",
    "maxLength", "pattern", "anyOf", "oneOf", "$ref", "nullable",
}  # fmt: skip
#: A reference may lead to another one; more than so many go round in a circle.
_MOST_REFERENCES: Final = 32


def read_json_schema(schema: Part) -> Translation:
    """Return the translation of the schema of one object; raises RefusedContractError for what is none."""
    draft = Draft(schema.get("title").text())
    root = schema
    schema = _resolved(schema, root)
    if schema.get("type").value not in (None, "object"):
        raise RefusedContractError(schema.get("type").at, "each line is an object; the schema has to be that of one")
    properties = schema.required("properties", "a schema of objects has `properties`")
    draft.remark_others(schema, _OBJECT_KEYS)
    required = frozenset(schema.get("required").texts())
    for name, part in properties.entries():
        _property(name, part, root, draft, required=name in required)
    closed = next((key for key in ("additionalProperties", "unevaluatedProperties") if schema.get(key).value is False), "")
    draft.ask(HasColumns(exact=bool(closed)), schema.get(closed or "properties"))
    return draft.translation()


def _resolved(part: Part, root: Part) -> Part:
    for _ in range(_MOST_REFERENCES):
        if not isinstance(part.value, Mapping) or not part.has("$ref"):
            return part
        part = _referred(part.get("$ref"), root)
    raise RefusedContractError(part.at, "its references go round in a circle")


def _referred(reference: Part, root: Part) -> Part:
    text = reference.text()
    if not text.startswith("#/") and text != "#":
        raise RefusedContractError(reference.at, "only what is in the file itself can be referred to, as `#/$defs/NAME`")
    part = root
    # RFC 6901, section 4.
    for step in text.removeprefix("#").split("/")[1:]:
        key = unquote(step).replace("~1", "/").replace("~0", "~")
        part = part.get(key)
        if part.value is None:
            raise RefusedContractError(reference.at, f"there is no {text!r}")
    return part


def _property(name: str, part: Part, root: Part, draft: Draft, *, required: bool) -> None:
    if part.value is True or part.value == {}:
        draft.column(Column(name, optional=not required))
        return
    resolved, nullable = _without_null(_resolved(part, root), root, draft)
    draft.remark_others(resolved, _VALUE_KEYS)
    types = [kind for kind in resolved.get("type").texts() if kind != "null"]
    for kind in types:
        Part(kind, resolved.get("type").at).word(_TYPES, "type of JSON")
    draft.column(Column(name, _type(resolved, types, draft), optional=not required))
    nullable = nullable or "null" in resolved.get("type").texts() or resolved.get("nullable").value is True
    if required and types and not nullable:
        draft.ask(NotNull(name), part)
    _values(name, resolved, draft)
    _bounds(name, resolved, draft)
    _text(name, resolved, draft)


def _without_null(part: Part, root: Part, draft: Draft) -> tuple[Part, bool]:
    """Return what a choice between one schema and null is about, and whether null was offered."""
    for key in ("anyOf", "oneOf"):
        choices = [_resolved(choice, root) for choice in part.get(key).items()]
        others = [choice for choice in choices if choice.mapping() != {"type": "null"}]
        if len(others) == 1 and len(choices) == 2:
            return others[0], True
        if choices:
            draft.remark(part.get(key), "a choice between schemas is not asked")
    return part, False


def _type(part: Part, types: list[str], draft: Draft) -> ColumnType:
    if len(types) > 1:
        draft.remark(part.get("type"), "several types are not asked")
        return ColumnType.ANY
    kind = _TYPES[types[0]] if types else ColumnType.ANY
    return _TYPED_FORMATS.get(part.get("format").text(), kind) if kind is ColumnType.TEXT else kind


def _values(name: str, part: Part, draft: Draft) -> None:
    if part.has("enum"):
        listed = [value for value in part.get("enum").items() if value.value is not None]
        draft.ask(OneOf(name, tuple(value.scalar() for value in listed)), part.get("enum"))
    if part.has("const"):
        draft.ask(OneOf(name, (part.get("const").scalar(),)), part.get("const"))


def _bounds(name: str, part: Part, draft: Draft) -> None:
    for key, exclusive, least in (("minimum", "exclusiveMinimum", True), ("maximum", "exclusiveMaximum", False)):
        bound, beyond = part.get(key), part.get(exclusive)
        # In draft 4 the second says whether the first belongs to it, later it is a bound of its own.
        if bound.value is not None:
            draft.ask(_between(name, bound.number(), least=least, strict=beyond.value is True), bound)
        if beyond.value is not None and not isinstance(beyond.value, bool):
            draft.ask(_between(name, beyond.number(), least=least, strict=True), beyond)


def _between(name: str, bound: Any, *, least: bool, strict: bool) -> Between:
    number = int(bound) if float(bound).is_integer() else bound
    return Between(name, number if least else None, None if least else number, strict=strict)


def _text(name: str, part: Part, draft: Draft) -> None:
    least, most = part.get("minLength"), part.get("maxLength")
    if least.value is not None or most.value is not None:
        length = Length(
            name, 0 if least.value is None else least.count(), None if most.value is None else most.count()
        )  # fmt: skip
        draft.ask(length, least if least.value is not None else most)
    if part.has("pattern"):
        draft.ask(Matches(name, anywhere(part.get("pattern").text())), part.get("pattern"))
    form = part.get("format").text()
    if form in _FORMATS:
        draft.ask(Matches(name, FORMS[_FORMATS[form]]), part.get("format"))
    elif form and form not in _TYPED_FORMATS:
        draft.remark(part.get("format"), "this form is not asked")
