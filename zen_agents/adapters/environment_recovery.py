"""After a crash: an environment that had not shown that it works is put back, and what was kept for long enough goes."""

from __future__ import annotations

import logging
import subprocess
from collections.abc import Sequence
from pathlib import Path

from zen_agents.adapters.environment_notes import StageNote
from zen_agents.adapters.environment_stage import EnvironmentStages, identity_at
from zen_agents.adapters.launcher import PATH
from zen_agents.adapters.quarantine import Quarantine
from zen_agents.clock import Clock
from zen_agents.errors import ZenError

log = logging.getLogger("zen_agents.environment_recovery")

_SYSTEMCTL_SECONDS = 10.0


def recover(state_dir: Path, quarantine: Quarantine, clock: Clock) -> None:
    """Look at every stage that an earlier engine left; what cannot be done now is told, and done at the next start."""
    stages, now = EnvironmentStages(state_dir, quarantine, clock), clock.now().wall.timestamp()
    for note in stages.notes.all():
        try:
            _recover(note, stages, now)
        except (ZenError, OSError) as error:
            log.warning("the stage %s of %s is left: %s", note.stage, note.id, error)


def _recover(note: StageNote, stages: EnvironmentStages, now: float) -> None:
    if note.proven:
        if note.keep_until <= now:
            stages.discard(note.id)
    elif note.after and identity_at(note.venv) == note.after:
        log.warning("%s did not come to its end: %s is put back as it was before", note.id, note.venv)
        stages.switch_back(note.id)
        _restart(note.restarted)
    else:
        stages.discard(note.id)


def _restart(units: Sequence[str]) -> None:
    """Have systemd restart who runs on what is not there any more; how that goes is seen by the checks."""
    if not units:
        return
    try:
        subprocess.run(
            ["systemctl", "restart", "--no-block", "--", *units], env={"PATH": PATH, "LANG": "C.UTF-8"}, check=True,
            capture_output=True, timeout=_SYSTEMCTL_SECONDS,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError) as error:
        log.warning("%s could not be restarted: %s", ", ".join(units), error)
