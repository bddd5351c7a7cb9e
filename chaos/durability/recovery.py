"""What must hold when an engine is started again on what a crash or a power cut left."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from chaos.durability.scene import LOOK_EVERY_SECONDS, PATIENCE_SECONDS, Scene
from chaos.invariants import violations
from chaos.waiting import wait_until
from zen_agents.errors import StoreError


@dataclass(frozen=True, slots=True)
class Recovery:
    """How a restart went; nothing wrong if `problems` is empty."""

    problems: tuple[str, ...]
    #: From the start to the engine's first answer with nothing left to verify and its service up.
    seconds: float


def recover(scene: Scene, meant: Sequence[str] = (), *, whole: Callable[[], bool] = lambda: True) -> Recovery:
    """Start the engine unharmed, wait until it has verified what was unfinished, and ask the oracle.

    `whole` tells whether the files of others are as they must be. `meant` are ids of intents that were durable before: each
    must be there. The engine is killed then, so that what the oracle reads stands still; the service goes on.
    """
    scene.environment, scene.failing = {}, False
    began = time.monotonic()
    scene.start()
    _lift_what_outlives_a_restart(scene)
    wait_until(
        lambda: _is_over(scene) and whole(), "every outcome, the service and the files of others", seconds=PATIENCE_SECONDS,
        every=LOOK_EVERY_SECONDS,
    )  # fmt: skip
    seconds = time.monotonic() - began
    scene.crash()
    return Recovery((*_lost(scene, meant), *judged(scene)), seconds)


def _lift_what_outlives_a_restart(scene: Scene) -> None:
    """Say for the person who has looked that the engine may act again."""
    status = scene.status()
    if any("EMERGENCY STOP" in line for line in status["abnormal"]):
        scene.ask("resume_emergency", confirm=status["host"])
    if any("SAFE MODE" in line for line in status["abnormal"]):
        scene.ask("safe_mode", on=False, reason="the disk is whole again")


def judged(scene: Scene) -> tuple[str, ...]:
    """Return what the oracle has against the state as it is, and against what runs."""
    running = len(scene.services())
    return (*broken(scene.engine.state), *([f"{running} processes of one service run"] if running > 1 else []))


def broken(state: Path) -> tuple[str, ...]:
    """Return what the oracle has against a state."""
    try:
        return tuple(str(each) for each in violations(state))
    except StoreError as error:
        return (f"the record cannot be read: {error}",)


def _is_over(scene: Scene) -> bool:
    rows = scene.actions()
    return bool(scene.services()) and all(row.kind.is_final for row in rows)


def _lost(scene: Scene, meant: Sequence[str]) -> tuple[str, ...]:
    there = {row.id for row in scene.actions()}
    return tuple(f"{id} was durable, and is gone" for id in meant if id not in there)
