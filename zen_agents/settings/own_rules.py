"""The rules that a person wrote: their expressions compile over what is observed here."""

from __future__ import annotations

import re
from collections.abc import Callable

from zen_agents import catalog
from zen_agents.agents.base import AgentContext, BaseAgent
from zen_agents.errors import SettingsError
from zen_agents.rules.expression import ExpressionError, compile_expression
from zen_agents.settings.diagnostics import Report
from zen_agents.settings.models import Settings
from zen_agents.settings.nearest import did_you_mean, nearest
from zen_agents.settings.nodes import Node
from zen_agents.settings.validation import inside

Observed = dict[str, list[str]]
_WORD = re.compile(r"[\w.]+")


def check_own_rules(root: Node, settings: Settings, report: Report) -> None:
    """Report every expression that does not compile, at its place inside the text, and every agent that cannot be built."""
    _check_expressions(root, settings, report)
    if report.failed:
        return
    for agent in catalog.AGENTS:
        if (section := settings.agents.get(agent.name)) is not None:
            try:
                agent(section, AgentContext(host_name="host"))
            except (SettingsError, ValueError) as error:
                report.error("ZC214", str(error), root.entry_at("agents", agent.name) or root)


def _check_expressions(root: Node, settings: Settings, report: Report) -> None:
    written = {name: root.get("agents", name, "rules") for name in settings.agents}
    if not any(node is not None and node.is_map and node.value for node in written.values()):
        return
    observed = observed_names(settings)
    for node in written.values():
        for entry in node.value.values() if node is not None and node.is_map else ():
            target = entry.node.get("target")
            about = target.text if target is not None else "host"
            _check_target(target, observed, report)
            for key in ("when", "clear"):
                expression = entry.node.get(key)
                if expression is not None and isinstance(expression.value, str):
                    _check_expression(expression, about, observed, report)


def observed_names(settings: Settings) -> Observed:
    """Return the name of everything that the agents of these settings observe, with its targets."""
    observed: Observed = {}
    for agent in catalog.AGENTS:
        if (section := settings.agents.get(agent.name)) is not None:
            without_rules = section.model_copy(update={"rules": {}}) if hasattr(section, "rules") else section
            _observe(agent(without_rules, AgentContext(host_name="host")), observed)
    return observed


def resolver(observed: Observed, about: str) -> Callable[[str], str | None]:
    """Return what finds an observation's target: the rule's own, else the only one there is."""

    def resolve(name: str) -> str | None:
        targets = observed.get(name, [])
        if about in targets:
            return about
        return targets[0] if len(targets) == 1 else None

    return resolve


def _observe(agent: BaseAgent, observed: Observed) -> None:
    for check in agent.checks():
        for name in check.observes:
            targets = observed.setdefault(name, [])
            if check.target not in targets:
                targets.append(check.target)


def _check_target(node: Node | None, observed: Observed, report: Report) -> None:
    known = {"host", *(target for targets in observed.values() for target in targets)}
    if node is not None and node.text not in known:
        suggest = nearest(node.text, known)
        message = f"`target: {node.text}` is nothing that is observed here"
        report.error("ZC303", message, node, label=did_you_mean(suggest), replacement=suggest)


def _check_expression(node: Node, about: str, observed: Observed, report: Report) -> None:
    try:
        compile_expression(node.value, resolve=resolver(observed, about), known=observed, origin=str(node.place))
    except ExpressionError as error:
        word = _WORD.match(node.text, error.column)
        place = inside(node, error.column, len(word[0]) if word else 1)
        message = error.message.removesuffix(f"; did you mean `{error.suggestion}`?")
        report.error("ZC305", message, place, label=did_you_mean(error.suggestion), replacement=error.suggestion)
