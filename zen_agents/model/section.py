"""What all maps of the configuration have in common."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, GetCoreSchemaHandler, GetJsonSchemaHandler, TypeAdapter
from pydantic_core import CoreSchema, core_schema

from zen_agents.first_use import load
from zen_agents.model.scalars import Name


class Section(BaseModel):
    """A map of the configuration: unknown keys are refused, nothing changes after loading.

    What checks it is made when the first one is read, and once: that of a section within another is part of the other's.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


def part(description: str, **values: Any) -> Any:
    """Return the field of a section within a section: where nothing is written, it is read from these values."""
    return Field(values, validate_default=True, description=description)


def _built(model: str) -> Any:
    """Return a model with what reads and writes it: whoever reads a section of it uses that, and makes none of its own."""
    found = load(model)
    found.model_rebuild()
    return found


class Entries:
    """Annotation of a section that lists entries by name: their model, a `module:Class`, is loaded for the first entry."""

    def __init__(self, model: str) -> None:
        self._model = model

    @cached_property
    def type(self) -> Any:
        """The type of the whole section."""
        return dict[Name, _built(self._model)]  # type: ignore[misc]

    @cached_property
    def _adapter(self) -> TypeAdapter[Mapping[str, Any]]:
        return TypeAdapter(self.type)

    def _read(self, value: Any) -> Mapping[str, Any]:
        return {} if value == {} else self._adapter.validate_python(value)

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Return what reads the section; an error in an entry is told with its path."""
        del source, handler
        return core_schema.no_info_plain_validator_function(self._read)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """Return the schema for editors, which has them all."""
        del schema
        return handler(self._adapter.core_schema)


class Apart(Entries):
    """Annotation of a section that most do not have: its model, a `module:Class`, is loaded where it is written."""

    @cached_property
    def type(self) -> Any:
        """The section's model."""
        return _built(self._model)

    @cached_property
    def _adapter(self) -> TypeAdapter[Any]:
        return TypeAdapter(self.type | None)

    def _read(self, value: Any) -> Any:
        return None if value is None else self._adapter.validate_python(value)
