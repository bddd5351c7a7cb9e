"""The Open Data Contract Standard, version 3: one object of its `schema`, as the table that it describes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from zen_agents.datasets.contract import Column, ColumnType
from zen_agents.datasets.foreign.descriptor import Part, RefusedContractError
from zen_agents.datasets.foreign.forms import FORMS, anywhere
from zen_agents.datasets.foreign.odcs_quality import quality_of_object, quality_of_property
from zen_agents.datasets.foreign.translation import Draft, Translation
from zen_agents.datasets.questions import Between, HasColumns, Length, Matches, NotNull, OneOf, References, Unique

_TYPES: Final[Mapping[str, ColumnType]] = {
    "string": ColumnType.TEXT, "date": ColumnType.DATE, "timestamp": ColumnType.TIMESTAMP, "time": ColumnType.TIME,
    "number": ColumnType.NUMBER, "integer": ColumnType.INTEGER, "boolean": ColumnType.BOOLEAN, "object": ColumnType.JSON,
    "array": ColumnType.JSON, "map": ColumnType.JSON, "": ColumnType.ANY,
}  # fmt: skip
_FORMATS: Final = {"email": "email", "uri": "uri", "hostname": "hostname", "ipv4": "ipv4", "byte": "base64"}
#: Letters of Java's DateTimeFormatter -> what strftime calls the same.
_JAVA: Final = {
    "yyyy": "%Y", "uuuu": "%Y", "yy": "%y", "MM": "%m", "dd": "%d", "HH": "%H", "mm": "%M", "ss": "%S", "SSS": "%f",
    "SSSSSS": "%f", "Z": "%z", "X": "%z", "XX": "%z", "XXX": "%z", "T": "T", "'T'": "T", "'Z'": "Z",
}  # fmt: skip
_JAVA_PART: Final = re.compile(r"'[^']*'|([A-Za-z])\1*|[^A-Za-z']+")
#: What describes and asks nothing of the rows.
_DESCRIBING: Final = frozenset(
    {"id", "name", "physicalName", "businessName", "physicalType", "description", "tags", "customProperties",
     "authoritativeDefinitions", "dataGranularityDescription", "logicalType", "classification", "encryptedName", "examples",
     "criticalDataElement", "partitioned", "partitionKeyPosition", "transformLogic", "transformSourceObjects",
     "transformDescription", "primaryKeyPosition", "deprecated"}
)  # fmt: skip
_OBJECT_KEYS: Final = _DESCRIBING | {"properties", "quality", "relationships"}
_PROPERTY_KEYS: Final = _DESCRIBING | {
    "required",
    "unique",
    "primaryKey",
    "enum",
    "logicalTypeOptions",
    "quality",
    "relationships",
}
_OPTION_KEYS: Final = frozenset(
    {"format", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "minLength", "maxLength", "pattern"}
)  # fmt: skip
#: Key -> whether it is the least value, and whether the value itself is out.
_BOUNDS: Final = (
    ("minimum", True, False), ("maximum", False, False), ("exclusiveMinimum", True, True), ("exclusiveMaximum", False, True),
)  # fmt: skip
_CONTRACT_KEYS: Final = frozenset(
    {"version", "kind", "apiVersion", "id", "name", "tenant", "tags", "status", "servers", "dataProduct", "description",
     "domain", "schema", "support", "price", "team", "roles", "slaDefaultElement", "authoritativeDefinitions",
     "customProperties", "contractCreatedTs"}
)  # fmt: skip


def read_odcs(contract: Part, name: str = "") -> Translation:
    """Return the translation of the schema object with this name, or of the only one; raises RefusedContractError."""
    contract.get("kind").word(("DataContract",), "kind of the standard")
    if not contract.get("apiVersion").text().startswith("v3."):
        raise RefusedContractError(contract.get("apiVersion").at, "only version 3 of the standard is read, such as `v3.1.0`")
    found = {part.get("name").text(): part for part in contract.get("schema").items()}
    if not found:
        raise RefusedContractError("schema", "it describes no table")
    if not name and len(found) > 1:
        raise RefusedContractError("schema", f"which of them is meant: {', '.join(found)}?")
    if name and name not in found:
        raise RefusedContractError("schema", f"none is called {name!r}; there are: {', '.join(found)}")
    table = found[name or next(iter(found))]
    draft = Draft(_column_name(table))
    draft.remark_others(contract, _CONTRACT_KEYS)
    _table(table, contract, draft)
    return draft.translation()


def _table(table: Part, contract: Part, draft: Draft) -> None:
    draft.remark_others(table, _OBJECT_KEYS)
    properties = list(table.get("properties").items())
    names = {part.get("name").text(): _column_name(part) for part in properties}
    draft.ask(HasColumns(), table.get("properties"))
    for part in properties:
        _property(part, contract, draft)
    _primary_key(properties, draft)
    for relation in table.get("relationships").items():
        columns = tuple(_last(text) for text in relation.get("from").texts())
        _relation(relation, tuple(names.get(column, column) for column in columns), contract, draft)
    quality_of_object(table.get("quality"), names, draft)


def _column_name(part: Part) -> str:
    name = part.get("physicalName").text() or part.get("name").text()
    if not name:
        raise RefusedContractError(part.at, "it has no `name`")
    return name


def _kind(part: Part) -> str:
    return part.get("logicalType").word(_TYPES, "logical type of the standard")


def _property(part: Part, contract: Part, draft: Draft) -> None:
    name, kind, options = _column_name(part), _kind(part), part.get("logicalTypeOptions")
    draft.remark_others(part, _PROPERTY_KEYS)
    draft.remark_others(options, _OPTION_KEYS)
    column = Column(name, _TYPES[kind])
    form = options.get("format")
    if kind in ("date", "timestamp", "time") and form.value is not None:
        column = Column(name, _TYPES[kind], _strftime(form, draft))
    elif kind == "string" and form.text() == "uuid":
        column = Column(name, ColumnType.UUID)
    elif form.value is not None and not (kind == "string" and form.text() in _FORMATS):
        draft.remark(form, "this form is not asked")
    draft.column(column)
    if part.get("required").flag():
        draft.ask(NotNull(name), part.get("required"))
    if part.get("unique").flag():
        draft.ask(Unique((name,)), part.get("unique"))
    if part.has("enum"):
        values = tuple(each.get("value").scalar() for each in part.get("enum").items())
        draft.ask(OneOf(name, values), part.get("enum"))
    _options(name, kind, options, draft)
    for relation in part.get("relationships").items():
        _relation(relation, (name,), contract, draft)
    quality_of_property(part.get("quality"), name, draft)


def _strftime(form: Part, draft: Draft) -> str:
    parts = [found[0] for found in _JAVA_PART.finditer(form.text())]
    unknown = [part for part in parts if part[0].isalpha() and part not in _JAVA]
    if unknown:
        draft.remark(form, f"the form is not asked: {unknown[0]!r} is not known; ISO 8601 is")
        return ""
    return "".join(_JAVA.get(part, part.strip("'").replace("%", "%%")) for part in parts)


def _options(name: str, kind: str, options: Part, draft: Draft) -> None:
    for key, least, strict in _BOUNDS:
        if (bound := options.get(key)).value is not None:
            value = bound.scalar()
            draft.ask(Between(name, value if least else None, None if least else value, strict=strict), bound)
    shortest, longest = options.get("minLength"), options.get("maxLength")
    if shortest.value is not None or longest.value is not None:
        least_length = 0 if shortest.value is None else shortest.count()
        draft.ask(Length(name, least_length, None if longest.value is None else longest.count()), options)
    if options.has("pattern"):
        draft.ask(Matches(name, anywhere(options.get("pattern").text())), options.get("pattern"))
    if kind == "string" and (form := options.get("format").text()) in _FORMATS:
        draft.ask(Matches(name, FORMS[_FORMATS[form]]), options.get("format"))


def _primary_key(properties: list[Part], draft: Draft) -> None:
    keys = [part for part in properties if part.get("primaryKey").flag()]
    if not keys:
        return
    keys.sort(key=lambda part: part.get("primaryKeyPosition").value or 0)
    for part in keys:
        if not part.get("required").flag():
            draft.ask(NotNull(_column_name(part)), part.get("primaryKey"))
    draft.ask(Unique(tuple(map(_column_name, keys))), keys[0].get("primaryKey"))


def _last(text: str) -> str:
    """Return the name of a property out of `orders.customer_id` or `schema/orders/properties/customer_id`."""
    return re.split(r"[./]", text)[-1]


def _relation(relation: Part, columns: tuple[str, ...], contract: Part, draft: Draft) -> None:
    targets = relation.get("to").texts()
    if not targets or len(targets) != len(columns):
        raise RefusedContractError(relation.get("to").at, "it names as many properties as it comes from")
    found = [_target(text, contract) for text in targets]
    if relation.get("type").text("foreignKey") != "foreignKey" or None in found:
        draft.remark(relation, "this relationship is not asked")
        return
    tables = [place[0] for place in found if place]
    draft.ask(References(columns, tables[0], tuple(place[1] for place in found if place)), relation)


def _target(text: str, contract: Part) -> tuple[str, str] | None:
    """Return the table and the column that a reference names; None for what is nested, elsewhere or not there."""
    steps = text.split("/")[1::2] if text.startswith("schema/") else text.split(".")
    if len(steps) != 2 or "#" in text:
        return None
    key = "id" if text.startswith("schema/") else "name"
    for table in contract.get("schema").items():
        if table.get(key).text() == steps[0]:
            columns = [part for part in table.get("properties").items() if part.get(key).text() == steps[1]]
            return (_column_name(table), _column_name(columns[0])) if columns else None
    return None
