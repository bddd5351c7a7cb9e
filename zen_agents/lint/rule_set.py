"""A configuration's rules, and what each may ask for: judged by the engine's own guards on a calm host of nothing but facts.

Nothing was ever done there, nothing else is wrong, and no window is open. Who refuses an action there refuses it always.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from zen_agents.adapters.emergency_flag import EmergencyFlag
from zen_agents.adapters.null_control import NullControl
from zen_agents.adapters.sqlite_store import SqliteStore
from zen_agents.agents.base import BaseAgent
from zen_agents.dataclass import dataclass
from zen_agents.engine.causes import listed_edges
from zen_agents.engine.host_causes import files_named
from zen_agents.engine.judging import AsOf
from zen_agents.engine.parts import Parts
from zen_agents.guards.base import Policy
from zen_agents.model.action import ActionRequest
from zen_agents.model.ids import INCIDENT, new_id
from zen_agents.model.observation import Finding, Status
from zen_agents.model.reason import Reason
from zen_agents.model.verdict import Ruling
from zen_agents.rehearsal.facts import Facts
from zen_agents.rehearsal.stage import LONG_AFTER_BOOT
from zen_agents.rehearsal.timeline import SameThread, Timeline
from zen_agents.rehearsal.written_world import Told, WrittenHost, written_actions
from zen_agents.rules.causality import Causality, Edge
from zen_agents.rules.hysteresis import fold
from zen_agents.rules.rule import Rule
from zen_agents.settings.loader import Loaded
from zen_agents.settings.models import Settings
from zen_agents.settings.nodes import Node, Place
from zen_agents.settings.policy import safe_mode_triggers, to_policy
from zen_agents.wiring.agents import agent_context, build_agents
from zen_agents.wiring.parts import World, build_parts, catalog_actions

_NOWHERE = Path("/nonexistent/zen-agents-lint")
_AT = datetime(2026, 1, 1, 12, tzinfo=UTC)
#: Switches of the whole host or agent, which somebody set on purpose; they are in the bounds, not among the faults.
SWITCHES = frozenset({Reason.MODE_OBSERVE, Reason.AUTO_MITIGATE_OFF, Reason.MAINTENANCE})


@dataclass(frozen=True, slots=True)
class Refusal:
    """An action that a guard refuses whatever happens."""

    request: ActionRequest
    guard: str
    why: str
    origin: str


@dataclass(frozen=True, slots=True)
class RuleSet:
    """The rules of a configuration, by key, and what they may ask for."""

    rules: Mapping[str, Rule]
    #: Everything that a rule's ladder asks for and that nothing refuses for ever.
    requests: Mapping[str, Sequence[ActionRequest]]
    refused: Mapping[str, Sequence[Refusal]]
    #: The same as `requests`, without what a switch holds back today.
    today: Mapping[str, Sequence[ActionRequest]]
    policy: Policy
    places: Mapping[str, Place]
    #: Agent -> where its section stands.
    sections: Mapping[str, str]
    root: Place
    #: What depends on what, as far as the configuration alone says.
    causes: Causality
    #: Agents that are switched off and have rules of one's own -> where these stand.
    switched_off: Mapping[str, Place]

    @property
    def acting(self) -> Sequence[Rule]:
        """The rules that may do something."""
        return [rule for key, rule in self.rules.items() if self.requests[key]]

    def waits_for(self, rule: Rule, request: ActionRequest) -> bool:
        """Tell whether a rule waits while what a request acts on is not well; for a path only while it is missing."""
        if request.target.startswith("path:") and request.action != "create_directory":
            return False
        return request.target in self.causes.causes(rule.target)

    def place(self, rule: Rule, origin: str = "") -> Place:
        """Return where a rule, or a part of it, is written; its agent's section for one that nobody wrote."""
        return (
            self.places.get(origin or rule.origin)
            or self.places.get(rule.origin)
            or self.places.get(self.sections.get(rule.agent, ""), self.root)
        )


async def examine(loaded: Loaded, root: Node) -> RuleSet:
    """Return the rule set of a configuration that is valid."""
    parts, agents = _calm(loaded)
    rules = {rule.key: rule for agent in agents for rule in agent.rules()}
    requests: dict[str, list[ActionRequest]] = {key: [] for key in rules}
    today: dict[str, list[ActionRequest]] = {key: [] for key in rules}
    refused: dict[str, list[Refusal]] = {}
    for key, rule in rules.items():
        for request in _asked_for(rule):
            refusal, is_off = await _refusal(parts, rule, request)
            if refusal is not None:
                refused.setdefault(key, []).append(refusal)
                continue
            requests[key].append(request)
            if not is_off:
                today[key].append(request)
    parts.store.close()
    places = {str(place): place for place in _places(root)}
    sections = {agent.name: loaded.origins.get(f"agents.{agent.name}", "") for agent in agents}
    causes = Causality([*listed_edges(rules.values()), *_named_in_commands(loaded.require())])
    return RuleSet(
        rules, requests, refused, today, parts.policy, places, sections, root.place, causes, _switched_off(loaded, root)
    )


def _named_in_commands(settings: Settings) -> Iterator[Edge]:
    """Yield the listed paths that stand among the words by which a service is started."""
    for section in settings.agents.values():
        listed = {watched.path: f"path:{name}" for name, watched in getattr(section, "paths", {}).items()}
        for name, service in getattr(section, "services", {}).items():
            words = service.command.start if service.command is not None else ()
            for path in files_named(words, listed):
                yield Edge(f"service:{name}", listed[path], f"its command names {path}")


def _switched_off(loaded: Loaded, root: Node) -> Mapping[str, Place]:
    found = {}
    for name, section in loaded.require().agents.items():
        written = root.entry_at("agents", name, "rules")
        if not section.enabled and written is not None and getattr(section, "rules", None):
            found[name] = written.place
    return found


def _calm(loaded: Loaded) -> tuple[Parts, Sequence[BaseAgent]]:
    clock, nobody = Timeline(_AT, LONG_AFTER_BOOT), Told()
    host = WrittenHost(lambda: Facts(_AT, {}))
    world = World(
        host=host, store=SqliteStore.snapshot(None), clock=clock, notifier=nobody, events=nobody,
        flag=EmergencyFlag(_NOWHERE, host_flag=_NOWHERE / "flag"), control=lambda _: NullControl(host),
        action_log=nobody, thread=SameThread,
    )  # fmt: skip
    settings = loaded.require()
    agents = build_agents(settings, agent_context(loaded, host, _NOWHERE, "lint"))
    parts = build_parts(
        world, to_policy(settings, loaded, agents), triggers=safe_mode_triggers(settings), host_name="lint",
        actions=written_actions(catalog_actions(), {}, clock),
    )  # fmt: skip
    parts.actionable = 1_000_000
    return parts, agents


async def _refusal(parts: Parts, rule: Rule, request: ActionRequest) -> tuple[Refusal | None, bool]:
    """Return the refusal that would hold for ever, if there is one, and whether a switch holds it back today."""
    now = parts.clock.now()
    bad = replace(rule, hold=replace(rule.hold, fail_after=1, held_for_seconds=0.0))
    incident = fold(bad, None, Finding(Status.PROBLEM, now, "bad"), now, new_id=lambda: new_id(INCIDENT))
    # A log line is confirmed here by whatever else is looked at.
    situation = replace(
        parts.book.situation(parts.policy, now, actionable=parts.actionable, running=0, foreign=""),
        present_problems=frozenset({rule.target, request.target}),
    )
    asked = replace(request, rule=rule.name, agent=rule.agent, because="lint", incident=incident.id if incident else None)
    judged = await parts.judging.judge(
        asked, rule=rule, incident=incident, policy=parts.policy, present=lambda: AsOf(now, situation)
    )
    denials = [answer for answer in judged.verdict.answers if answer.ruling is Ruling.DENY]
    for answer in denials:
        if answer.reason not in SWITCHES or answer.guard == "approval":
            why = answer.value or (answer.reason.sentence if answer.reason else "")
            return Refusal(request, answer.guard, why, answer.origin), True
    return None, bool(denials)


def _asked_for(rule: Rule) -> Iterator[ActionRequest]:
    seen: set[tuple[str, str]] = set()
    for rung in rule.ladder:
        for request in rung.alternatives:
            if (request.action, request.target) not in seen:
                seen.add((request.action, request.target))
                yield request


def _places(node: Node) -> Iterator[Place]:
    if node.is_map:
        for entry in node.value.values():
            yield entry.place
            yield from _places(entry.node)
    elif node.is_list:
        for item in node.value:
            yield item.place
            yield from _places(item)
