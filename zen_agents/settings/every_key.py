"""Every key that a configuration may have, walked along the grammar that the engine itself reads by; for the pages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import time, timedelta
from typing import Any, NamedTuple

from pydantic import BaseModel

from zen_agents import catalog
from zen_agents.model.quantities import format_duration
from zen_agents.settings.explain import Explained, explain
from zen_agents.settings.models import Settings
from zen_agents.settings.shape import Shape, root


class Key(NamedTuple):
    """One key, with the path that is printed: `NAME` for a name of one's choice, `[]` for an item of a list."""

    path: str
    shown: str
    shape: Shape


def every_key() -> Iterator[Key]:
    """Yield every key, each before what stands below it."""
    return _walk(root(), (), "")


def _walk(shape: Shape, path: tuple[str, ...], shown: str) -> Iterator[Key]:
    for name in shape.keys:
        below = shape.step(name)
        if below is not None:
            key = f"{shown}.{name}" if shown else name
            yield Key(".".join((*path, name)), key, below)
            yield from _walk(below, (*path, name), key)
    inner = None if shape.keys else shape.step("NAME")
    if inner is not None and inner.keys:
        free = explain(".".join(path)).type.startswith("map")
        yield from _walk(inner, (*path, "NAME"), f"{shown}.NAME" if free else f"{shown}[]")


class Defaults:
    """What holds without a key: what a section makes of its own parts may differ by place."""

    def __init__(self) -> None:
        self._agents: Mapping[str, Any] = {name: kind.Settings() for name, kind in catalog.AGENTS.items()}
        self._whole = Settings()

    def of(self, path: str, facts: Explained) -> str:
        """Return the value as it would be written, "" if there is none or the key is needed."""
        words = path.split(".")
        if "NAME" in words or facts.needed:
            return ""
        value: Any = self._agents[words[1]] if words[0] == "agents" else self._whole
        for word in words[2:] if words[0] == "agents" else words:
            value = _attribute(value, word)
        return _written(value) or facts.default


def _attribute(value: Any, name: str) -> Any:
    if isinstance(value, BaseModel):
        for own, field in type(value).model_fields.items():
            if name in (own, field.alias):
                return getattr(value, own)
    return None


def _written(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, timedelta):
        return format_duration(value)
    if isinstance(value, time):
        return f"{value:%H:%M}"
    if isinstance(value, int | float | str):
        return f"{value:g}" if isinstance(value, float) else str(value)
    return ""
