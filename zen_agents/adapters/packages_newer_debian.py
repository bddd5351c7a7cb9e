"""Which versions of this host's Debian packages can be had, as apt says."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from zen_agents.adapters.apt_look import look
from zen_agents.adapters.apt_programs import AptError
from zen_agents.adapters.apt_state import lists_age_seconds
from zen_agents.adapters.packages_newer import NotAskedError
from zen_agents.model.debian_upgrade import DebianCandidate, DebianQuestion
from zen_agents.model.duration import duration
from zen_agents.packages.updates import Available


class NewerDebian(NamedTuple):
    """What apt says."""

    #: All later versions that apt would install, up to the one that it would choose.
    available: Available
    #: What is held by `apt-mark hold`.
    held: Sequence[str]
    #: Why that may not be all, "" if it is.
    untold: str


def newer_debian(*, refresh_after_seconds: float = 0.0) -> NewerDebian:
    """Return what can be had, by lists that are fetched anew if they are older; NotAskedError if apt could not be asked.

    A pin that keeps the installed version keeps the later ones out of reach: what apt would not choose cannot be had.
    """
    found = look(DebianQuestion(refresh_after_seconds=refresh_after_seconds))
    untold = "; ".join(found.problems[:3])
    if untold and not found.candidates:
        raise NotAskedError(untold)
    own = [each for each in found.candidates if ":" not in each.name]
    had = {each.name: _up_to_candidate(each) for each in own if each.candidate != each.installed}
    return NewerDebian(Available(had, is_whole=True), [each.name for each in own if each.is_held], untold)


def age_of_lists() -> str:
    """Return how old the package lists are, in words; "" if that cannot be told."""
    try:
        age = lists_age_seconds()
    except (AptError, OSError):
        return ""
    return f"apt's package lists were fetched {duration(age)} ago" if age != float("inf") else ""


def _up_to_candidate(found: DebianCandidate) -> Sequence[str]:
    """Return the later versions without those that a pin keeps apt from, as backports are."""
    behind = found.later.index(found.candidate) + 1 if found.candidate in found.later else len(found.later)
    return found.later[:behind]
