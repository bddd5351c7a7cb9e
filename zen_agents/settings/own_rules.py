"""The rules that a person wrote: their expressions compile over what is observed here."""

from __future__ import annotations

import re

from zen_agents import catalog
from zen_agents.agents.base import AgentContext, BaseAgent
from zen_agents.agents.system_health.observations import ObservationNames, build_checks
from zen_agents.agents.system_health.settings import SystemHealthSettings
from zen_agents.checks.base import Check
from zen_agents.errors import SettingsError
from zen_agents.rules.expression import ExpressionError, compile_expression
from zen_agents.settings.crosscheck_approvals import check_autonomy, check_slo
from zen_agents.settings.diagnostics import Report
from zen_agents.settings.models import Settings
from zen_agents.settings.nearest import did_you_mean, nearest
from zen_agents.settings.nodes import Entry, Node
from zen_agents.settings.validation import inside

_WORD = re.compile(r"[\w.]+")


def check_own_rules(root: Node, settings: Settings, report: Report) -> None:
    """Report every expression that does not compile, at its place inside the text, and every agent that cannot be built."""
    _check_expressions(root, settings, report)
    if report.failed:
        return
    rules: set[str] = set()
    built: list[BaseAgent] = []
    for name in catalog.AGENTS:
        if (section := settings.agents.get(name)) is None:
            continue
        try:
            agent = catalog.AGENTS[name](section, AgentContext("host", others=tuple(built)))
            rules |= {rule.name for rule in agent.rules()}
            rules |= {f"{name}.{observed}" for check in agent.checks() for observed in check.about_others}
        except (SettingsError, ValueError) as error:
            report.error("ZC214", str(error), _named_place(str(error), name, root))
            continue
        if section.enabled:
            built.append(agent)
    if not report.failed:
        check_autonomy(root, rules, report)
        check_slo(root, rules, report)


def _named_place(message: str, agent: str, root: Node) -> Node | Entry:
    """Return where the key is that a message begins with, the agent's section if it names none."""
    path = message.partition(": ")[0]
    if not path.startswith(f"agents.{agent}."):
        return root.entry_at("agents", agent) or root
    return root.nearest(tuple(int(word) if word.isdigit() else word for word in path.split(".")))[0]


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


def observed_names(settings: Settings) -> ObservationNames:
    """Return the vocabulary of these settings: what their agents observe, of which targets.

    The rules themselves are not made: one that is wrong is to be told at its place, not to keep the others from being read.
    """
    checks: list[Check] = []
    for name, section in settings.agents.items():
        if isinstance(section, SystemHealthSettings):
            checks += build_checks(section, AgentContext(host_name="host"))
        else:
            without_rules = section.model_copy(update={"rules": {}}) if hasattr(section, "rules") else section
            checks += catalog.AGENTS[name](without_rules, AgentContext(host_name="host")).checks()
    return ObservationNames(checks)


def _check_target(node: Node | None, observed: ObservationNames, report: Report) -> None:
    if node is not None and node.text not in observed.targets:
        suggest = nearest(node.text, observed.targets)
        message = f"`target: {node.text}` is nothing that is observed here"
        report.error("ZC303", message, node, label=did_you_mean(suggest), replacement=suggest)


def _check_expression(node: Node, about: str, observed: ObservationNames, report: Report) -> None:
    try:
        compile_expression(
            node.value, resolve=observed.resolver(about), known=observed.names, sample_seconds=observed.every_seconds,
            origin=str(node.place),
        )  # fmt: skip
    except ExpressionError as error:
        word = _WORD.match(node.text, error.column)
        place = inside(node, error.column, len(word[0]) if word else 1)
        message = error.message.removesuffix(f"; did you mean `{error.suggestion}`?")
        report.error("ZC305", message, place, label=did_you_mean(error.suggestion), replacement=error.suggestion)
