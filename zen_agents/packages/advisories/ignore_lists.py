"""Reads lists of what people have decided to live with."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from zen_agents.packages.advisories.ignoring import Ignore


class MalformedIgnoreListError(ValueError):
    """The list of what is ignored cannot be understood; nothing is ignored by it."""


_Text = Annotated[str, Field(min_length=1, max_length=1000, pattern=r"\S")]


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid")
    advisory: _Text
    reason: _Text
    until: date
    package: str = ""


def ignore_list(entries: Any) -> tuple[Ignore, ...]:
    """Return the decisions that a list of mappings holds; MalformedIgnoreListError says where it is wrong."""
    try:
        read = TypeAdapter(list[_Entry]).validate_python(entries or [])
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        number, *key = first["loc"] or ("",)
        place = f"entry {int(number) + 1}" if isinstance(number, int) else "the list"
        raise MalformedIgnoreListError(
            f"{place}: {' '.join(map(str, key))} {first['msg'].lower()}".replace(":  ", ": ")
        ) from None
    return tuple(Ignore(each.advisory, each.reason, each.until, each.package) for each in read)
