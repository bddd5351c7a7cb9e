"""The upgrade of each place, with all its parameters: from the configuration alone, never from what was found (R17)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Final

from zen_agents.agents.dependency_manager.looking import Looked
from zen_agents.agents.dependency_manager.places import DebianSettings, EnvironmentSettings
from zen_agents.agents.system_health.areas.argv import account_of
from zen_agents.model.action import ActionRequest
from zen_agents.model.duration import seconds_in

_AGENT: Final = "dependency_manager"
#: What a question says of its place, for which actions have parameters of their own; and what is only for looking.
_OF_PLACE: Final = ("ecosystem", "place", "index", "wheels", "refresh_after_seconds")


def upgrade_of(place: Looked) -> ActionRequest | None:
    """Return the request that upgrades what is due in a place; None where people are only told."""
    match place.settings:
        case EnvironmentSettings() as environment if not environment.lacks_account:
            params = _of_environment(place.label, environment)
            return ActionRequest("upgrade_python_packages", place.target, {**_common(place), **params}, agent=_AGENT)
        case DebianSettings() as debian:
            params = {"packages": {}, "trial": debian.trial, "smoke": debian.smoke or (), "user": debian.user or ""}
            return ActionRequest("upgrade_debian_packages", place.target, {**_common(place), **params}, agent=_AGENT)
    return None


def _common(place: Looked) -> Mapping[str, Any]:
    return {name: value for name, value in asdict(place.asked).items() if name not in _OF_PLACE}


def _of_environment(name: str, environment: EnvironmentSettings) -> Mapping[str, Any]:
    return {
        "environment": name,
        "venv": environment.venv,
        "user": account_of(environment.user),
        "wheels": environment.wheels,
        "index": environment.index or "",
        "requirements": environment.requirements or "",
        "write_back": environment.write_back,
        "smoke": environment.smoke or (),
        "smoke_seconds": seconds_in(environment.smoke_timeout),
        "units": environment.units,
        "bake_seconds": seconds_in(environment.bake),
        "keep_seconds": seconds_in(environment.keep_for),
    }
