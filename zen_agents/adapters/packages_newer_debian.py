"""Which versions of this host's Debian packages can be had, as apt says."""

from __future__ import annotations

from collections.abc import Sequence

from zen_agents.adapters.apt_look import look
from zen_agents.adapters.packages_newer import NotAskedError
from zen_agents.model.debian_upgrade import DebianQuestion
from zen_agents.packages.updates import Available


def newer_debian() -> tuple[Available, Sequence[str]]:
    """Return all later versions that apt would install, and what is held by `apt-mark hold`; raises NotAskedError.

    A pin that keeps the installed version keeps the later ones out of reach: what apt would not choose cannot be had.
    """
    found = look(DebianQuestion())
    if found.problems:
        raise NotAskedError("; ".join(found.problems[:3]))
    own = [each for each in found.candidates if ":" not in each.name]
    had = {each.name: each.later for each in own if each.candidate != each.installed}
    return Available(had, is_whole=True), [each.name for each in own if each.is_held]
