"""Packages: audits beside those of others, and upgrades beside what the installer alone needs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from scripts.benchmarks import packages_audit, packages_trial
from scripts.benchmarks.report import Figure


def figures(folder: Path, quick: bool) -> Sequence[Figure]:
    """Measure everything of this part."""
    return [*packages_audit.figures(folder, quick), *packages_trial.figures(quick)]
