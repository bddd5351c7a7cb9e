"""What the command line says about a run, and the configuration that it names."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from zen_agents.dataclass import dataclass
from zen_agents.errors import UsageError
from zen_agents.settings.apart import load_lean
from zen_agents.settings.loader import Loaded


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line says about a run."""

    config: Sequence[Path]
    state_dir: Path
    dry_run: bool = False
    #: A mode safer than the file's; None keeps the file's.
    mode: str | None = None
    #: Only these agents; empty means all.
    agents: frozenset[str] = frozenset()
    #: Digests of the plans that may run; None means any.
    only_plans: frozenset[str] | None = None


def load_settings(options: Options) -> Loaded:
    """Load the configuration; SettingsError with every diagnostic if it is not valid.

    Raises UsageError if the options name an agent that is not in it: nothing would be watched, and nobody told.
    """
    flags = {"mode": options.mode} if options.mode else {}
    loaded = load_lean(options.config, os.environ, flags=flags)
    known = loaded.require().agents
    for name in sorted(options.agents.difference(known)):
        raise UsageError(f"there is no agent {name!r} in the configuration; there are: {', '.join(known) or 'none'}")
    return loaded
