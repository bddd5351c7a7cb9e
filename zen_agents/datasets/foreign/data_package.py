"""Frictionless Data Package: a package of resources, each with its schema and dialect (standard 2.0 and version 1)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from zen_agents.datasets.foreign.descriptor import Part, RefusedContractError
from zen_agents.datasets.foreign.table_schema import read_table_schema
from zen_agents.datasets.foreign.translation import Draft, Translation

#: What a dialect may say that changes which rows there are, with what is the usual.
_ROWS: Final[Mapping[str, Any]] = {"headerRows": [1], "commentRows": [], "commentChar": ""}
_DIALECT_KEYS: Final = frozenset(
    {"$schema", "name", "title", "description", "delimiter", "quoteChar", "escapeChar", "header", "nullSequence",
     "doubleQuote", "lineTerminator", "csvddfVersion", *_ROWS}
)  # fmt: skip
#: What says nothing about the rows.
_RESOURCE_KEYS: Final = frozenset(
    {"name", "path", "schema", "dialect", "encoding", "$schema", "profile", "type", "title", "description", "format",
     "mediatype", "homepage", "sources", "licenses", "compression", "scheme"}
)  # fmt: skip


def read_data_package(package: Part, name: str = "") -> Translation:
    """Return the translation of the resource with this name, or of the only one; raises RefusedContractError."""
    found = {_resource_name(resource): resource for resource in package.get("resources").items()}
    if not found:
        raise RefusedContractError(package.get("resources").at, "a Data Package has `resources`")
    if not name and len(found) > 1:
        raise RefusedContractError("resources", f"which of them is meant: {', '.join(found)}?")
    if name and name not in found:
        raise RefusedContractError("resources", f"none is called {name!r}; there are: {', '.join(found)}")
    return read_resource(found[name or next(iter(found))])


def read_resource(resource: Part) -> Translation:
    """Return the translation of one resource; raises RefusedContractError for what is none."""
    draft = Draft(_resource_name(resource))
    draft.remark_others(resource, _RESOURCE_KEYS | {"hash", "bytes", "data"})
    for key in ("hash", "bytes", "data"):
        if resource.has(key):
            draft.remark(resource.get(key), "is not compared with what lies there")
    draft.paths = resource.get("path").texts()
    if resource.has("encoding"):
        draft.options = replace(draft.options, encoding=resource.get("encoding").text())
    _dialect(resource.get("dialect"), draft)
    schema = resource.get("schema")
    if not isinstance(schema.value, Mapping):
        raise RefusedContractError(schema.at, "the schema is not in the file itself; read that one as a contract instead")
    return read_table_schema(schema, draft)


def _resource_name(resource: Part) -> str:
    return resource.required("name", "a resource has a `name`").text()


def _dialect(dialect: Part, draft: Draft) -> None:
    if isinstance(dialect.value, str):
        raise RefusedContractError(dialect.at, "the dialect is not in the file itself; write it there")
    for key, usual in _ROWS.items():
        if dialect.has(key) and dialect.get(key).value != usual:
            raise RefusedContractError(dialect.get(key).at, "rows that are no data cannot be left out")
    draft.remark_others(dialect, _DIALECT_KEYS)
    if dialect.value is None:
        return
    if dialect.get("doubleQuote").value is False and not dialect.has("escapeChar"):
        draft.remark(dialect.get("doubleQuote"), "two quotes within a quoted value are read as one all the same")
    if dialect.get("lineTerminator").text("\n") not in ("\n", "\r\n"):
        raise RefusedContractError(dialect.get("lineTerminator").at, "lines end with LF or CRLF")
    quote = dialect.get("quoteChar").text()
    escape = dialect.get("escapeChar").text()
    header = dialect.get("header").flag() if dialect.has("header") else None
    draft.options = replace(
        draft.options, delimiter=dialect.get("delimiter").text(), quote=quote, escape=escape, header=header
    )  # fmt: skip
    if dialect.has("nullSequence"):
        draft.options = replace(draft.options, nulls=(dialect.get("nullSequence").text(),))
