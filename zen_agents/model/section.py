"""What all maps of the configuration have in common."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class Section(BaseModel):
    """A map of the configuration: unknown keys are refused, nothing changes after loading.

    What checks it is made when the first one is read, and once: that of a section within another is part of the other's.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


def part(description: str, **values: Any) -> Any:
    """Return the field of a section within a section: where nothing is written, it is read from these values."""
    return Field(values, validate_default=True, description=description)
