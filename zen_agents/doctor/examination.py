"""One examination: what is looked at, and what each check answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any

from zen_agents.dataclass import dataclass
from zen_agents.settings.loader import Loaded


class State(StrEnum):
    """How it is; `unknown` is neither well nor bad."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "FAILED"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found."""

    state: State
    text: str
    #: What to do about it; "" if nothing is to be done.
    fix: str = ""


def fine(text: str) -> Finding:
    """Return that all is well."""
    return Finding(State.OK, text)


@dataclass(frozen=True, slots=True)
class Site:
    """What is known of this installation before anything is examined."""

    state_dir: Path
    environ: Mapping[str, str]
    #: What `zen-agents status` shows of the running engine; None if it does not answer.
    status: Mapping[str, Any] | None
    #: Its process; None if none lives.
    engine_pid: int | None = None
    #: None if no configuration was found.
    loaded: Loaded | None = None
    #: False: nothing is connected to.
    online: bool = True
    #: Where the host's files are.
    root: Path = Path("/")

    def path(self, name: str) -> Path:
        """Return a file of the host."""
        return self.root / name.lstrip("/")


Check = Callable[[Site], Finding]


def examine(site: Site, checks: Mapping[str, Check]) -> Mapping[str, Finding]:
    """Ask every check, in order; one that cannot tell is `unknown` and keeps no other from being asked."""
    return {name: _asked(check, site) for name, check in checks.items()}


def _asked(check: Check, site: Site) -> Finding:
    try:
        return check(site)
    except Exception as error:  # an examination has to reach its end, on a broken host above all
        text = " ".join(str(error).split()) or type(error).__name__
        return Finding(State.UNKNOWN, f"cannot be told: {text}", "run it as root, or as the engine's account")


def worst(findings: Sequence[Finding], otherwise: str) -> Finding:
    """Return the first of the worst, FAILED before `unknown` before `warning`; without any, that all is well."""
    ranks = (State.FAILED, State.UNKNOWN, State.WARNING)
    found = [finding for rank in ranks for finding in findings if finding.state is rank]
    return found[0] if found else fine(otherwise)
