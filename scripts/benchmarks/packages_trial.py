"""An upgrade of an environment of 50 packages, tried and put in place, beside what uv alone needs to build that environment.

All of it is offline, from a local directory of wheels, with nothing kept from an earlier run.
"""

from __future__ import annotations

import asyncio
import shutil
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from scripts.benchmarks.report import Figure, median, skipped, spread
from tests.support.upgrading import UpgradeSite, why_no_trials
from tests.support.wheelhouse import make_environment, write_wheel

_PACKAGES: Final = 50
#: Modules in each, and lines in each of those: some 3,000 files and 18 MB, as a web application has without its numbers.
_MODULES: Final = 60
_LINES: Final = 150
#: The goal.
_TIMES_UV: Final = 1.5


def figures(quick: bool) -> Sequence[Figure]:
    """Measure everything of this part."""
    name = f"trial and apply of one fix among {_PACKAGES} packages"
    if why := why_no_trials():
        return [skipped(name, why)]
    # Where every account may enter: what is tried runs as another one.
    folder = Path(tempfile.mkdtemp(prefix="zen-agents-bench-"))
    folder.chmod(0o755)
    try:
        return _figures(name, _ManyPackages(folder), 3 if quick else 9)
    finally:
        shutil.rmtree(folder)


def _figures(name: str, site: _ManyPackages, trials: int) -> Sequence[Figure]:
    alone, plans, ours = list[float](), list[float](), list[float]()
    for number in range(trials):
        alone.append(site.built_by_uv(number))
        planned, done = asyncio.run(site.upgraded())
        plans.append(planned)
        ours.append(done)
    beside = f"goal: {_TIMES_UV} times what uv alone needs to build it, {spread(alone, 's')}"
    return [
        Figure(name, median(ours), "s", median(alone) * _TIMES_UV, samples=ours, note=beside),
        Figure("planning that: what is due, the least upgrade", median(plans), "s", samples=plans),
    ]


class _ManyPackages(UpgradeSite):
    """An environment of many packages, one of them weak."""

    def make(self) -> None:
        for number in range(_PACKAGES):
            self._write(f"lib{number}", "1.0")
        self._write("lib0", "1.0.1")
        self.state.mkdir(mode=0o700)
        self.osv.mkdir()
        self.advise("lib0", "1.0.1")
        make_environment(self.venv, self.wheels, self._pins)

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self._pins = [f"lib{number}==1.0" for number in range(_PACKAGES)]
        self.make()

    def built_by_uv(self, number: int) -> float:
        """Return how long uv takes to build the environment from nothing (seconds)."""
        place = self.directory / f"alone-{number}"
        place.mkdir()
        began = time.monotonic()
        make_environment(place / "venv", self.wheels, self._pins)
        took = time.monotonic() - began
        shutil.rmtree(place)
        return took

    async def upgraded(self) -> tuple[float, float]:
        """Upgrade it and take that back; return how long planning took, and trial and switch (seconds)."""
        began = time.monotonic()
        plan = await self.plan()
        planned = time.monotonic()
        effect = await self.action.execute(plan, self.control())
        done = time.monotonic()
        if not effect.ok:
            raise RuntimeError(effect.detail)
        await self.control("act-back").switch_environment_back(str(effect.undo["kept"]))
        return planned - began, done - planned

    def _write(self, name: str, version: str) -> None:
        text = "".join(f"VALUE_{line} = 'line {line} of a module'\n" for line in range(_LINES))
        modules: dict[str, Any] = {f"{name}/module_{number}.py": text for number in range(_MODULES)}
        write_wheel(self.wheels, name, version, modules={f"{name}/__init__.py": "", **modules})
