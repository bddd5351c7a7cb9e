"""An engine with a service that keeps dying is killed at any moment of its life, again and again."""

from __future__ import annotations

import time
from pathlib import Path
from random import Random

from chaos.durability.campaign import Finding, Round, in_rounds
from chaos.durability.recovery import broken, judged
from chaos.durability.scene import PATIENCE_SECONDS, Scene
from chaos.waiting import pause, wait_until

#: Kills on one state before the next round begins on nothing.
KILLS_A_ROUND = 20
#: It is killed so long at most after its start, or after it has recovered (seconds).
LONGEST_LIFE = 2.0
#: A killed engine has judged what it had begun, and watches again, within this (seconds).
RECOVERED_WITHIN = 5.0
#: How often the service dies of itself (seconds after its start).
_SERVICE_LIVES = 0.4
#: Every second round runs into its hourly limit.
_LIMITS = (10_000, 5)


def rounds(count: int, seed: int, *, within: float = RECOVERED_WITHIN, longest_life: float = LONGEST_LIFE) -> list[Round]:
    """Return rounds of so many kills in all; each is repeatable by its name, but for what the kernel schedules."""

    def go(name: str, number: int, kills: int, folder: Path) -> Finding:
        scene = Scene(folder, service_lives=_SERVICE_LIVES, repairs_per_hour=_LIMITS[number % 2])
        try:
            chance = Random(name)  # noqa: S311 - it has to be repeatable, not secret
            return _Loop(scene, chance, within, longest_life).run(name, kills)
        finally:
            scene.end()

    return in_rounds(count, seed, go, most=KILLS_A_ROUND)


class _Loop:
    """One engine after the other on one state."""

    def __init__(self, scene: Scene, chance: Random, within: float, longest_life: float) -> None:
        self._scene, self._chance, self._within, self._longest_life = scene, chance, within, longest_life
        self._problems: list[str] = []
        self._seconds: list[float] = []
        self._unfinished = 0

    def run(self, name: str, kills: int) -> Finding:
        for number in range(kills):
            self._live(self._chance.uniform(0.0, self._longest_life), recovers=self._chance.random() < 0.5)
            self._scene.crash()
            self._look(number)
        self._live(0.0, recovers=True)
        self._scene.crash()
        self._problems += judged(self._scene)
        return Finding(name, kills, tuple(self._problems), self._unfinished, tuple(self._seconds))

    def _live(self, seconds: float, *, recovers: bool) -> None:
        """Let an engine run for a while, counted from its start or from when it has recovered."""
        meant = {row.id for row in self._scene.actions() if not row.kind.is_final}
        began = time.monotonic()
        self._scene.engine.start(wait=False)
        if recovers:
            wait_until(lambda: self._has_recovered(meant), "the recovery", seconds=PATIENCE_SECONDS, every=0.05)
            self._seconds.append(time.monotonic() - began)
        pause(seconds)
        if self._scene.exit_code is not None:
            self._problems.append(f"the engine ended with {self._scene.exit_code}: {self._scene.said}")
        elif recovers and self._seconds[-1] > self._within:
            self._problems.append(f"it had recovered after {self._seconds[-1]:.1f} s, not within {self._within:g} s")

    def _has_recovered(self, meant: set[str]) -> bool:
        if self._scene.exit_code is not None:
            return True
        if self._scene.engine.status() is None:
            return False
        return all(row.kind.is_final for row in self._scene.actions() if row.id in meant)

    def _look(self, number: int) -> None:
        rows = self._scene.actions()
        self._unfinished += any(not row.kind.is_final for row in rows)
        if rows:
            self._problems += [f"after kill {number}: {what}" for what in broken(self._scene.engine.state)]
