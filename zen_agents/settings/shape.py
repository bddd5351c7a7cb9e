"""What may stand where: the grammar, walked along the models' annotations."""

from __future__ import annotations

import types
from collections.abc import Mapping
from enum import Enum
from functools import cached_property
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from zen_agents import catalog
from zen_agents.first_use import later
from zen_agents.model.section import Entries
from zen_agents.settings.nodes import Path


class Shape:
    """The grammar at one path. Children are made when asked for, once."""

    def __init__(self, annotation: Any, field: FieldInfo | None = None) -> None:
        self._annotation = annotation
        self.field = field
        self._steps: dict[str, Shape | None] = {}

    @cached_property
    def members(self) -> tuple[Any, ...]:
        """The members of a union, or the one type, without `Annotated` and without None."""
        return tuple(_members(self._annotation))

    @cached_property
    def _is_uniform(self) -> bool:
        """True if every key and index has the same shape below it."""
        return not self.models and not any(isinstance(member, Mapping) for member in self.members)

    @property
    def models(self) -> tuple[type[BaseModel], ...]:
        """The models that can stand here."""
        return tuple(member for member in self.members if isinstance(member, type) and issubclass(member, BaseModel))

    @property
    def is_container(self) -> bool:
        """True if a map or a list stands here."""
        return any(_is_container(member) for member in self.members)

    @property
    def lists(self) -> bool:
        """True for a map of entries by names of one's own."""
        return any(_is_free_map(member) for member in self.members)

    @property
    def keys(self) -> dict[str, FieldInfo | None]:
        """The keys of a map with a fixed set of them, by the name that is written."""
        keys: dict[str, FieldInfo | None] = {}
        for member in self.members:
            if isinstance(member, Mapping):
                keys |= dict.fromkeys(member)
        for model in self.models:
            keys |= {field.alias or name: field for name, field in model.model_fields.items() if not field.exclude}
        return keys

    @property
    def choices(self) -> tuple[str, ...]:
        """The words that can stand here, if it is a closed set."""
        words: list[str] = []
        for member in self.members:
            if get_origin(member) is Literal:
                words += [str(word) for word in get_args(member)]
            elif isinstance(member, type) and issubclass(member, Enum):
                words += [str(choice.value) for choice in member]
        return tuple(words)

    def step(self, key: str | int) -> Shape | None:
        """Return the shape below a key or index, None if there is none."""
        name = "*" if self._is_uniform else str(key)
        if name not in self._steps:
            self._steps[name] = self._make(name)
        return self._steps[name]

    def at(self, path: Path) -> Shape | None:
        """Return the shape at a path below this one."""
        shape: Shape | None = self
        for step in path:
            shape = shape.step(step) if shape is not None else None
        return shape

    def _make(self, name: str) -> Shape | None:
        below: list[Any] = []
        field: FieldInfo | None = None
        for member in self.members:
            if isinstance(member, Mapping):
                found = member.get(name)
                field = found if isinstance(found, FieldInfo) else None
                below += [_annotation(field) if field else found] if found is not None else []
            elif isinstance(member, type) and issubclass(member, BaseModel):
                if known := self.keys.get(name):
                    below.append(_annotation(known))
                    field = known
            elif inner := _inner(member):
                below.append(inner)
        return Shape(below[0] if len(below) == 1 else Union[tuple(below)], field) if below else None  # noqa: UP007


def root() -> Shape:
    """Return the grammar of the whole file, with the agents and actions of the catalog."""
    from zen_agents.settings.models import ActionsSettings, Settings  # noqa: PLC0415 - models need nothing from here

    top: dict[str, Any] = {name: field for name, field in Settings.model_fields.items() if not field.exclude}
    allow = later(lambda name: catalog.ACTIONS[name].Policy, catalog.ACTIONS)
    top["agents"] = later(lambda name: catalog.AGENTS[name].Settings, catalog.AGENTS)
    top["actions"] = {"default": ActionsSettings.model_fields["default"], "allow": allow}
    return Shape(top)


def _annotation(field: FieldInfo) -> Any:
    return next((each for each in field.metadata if isinstance(each, Entries)), field.annotation)


def validators(shape: Shape) -> str:
    """Return the names of the functions that read a scalar here, one after another, from all its annotations."""
    found = [*(shape.field.metadata if shape.field else ()), *_metadata(shape.field.annotation if shape.field else None)]
    return " ".join(getattr(getattr(each, "func", None), "__name__", "") for each in found)


def _metadata(annotation: Any) -> list[Any]:
    if get_origin(annotation) is Annotated:
        return list(get_args(annotation)[1:])
    if get_origin(annotation) in (Union, types.UnionType):
        return [each for member in get_args(annotation) for each in _metadata(member)]
    return []


def _members(annotation: Any) -> list[Any]:
    if isinstance(annotation, Mapping):
        return [annotation]
    if isinstance(annotation, Entries):
        return [annotation.type]
    origin = get_origin(annotation)
    if origin is Annotated:
        return _members(get_args(annotation)[0])
    if origin in (Union, types.UnionType):
        return [member for each in get_args(annotation) if each is not type(None) for member in _members(each)]
    return [annotation]


def _is_container(member: Any) -> bool:
    if isinstance(member, Mapping) or (isinstance(member, type) and issubclass(member, (BaseModel, dict, list, tuple))):
        return True
    origin = get_origin(member)
    return isinstance(origin, type) and issubclass(origin, (Mapping, list, tuple, set, frozenset))


def _is_free_map(member: Any) -> bool:
    origin = get_origin(member)
    return isinstance(origin, type) and issubclass(origin, Mapping)


def _inner(member: Any) -> Any:
    """Return what a list or a free map holds."""
    origin, arguments = get_origin(member), get_args(member)
    if isinstance(origin, type) and issubclass(origin, Mapping) and len(arguments) == 2:
        return arguments[1]
    if isinstance(origin, type) and issubclass(origin, (list, tuple, set, frozenset)) and arguments:
        return arguments[0]
    return None
