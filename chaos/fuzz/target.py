"""The targets, found by their files."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from chaos.fuzz import targets as package


@dataclass(frozen=True, slots=True)
class Target:
    """One parser under test."""

    name: str
    #: What the file says of itself, in one line.
    about: str
    fuzz: Callable[[bytes], None]
    seeds: Sequence[bytes]
    words: Sequence[bytes]


def names() -> tuple[str, ...]:
    """Return the names of all targets, in order."""
    return tuple(sorted(module.name for module in pkgutil.iter_modules(package.__path__)))


def load(name: str) -> Target:
    """Return a target, imported only now; KeyError if there is none of that name."""
    if name not in names():
        raise KeyError(name)
    module = importlib.import_module(f"{package.__name__}.{name}")
    about = (module.__doc__ or "").split("\n", 1)[0]
    return Target(name, about, module.fuzz, module.SEEDS, getattr(module, "WORDS", ()))
