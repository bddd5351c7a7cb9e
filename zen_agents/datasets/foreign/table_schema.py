"""Frictionless Table Schema (Data Package standard 2.0, section Table Schema; what version 1 wrote differently as well)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from zen_agents.datasets.contract import Column, ColumnType
from zen_agents.datasets.foreign.descriptor import Part, RefusedContractError
from zen_agents.datasets.foreign.forms import FORMS
from zen_agents.datasets.foreign.translation import Draft, Translation
from zen_agents.datasets.questions import Between, HasColumns, Length, Matches, NotNull, OneOf, References, Unique

_TYPES: Final[Mapping[str, ColumnType]] = {
    "any": ColumnType.ANY, "string": ColumnType.TEXT, "number": ColumnType.NUMBER, "integer": ColumnType.INTEGER,
    "boolean": ColumnType.BOOLEAN, "date": ColumnType.DATE, "time": ColumnType.TIME, "datetime": ColumnType.TIMESTAMP,
    "year": ColumnType.INTEGER, "yearmonth": ColumnType.TEXT, "duration": ColumnType.TEXT, "list": ColumnType.TEXT,
    "object": ColumnType.JSON, "array": ColumnType.JSON, "geojson": ColumnType.JSON, "geopoint": ColumnType.TEXT,
}  # fmt: skip
#: Types that are a form of text.
_SHAPES: Final = {
    "year": "year", "yearmonth": "year_month", "duration": "duration", "geopoint": "point",
    "object": "object", "geojson": "object", "array": "array",
}  # fmt: skip
#: `format` of a string -> its form.
_FORMATS: Final = {"email": "email", "uri": "uri", "binary": "base64"}
_TEMPORAL: Final = frozenset({"date", "time", "datetime"})
_SCHEMA_KEYS: Final = frozenset(
    {"fields", "$schema", "fieldsMatch", "missingValues", "primaryKey", "uniqueKeys", "foreignKeys", "name", "title",
     "description", "version", "created", "keywords", "contributors", "homepage", "sources", "licenses"}
)  # fmt: skip
_FIELD_KEYS: Final = frozenset(
    {"name", "type", "format", "title", "description", "example", "rdfType", "constraints", "missingValues", "categories",
     "categoriesOrdered", "trueValues", "falseValues", "decimalChar", "groupChar", "bareNumber", "delimiter", "itemType"}
)  # fmt: skip
_CONSTRAINTS: Final = frozenset(
    {"required", "unique", "minLength", "maxLength", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "pattern",
     "enum", "jsonSchema"}
)  # fmt: skip
#: What changes how a value is read and cannot be asked so.
_OTHERWISE: Final = {
    "decimalChar": ".", "groupChar": "", "bareNumber": True, "delimiter": ",", "itemType": "string",
}  # fmt: skip


def read_table_schema(schema: Part, draft: Draft | None = None) -> Translation:
    """Return the translation of a Table Schema; raises RefusedContractError for what is none.

    With a draft, what it says is added to that one, which already has a name: that of its own data set.
    """
    draft = draft or Draft(schema.get("name").text() if schema.has("name") else "")
    fields = schema.required("fields", "a Table Schema has `fields`")
    draft.remark_others(schema, _SCHEMA_KEYS)
    if schema.has("missingValues"):
        draft.options = replace(draft.options, nulls=_missing(schema.get("missingValues")))
    _columns_there(schema, draft)
    for field in fields.items():
        _field(field, draft, optional=_match_of(schema) in ("superset", "partial"))
    _keys(schema, draft)
    return draft.translation()


def _missing(part: Part) -> tuple[str, ...]:
    return tuple(
        value.get("value").text() if isinstance(value.value, Mapping) else value.text() for value in part.items()
    )  # fmt: skip


def _columns_there(schema: Part, draft: Draft) -> None:
    part = schema.get("fieldsMatch")
    match _match_of(schema):
        case "exact":
            draft.ask(HasColumns(exact=True), schema.get("fields"))
            draft.remark(
                part if part.value else schema.get("fields"), "the order of the columns is not asked, only their names"
            )
        case "equal" | "superset":
            draft.ask(HasColumns(exact=True), part)
        case "subset":
            draft.ask(HasColumns(), part)
        case "partial":
            draft.remark(part, "that at least one of the columns is there is not asked")
        case other:
            raise RefusedContractError(part.at, f"{other!r} is none of exact, equal, subset, superset, partial")


def _match_of(schema: Part) -> str:
    """Return how columns are matched: the standard says that it is a text, its published profile that it is a list of it."""
    said = schema.get("fieldsMatch").texts()
    if len(said) > 1:
        raise RefusedContractError(schema.get("fieldsMatch").at, "one of them is meant")
    return said[0] if said else "exact"


def _field(field: Part, draft: Draft, *, optional: bool) -> None:
    name = field.required("name", "a field has a `name`").text()
    kind = field.get("type").word(_TYPES, "type of Table Schema", "any")
    draft.remark_others(field, _FIELD_KEYS)
    draft.column(Column(name, *_type_and_form(field, kind, draft), optional=optional))
    _shape(field, name, kind, draft)
    _said_otherwise(field, draft)
    _constraints(field.get("constraints"), name, kind, draft)


def _type_and_form(field: Part, kind: str, draft: Draft) -> tuple[ColumnType, str]:
    part = field.get("format")
    form = part.text("default").removeprefix("fmt:")
    if kind == "string" and form == "uuid":
        return ColumnType.UUID, ""
    if kind == "boolean" and (field.has("trueValues") or field.has("falseValues")):
        return ColumnType.TEXT, ""
    if kind in _TEMPORAL and form == "any":
        draft.remark(part, "any form of a date or time is not asked; ISO 8601 is")
    return _TYPES[kind], form if kind in _TEMPORAL and form not in ("default", "any") else ""


def _shape(field: Part, name: str, kind: str, draft: Draft) -> None:
    part = field.get("format")
    form = part.text("default")
    if kind in _SHAPES and form == "default":
        draft.ask(Matches(name, FORMS[_SHAPES[kind]]), field)
    elif kind == "string" and form in _FORMATS:
        draft.ask(Matches(name, FORMS[_FORMATS[form]]), part)
    elif kind not in _TEMPORAL and form not in ("default", "uuid"):
        draft.remark(part, f"this form of {kind} is not asked")
    if field.has("trueValues") or field.has("falseValues"):
        words = (field.get("trueValues"), field.get("falseValues"))
        standard = (("true", "True", "TRUE", "1"), ("false", "False", "FALSE", "0"))
        values = [part.texts() if part.value is not None else usual for part, usual in zip(words, standard, strict=True)]
        draft.ask(OneOf(name, (*values[0], *values[1])), field)
    if field.has("categories"):
        draft.ask(OneOf(name, _categories(field.get("categories"))), field.get("categories"))


def _categories(part: Part) -> tuple[bool | int | float | str, ...]:
    return tuple(
        value.get("value").scalar() if isinstance(value.value, Mapping) else value.scalar() for value in part.items()
    )  # fmt: skip


def _said_otherwise(field: Part, draft: Draft) -> None:
    for key, usual in _OTHERWISE.items():
        if field.has(key) and field.get(key).value != usual:
            draft.remark(field.get(key), "values written so are not read as what they stand for")
    if field.has("missingValues"):
        draft.remark(field.get("missingValues"), "missing values of one column alone are not told from its other values")


def _constraints(part: Part, name: str, kind: str, draft: Draft) -> None:
    draft.remark_others(part, _CONSTRAINTS)
    asked: Mapping[str, Callable[[], NotNull | Unique | Matches | OneOf | Between]] = {
        "required": lambda: NotNull(name),
        "unique": lambda: Unique((name,)),
        "pattern": lambda: Matches(name, part.get("pattern").text()),
        "enum": lambda: OneOf(name, tuple(value.scalar() for value in part.get("enum").items())),
        "exclusiveMinimum": lambda: Between(name, part.get("exclusiveMinimum").scalar(), None, strict=True),
        "exclusiveMaximum": lambda: Between(name, None, part.get("exclusiveMaximum").scalar(), strict=True),
    }
    for key, question in asked.items():
        if part.has(key) and part.get(key).value is not False:
            draft.ask(question(), part.get(key))
    if part.has("minimum") or part.has("maximum"):
        least, most = (part.get(key).scalar() if part.has(key) else None for key in ("minimum", "maximum"))
        draft.ask(Between(name, least, most), part)
    _lengths(part, name, kind, draft)
    if part.has("jsonSchema"):
        draft.remark(part.get("jsonSchema"), "what is inside a value is not asked")


def _lengths(part: Part, name: str, kind: str, draft: Draft) -> None:
    least, most = part.get("minLength"), part.get("maxLength")
    if least.value is None and most.value is None:
        return
    if _TYPES[kind] is ColumnType.JSON or kind == "list":
        draft.remark(part, "how many things are inside a value is not asked")
        return
    draft.ask(
        Length(name, 0 if least.value is None else least.count(), None if most.value is None else most.count()), part
    )  # fmt: skip


def _keys(schema: Part, draft: Draft) -> None:
    primary = schema.get("primaryKey")
    if columns := primary.texts():
        for column in columns:
            draft.ask(NotNull(column), primary)
        draft.ask(Unique(columns), primary)
    for key in schema.get("uniqueKeys").items():
        draft.ask(Unique(key.texts()), key)
    for key in schema.get("foreignKeys").items():
        reference = key.get("reference")
        columns, others = key.get("fields").texts(), reference.get("fields").texts()
        if not columns or len(columns) != len(others):
            raise RefusedContractError(key.at, "a foreign key names as many fields here as in what it refers to")
        draft.ask(References(columns, reference.get("resource").text() or draft.name, others), key)
