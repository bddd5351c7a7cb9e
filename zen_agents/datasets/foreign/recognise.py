"""Which of the formats a parsed file is in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from zen_agents.datasets.foreign.data_package import read_data_package, read_resource
from zen_agents.datasets.foreign.descriptor import Part, RefusedContractError
from zen_agents.datasets.foreign.json_schema import read_json_schema
from zen_agents.datasets.foreign.odcs import read_odcs
from zen_agents.datasets.foreign.table_schema import read_table_schema
from zen_agents.datasets.foreign.translation import Translation


def _is_odcs(file: Mapping[str, Any]) -> bool:
    return file.get("kind") == "DataContract" or ("apiVersion" in file and isinstance(file.get("schema"), list))


def _is_json_schema(file: Mapping[str, Any]) -> bool:
    return isinstance(file.get("properties"), dict) or "json-schema.org" in str(file.get("$schema", ""))


#: Format -> how a file in it is told from the others, in this order.
_SIGNS: Mapping[str, Callable[[Mapping[str, Any]], bool]] = {
    "Open Data Contract Standard": _is_odcs,
    "Data Package": lambda file: isinstance(file.get("resources"), list),
    "Table Schema": lambda file: isinstance(file.get("fields"), list),
    "Data Resource": lambda file: isinstance(file.get("schema"), dict) and "path" in file,
    "JSON Schema": _is_json_schema,
}

#: The keys by which a file is told to be in one of them.
SIGNS: Final = ("resources", "fields", "properties")


def format_of(parsed: object) -> str:
    """Return what a parsed YAML or JSON file is: a word for people; "" if it is none of the community's formats."""
    if not isinstance(parsed, dict):
        return ""
    return next((name for name, fits in _SIGNS.items() if fits(parsed)), "")


def read_foreign(parsed: object, name: str = "") -> Translation:
    """Return the translation of a parsed file; of a format with several tables, that of the one with this name.

    Raises RefusedContractError, with the place, for what is in none of the formats or breaks the rules of its own.
    """
    part = Part(parsed)
    match format_of(parsed):
        case "Open Data Contract Standard":
            return read_odcs(part, name)
        case "Data Package":
            return read_data_package(part, name)
        case "Data Resource":
            return read_resource(part)
        case "Table Schema":
            return read_table_schema(part)
        case "JSON Schema":
            return read_json_schema(part)
    raise RefusedContractError(
        "", "this is no contract: no Table Schema, Data Package, JSON Schema or Open Data Contract Standard either"
    )  # fmt: skip
