"""`packages apply`: have the engine upgrade what is due in a place, by its own guards, ledger and verification."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from zen_agents.agents.dependency_manager.looking import Looked
from zen_agents.cli.call import Call
from zen_agents.cli.envelope import data
from zen_agents.cli.packages_places import configured
from zen_agents.cli.render import note
from zen_agents.cli.through_engine import Wanted, ended, through_engine
from zen_agents.errors import UsageError

#: Who upgrades what; what is not here people upgrade themselves.
_ACTIONS: Final = {"pypi": "upgrade_python_packages", "debian": "upgrade_debian_packages"}
_WITHOUT: Final = (
    "upgrades are written down, watched and taken back by an engine. For one round alone: "
    "zen-agents once --agent dependency_manager --yes"
)


def apply(call: Call) -> int:
    """Judge, show, ask for a yes and act, place by place; the worst exit code of them."""
    done = through_engine(call, [_wanted(place) for place in _places(call)])
    if call.machine:
        data(call, "packages-apply", done)
    return ended(call, done)


def _wanted(place: Looked) -> Wanted:
    return Wanted(
        _ACTIONS[place.asked.ecosystem], place.target, f"looking at {place.asked.place}",
        f"upgrading {place.asked.place}: it is tried first, and watched afterwards", f"Upgrade {place.target}?", _WITHOUT,
    )  # fmt: skip


def _places(call: Call) -> Sequence[Looked]:
    """Return the listed places that can be upgraded, or the one that was named."""
    listed, name = configured(call), call.arguments.name
    found = [each for each in listed if not name or name in (each.label, each.target, each.asked.place)]
    if not found:
        known = ", ".join(each.label for each in listed) or "nothing"
        raise UsageError(f"{name or 'dependency_manager'} lists no place to upgrade; the configuration names: {known}")
    for each in found:
        if each.asked.ecosystem not in _ACTIONS:
            note(f"{each.label}: packages of {each.asked.ecosystem} are told of and not upgraded")
    return [each for each in found if each.asked.ecosystem in _ACTIONS]
