"""Names at once, what they stand for when it is first asked for: an engine loads what its configuration uses."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from importlib import import_module
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class FirstUse(Mapping[str, T], Generic[T]):
    """A mapping whose values are made when they are first asked for, each once."""

    def __init__(self, makers: Mapping[str, Callable[[], T]]) -> None:
        self._makers = makers
        self._made: dict[str, T] = {}

    def __getitem__(self, name: str) -> T:
        if name not in self._made:
            self._made[name] = self._makers[name]()
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._makers)

    def __len__(self) -> int:
        return len(self._makers)

    def __contains__(self, name: object) -> bool:
        return name in self._makers


def load(place: str) -> Any:
    """Return what a `module:name` says; raises ImportError or AttributeError."""
    module, _, name = place.partition(":")
    return getattr(import_module(module), name)


def later(make: Callable[[str], T], names: Iterable[str]) -> FirstUse[T]:
    """Return what `make` makes of each name."""
    return FirstUse({name: partial(make, name) for name in names})
