"""Upgrades a site and kills itself at one step of that: `python -m tests.support.upgrade_killed DIRECTORY STEP`.

STEP is `before:NAME` or `after:NAME`, of what is done to the stage.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.support.upgrading import UpgradeSite
from zen_agents.adapters import environment_stage


def killing(when: str, work: Callable[..., Any]) -> Callable[..., Any]:
    """Return the same, but that this process is killed before or after it."""

    def killed(*arguments: Any, **named: Any) -> Any:
        if when == "after":
            work(*arguments, **named)
        os.kill(os.getpid(), signal.SIGKILL)

    return killed


def main(directory: str, step: str) -> None:
    """Do it; a step that is never passed ends well."""
    when, _, name = step.partition(":")
    where: Any = environment_stage if name == "exchange_names" else environment_stage.EnvironmentStages
    setattr(where, name, killing(when, getattr(where, name)))
    asyncio.run(UpgradeSite(Path(directory)).act())


main(*sys.argv[1:])
