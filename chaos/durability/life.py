"""What an engine goes through, from what is there before it to what must hold whenever it ended."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from chaos.durability.scene import Scene


def nothing(scene: Scene) -> None:
    """Leave the scene as it is."""


def always(scene: Scene) -> bool:  # noqa: ARG001 - nothing of it can be lost
    """Find the scene whole."""
    return True


@dataclass(frozen=True, slots=True)
class Life:
    """One course of things; it may end early by a crash."""

    name: str
    #: What is there before it starts.
    before: Callable[[Scene], None]
    course: Callable[[Scene], None]
    #: What else is configured, also of the engine that is started on what was left.
    configured: Callable[[Scene], None] = nothing
    #: What holds of the files of others as soon as nothing is under way.
    whole: Callable[[Scene], bool] = always
    #: Whether all its changes are made by the engine itself, and seen: what a worker changes is not.
    all_seen: bool = True
