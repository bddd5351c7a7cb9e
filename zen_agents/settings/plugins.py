"""Agents, checks and actions of other packages: only those that the host's own file names (R21)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from zen_agents import catalog
from zen_agents.actions.base import Action
from zen_agents.agents.base import BaseAgent
from zen_agents.checks.base import Check
from zen_agents.settings.diagnostics import Report
from zen_agents.settings.nodes import Node, Origin
from zen_agents.settings.trust import distrust

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

#: Entry-point group -> what it brings, and the catalog's word for it. Guards never come from outside.
GROUPS: dict[str, tuple[type, str]] = {
    "zen_agents.agents": (BaseAgent, "agents"),
    "zen_agents.checks": (Check, "checks"),
    "zen_agents.actions": (Action, "actions"),
}


def load_plugins(root: Node, euid: int, report: Report) -> None:
    """Add to the catalog what the packages under `plugins:` bring; what cannot be had is an error at their name."""
    node = root.get("plugins")
    if node is None or not node.is_list or not node.value:
        return
    for item in node.value:
        if item.place.document.origin is not Origin.FILE:
            report.error("ZC406", "plug-ins are named in the host's own file, not in a drop-in", item)
        elif isinstance(item.value, str):
            _load(item, euid, report)


def _load(item: Node, euid: int, report: Report) -> None:
    from importlib.metadata import PackageNotFoundError, distribution  # noqa: PLC0415 - only for files that name plug-ins

    try:
        points = [point for point in distribution(item.value).entry_points if point.group in GROUPS]
    except (PackageNotFoundError, ValueError):
        report.error("ZC303", f"the package `{item.value}` is not installed here", item)
        return
    if not points:
        report.error("ZC406", f"the package `{item.value}` brings no agents, checks or actions", item)
    for why in (why for point in points if (why := _add(point, euid))):
        report.error("ZC406", f"the plug-in `{item.value}` cannot be used: {why}", item)


def _add(point: EntryPoint, euid: int) -> str:
    """Add one entry point to the catalog; return why it cannot be, "" if it was."""
    kind, word = GROUPS[point.group]
    if why := _distrust_package(point.module.partition(".")[0], euid):
        return why
    try:
        found: Any = point.load()
    except Exception as error:  # somebody else's code: whatever it raises, the configuration is refused and says so
        return f"{point.value} raised {type(error).__name__}: {error}"
    if not (isinstance(found, type) and issubclass(found, kind)):
        return f"{point.value} is no {kind.__name__}"
    try:
        added: dict[str, list[Any]] = {word: [found]}
        catalog.extend(**added)
    except ValueError as error:
        return str(error)
    return ""


def _distrust_package(name: str, euid: int) -> str:
    from importlib.util import find_spec  # noqa: PLC0415 - as above

    spec = find_spec(name)
    if spec is None:
        return ""  # loading it says so
    places: Iterable[str] = [spec.origin] if spec.origin else spec.submodule_search_locations or []
    return next((why for place in places if (why := distrust(place, euid))), "")
