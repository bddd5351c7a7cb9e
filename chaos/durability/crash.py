"""One seam, one way to fail: an engine meets it in a life of its own, and is started again on what it leaves."""

from __future__ import annotations

import signal
from dataclasses import dataclass
from pathlib import Path

from chaos.durability.campaign import Finding, Round
from chaos.durability.disk_calls import Fault, environment
from chaos.durability.life import Life
from chaos.durability.lives import LIVES
from chaos.durability.recovery import recover
from chaos.durability.scene import Crashed, Scene
from chaos.durability.seams import SEAMS, Seam

_LIVES = {life.name: life for life in LIVES}
_KILLED = ("before", "after", "torn")


@dataclass(frozen=True, slots=True)
class Case:
    """One seam failing in one way."""

    seam: Seam
    mode: str

    @property
    def name(self) -> str:
        return f"{self.seam.name}:{self.mode}"

    @property
    def life(self) -> Life:
        return _LIVES[self.seam.life]


CASES = tuple(Case(seam, mode) for seam in SEAMS for mode in seam.modes)


def run(case: Case, folder: Path) -> tuple[str, ...]:
    """Live it in a folder, start again, and return what was wrong; raises NoCompilerError."""
    scene = Scene(folder)
    try:
        case.life.configured(scene)
        case.life.before(scene)
        fault = Fault(case.seam.call, case.seam.on(scene.disk), case.mode)
        scene.environment = environment(*scene.roots, fault=fault)
        scene.failing = case.mode not in _KILLED
        return (*_lived(case, scene), *_again(case, scene))
    finally:
        scene.end()


def _lived(case: Case, scene: Scene) -> tuple[str, ...]:
    try:
        case.life.course(scene)
    except Crashed:
        code = scene.exit_code
        if case.mode in _KILLED:
            # A person's command may be what was killed; then the engine lives.
            return () if code in (-signal.SIGKILL, None) else (f"it ended with {code} instead of being killed",)
        # An engine that cannot even begin says why and ends; whoever starts it hears.
        return () if code in (1, 3, 4, 5) and "Traceback" not in scene.said else (f"it ended with {code}: {scene.said}",)
    return (f"{case.seam.name} was not passed",) if case.mode in _KILLED else ()


def _again(case: Case, scene: Scene) -> tuple[str, ...]:
    meant = [row.id for row in scene.actions()]
    scene.crash()
    return recover(scene, meant, whole=lambda: case.life.whole(scene) and not scene.left_over()).problems


def rounds() -> list[Round]:
    """Return a round for each seam and each way to fail."""
    return [_round(case) for case in CASES]


def _round(case: Case) -> Round:
    return Round(case.name, lambda folder: Finding(case.name, 1, run(case, folder)))
