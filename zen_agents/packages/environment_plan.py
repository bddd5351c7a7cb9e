"""What an upgrade of one Python environment is, of what its resolver found."""

from __future__ import annotations

from collections.abc import Sequence

from zen_agents.model.environment import Resolution
from zen_agents.packages.package import Ecosystem
from zen_agents.packages.plan import Change, UpdateKind, UpgradePlan


def environment_plan(venv: str, found: Resolution, restarts: Sequence[str]) -> UpgradePlan:
    """Return it as policy judges it. What is there now is kept whole, so it can always be given back."""
    changes = [
        Change(step.name, step.installed, step.wanted, step.fixes, UpdateKind(step.kind))
        for step in found.steps
        if step.installed and step.wanted
    ]
    adds = [f"{step.name} {step.wanted}" for step in found.steps if not step.installed]
    removes = [step.name for step in found.steps if not step.wanted]
    return UpgradePlan(
        Ecosystem.PYPI, venv, tuple(changes), adds=tuple(adds), removes=tuple(removes), restarts=tuple(restarts)
    )
