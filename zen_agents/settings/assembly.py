"""The whole tree to `Settings`, each section by the model of whoever owns it."""

from __future__ import annotations

from typing import Any

from zen_agents import catalog
from zen_agents.first_use import later
from zen_agents.settings.diagnostics import Report
from zen_agents.settings.models import ActionsSettings, Settings
from zen_agents.settings.nearest import did_you_mean, nearest
from zen_agents.settings.nodes import Entry, Node, Path
from zen_agents.settings.shape import Shape
from zen_agents.settings.shape import root as grammar
from zen_agents.settings.validation import unknown_key, validate

#: Sections that later versions bring; `later.LaterParts` has their grammar.
_LATER_PARTS = ("console",)


def assemble(root: Node, report: Report) -> Settings | None:
    """Return the settings, None if anything is wrong; all of it is reported."""
    shape = grammar()
    before = len(report.found)
    rest = dict(root.value)
    for key in [key for key in rest if key.startswith("x-")]:
        del rest[key]
    _refuse_unknown(rest, shape, report)
    _refuse_later(root, rest, report)
    agents = _agents(rest.pop("agents", None), root, report)
    actions = _actions(rest.pop("actions", None), shape, root, report)
    settings = validate(Settings, Node(root.place, rest), (), shape, report, root)
    if settings is None or any(each.level == "error" for each in report.found[before:]):
        return None
    assert isinstance(settings, Settings)  # noqa: S101 - validate returns the model it was given
    return settings.model_copy(update={"agents": agents, "actions": actions})


def _refuse_unknown(rest: dict[str, Entry], shape: Shape, report: Report) -> None:
    known = (*shape.keys, *_LATER_PARTS)
    for key in [key for key in rest if key not in known]:
        message, _, _, _ = unknown_key((key,), shape)
        suggest = nearest(key, known)
        report.error("ZC101", message, rest.pop(key).place, label=did_you_mean(suggest), replacement=suggest)


def _refuse_later(root: Node, rest: dict[str, Entry], report: Report) -> None:
    """Check what a later version brings, so that its mistakes are told too, and refuse it."""
    parts = {key: rest.pop(key) for key in _LATER_PARTS if key in rest}
    if parts:
        from zen_agents.settings import later  # noqa: PLC0415 - only for files that use it

        validate(later.LaterParts, Node(root.place, parts), (), Shape(later.LaterParts), report, root)
        for key, entry in parts.items():
            report.error("ZC110", f"`{key}` is not in this version", entry.place, label="remove it")
    _refuse_fleet(root, rest, report)


def _refuse_fleet(root: Node, rest: dict[str, Entry], report: Report) -> None:
    """The same for the keys by which a fleet reaches into sections of this version."""
    breaker, role = root.entry_at("breakers", "fleet"), root.entry_at("fleet", "role")
    if breaker is not None:
        from zen_agents.settings import later  # noqa: PLC0415 - only for files that use it

        path: Path = ("breakers", "fleet")
        validate(later.FleetBreakerSettings, breaker.node, path, Shape(later.FleetBreakerSettings), report, root)
        report.error("ZC110", "`fleet` in breakers is not in this version", breaker.place, label="remove it")
        rest["breakers"] = Entry(rest["breakers"].place, without(rest["breakers"].node, {"fleet"}))
    if role is not None and role.node.text != "standalone":
        from zen_agents.settings import later  # noqa: PLC0415 - only for files that use it

        before = len(report.found)
        fleet = rest.pop("fleet").node
        validate(later.LaterFleetSettings, fleet, ("fleet",), Shape(later.LaterFleetSettings), report, root)
        if len(report.found) == before:
            report.error("ZC110", f"`role: {role.node.text}` in fleet is not in this version", role.place)


def _agents(section: Entry | None, root: Node, report: Report) -> dict[str, Any]:
    agents: dict[str, Any] = {}
    node = section.node if section else None
    if section is None or node is None or node.value is None or (node.is_map and not node.value):
        place = section.place if section else root
        report.warning("ZC504", "no agent is named, so nothing is watched", place, help="zen-agents explain agents")
        return agents
    if not node.is_map:
        report.error("ZC207", "`agents` is a map of agents by name", section.place)
        return agents
    for name, entry in node.value.items():
        below = Node(entry.node.place, {}) if entry.node.value is None else entry.node
        if name in catalog.AGENTS:
            model = catalog.AGENTS[name].Settings
            agents[name] = validate(model, below, ("agents", name), Shape(model), report, root)
        elif not name.startswith("x-"):
            _unknown_agent(name, entry, node, report)
    return agents


def _unknown_agent(name: str, entry: Entry, agents: Node, report: Report) -> None:
    owner = ""
    for other, agent in catalog.AGENTS.items():
        if name in Shape(agent.Settings).keys:
            owner = other
            break
    if owner:
        message = f"`{name}` is a setting of `{owner}`, but at this indent it is read as an agent name"
        report.error("ZC103", message, entry.place, label=f"indent by {_indent(agents, owner, entry)} more spaces")
        return
    suggest = nearest(name, catalog.AGENTS)
    report.error("ZC101", f"unknown agent `{name}`", entry.place, label=did_you_mean(suggest), replacement=suggest)


def _indent(agents: Node, owner: str, entry: Entry) -> int:
    known = agents.get(owner)
    columns = [each.place.column for each in known.value.values()] if known and known.is_map else []
    return columns[0] - entry.place.column if columns and columns[0] > entry.place.column else 2


def _actions(section: Entry | None, shape: Shape, root: Node, report: Report) -> ActionsSettings:
    if section is None or section.node.value is None:
        return built_in_actions()
    below = shape.step("actions")
    node = section.node
    if not node.is_map:
        report.error("ZC207", "`actions` is a map with `default` and `allow`", section.place)
        return ActionsSettings()
    for key, entry in node.value.items():
        if below is not None and key not in below.keys and not key.startswith("x-"):
            message, label, suggest, help_ = unknown_key(("actions", key), below)
            report.error("ZC101", message, entry.place, label=label, help=help_, replacement=suggest)
    head = Node(node.place, {key: entry for key, entry in node.value.items() if key == "default"})
    validate(ActionsSettings, head, ("actions",), Shape(ActionsSettings), report, root)
    allow = node.entry("allow")
    if allow is None or allow.node.value is None:
        return ActionsSettings()
    if not allow.node.is_map:
        report.error("ZC207", "`allow` is a map of actions by name", allow.place)
        return ActionsSettings()
    policies = {name: _policy(name, entry, report, root) for name, entry in allow.node.value.items() if name[:2] != "x-"}
    return ActionsSettings(allow={name: policy for name, policy in policies.items() if policy is not None})


def _policy(name: str, entry: Entry, report: Report, root: Node) -> Any:
    node = Node(entry.node.place, {}) if entry.node.value is None else entry.node
    path: Path = ("actions", "allow", name)
    if name in catalog.ACTIONS:
        policy = catalog.ACTIONS[name].Policy
        return validate(policy, node, path, Shape(policy), report, root)
    from zen_agents.settings import later  # noqa: PLC0415 - only for files that use it

    if model := later.ACTIONS.get(name):
        validate(model, node, path, Shape(model), report, root)
        report.error("ZC110", f"action `{name}` is not in this version", entry.place, label="remove it")
        return None
    suggest = nearest(name, catalog.ACTIONS)
    report.error("ZC301", f"unknown action `{name}`", entry.place, label=did_you_mean(suggest), replacement=suggest)
    return None


def built_in_actions() -> ActionsSettings:
    """Return the allow-list of a file that has none: every action of the catalog whose risk is low or medium."""
    mild = [name for name in catalog.ACTIONS if name in catalog.MILD]
    return ActionsSettings(allow=later(lambda name: catalog.ACTIONS[name].Policy(), mild), built_in=True)


def without(node: Node, keys: set[str]) -> Node:
    """Return a map without some of its keys."""
    return Node(node.place, {key: entry for key, entry in node.value.items() if key not in keys}, node.text, node.quoted)
