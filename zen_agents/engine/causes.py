"""Acts at the root: knows what depends on what, holds back what only suffers, and says by what it is muted.

The graph is read after the first turn, after a reload and then rarely, beside the loop; until then, and where it cannot be
read, what the configuration says of `depends_on` holds alone.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from zen_agents.checks.base import Check
from zen_agents.clock import Clock
from zen_agents.dataclass import dataclass
from zen_agents.engine.aside import Aside
from zen_agents.engine.host_causes import edges_of, mounts_of
from zen_agents.engine.incidents import IncidentBook
from zen_agents.model.incident import Incident, incident_key
from zen_agents.model.reason import Reason
from zen_agents.ports.host import Host
from zen_agents.rules.causality import Causality, Edge
from zen_agents.rules.inhibition import muted_by
from zen_agents.rules.rule import Rule

log = logging.getLogger("zen_agents.causes")

#: How long the graph counts as fresh, and how long reading it may take (seconds).
RENEW_EVERY, READ_SECONDS = 3600.0, 20.0
#: What a muted incident is not told for: it waits for its root, or cannot tell for its sake.
MUTED_FOR = frozenset({Reason.REFUSED_TOO_LONG, Reason.UNKNOWN_TOO_LONG, Reason.NO_ACTION})
DEPENDS_ON = "depends_on"
#: Edges that are shown at most.
MOST_SHOWN = 5000


@dataclass(frozen=True, slots=True)
class Mute:
    """Why people are not told of an incident by itself."""

    root: Incident
    #: How it is known that it depends on the root.
    source: str


class Causes:
    """The dependencies of what the engine looks after."""

    def __init__(self, host: Host, clock: Clock, aside: Aside | None = None) -> None:
        self._host, self._clock, self._aside = host, clock, aside or Aside()
        self.graph = Causality()
        #: Steady time; None before the first.
        self.renewed_at: float | None = None
        #: Target of a service or path in the graph -> the key of the rule that says that it is down.
        self._keys: dict[str, str] = {}
        self._dependents: dict[str, list[str]] = {}

    def is_due(self) -> bool:
        """Tell whether the graph is to be read (again)."""
        return self.renewed_at is None or self._clock.now().steady - self.renewed_at >= RENEW_EVERY

    def forget(self) -> None:
        """Have it read again soon: the configuration is another one."""
        self.renewed_at = None

    async def renew(self, checks: Sequence[Check], rules: Iterable[Rule]) -> None:
        """Read anew what may explain what; what cannot be read leaves it as it was. Only what counts is kept."""
        known, before = [rule for rule in rules if _says_it_is_down(rule)], self.graph.edges
        self.renewed_at = self._clock.now().steady
        try:
            seen = await self._read(lambda: edges_of(checks, self._host.look(), before))
        except Exception as error:  # a host that answers nonsense must not end the engine's round
            log.warning("what depends on what cannot be read; what is listed and was known holds: %s", error)
            seen = list(before)
        keys = {rule.target: rule.key for rule in known}
        self.graph = Causality([*listed_edges(known), *seen]).leading_to(keys)
        ends = {end for edge in self.graph.edges for end in (edge.child, edge.parent)}
        self._keys = {target: keys[target] for target in ends if target in keys}
        self._dependents = {}
        for rule in known:
            for key in self.of(rule):
                self._dependents.setdefault(key, []).append(rule.key)

    async def shown(self, checks: Sequence[Check], rules: Iterable[Rule]) -> dict[str, Any]:
        """Return all that can be read now as plain JSON, with what explains nothing; HostError if it cannot be read."""
        known, before = [rule for rule in rules if _says_it_is_down(rule)], self.graph.edges

        def read() -> list[Edge]:
            look = self._host.look()
            return [*edges_of(checks, look, before), *mounts_of(checks, look)]

        graph = Causality([*listed_edges(known), *await self._read(read)])
        edges = [{"child": edge.child, "parent": edge.parent, "source": edge.source} for edge in graph.edges[:MOST_SHOWN]]
        age = None if self.renewed_at is None else self._clock.now().steady - self.renewed_at
        more = max(0, len(graph.edges) - MOST_SHOWN)
        return {"read_seconds_ago": age, "watched": sorted(rule.target for rule in known), "edges": edges, "more": more}

    async def _read(self, edges: Callable[[], list[Edge]]) -> list[Edge]:
        return await self._aside.ask(edges, timeout_seconds=READ_SECONDS)

    def of(self, rule: Rule) -> Mapping[str, str]:
        """Return the keys of the rules whose incident explains one of this rule, the nearest first, and how it is known."""
        found = dict.fromkeys(sorted(rule.depends_on), DEPENDS_ON)
        if self._keys.get(rule.target) == rule.key:
            for cause, how in self.graph.causes(rule.target).items():
                if cause in self._keys:
                    found.setdefault(self._keys[cause], how)
        return found

    def dependents(self, key: str) -> Sequence[str]:
        """Return the keys of the rules that an incident of this one explains."""
        return self._dependents.get(key, ())

    def mute(self, rule: Rule, incident: Incident, book: IncidentBook) -> Mute | None:
        """Return by what an incident is muted: an open one, at least as severe, of something that it depends on."""
        of = self.of(rule)
        down = {key: root for key in of if (root := book.get(key)) is not None and root.explains_others
                and root.severity.rank >= incident.severity.rank} if of else {}  # fmt: skip
        key = muted_by(of, down)
        return Mute(down[key], of[key]) if key is not None else None

    def explained(self, root: Incident, rules: Mapping[str, Rule], book: IncidentBook) -> list[str]:
        """Return what is down for the sake of an incident, a line each."""
        found = []
        for key in self.dependents(root.key) if root.explains_others else ():
            rule, incident = rules.get(key), book.get(key)
            if rule is not None and incident is not None and incident.opened_at is not None:
                how = self.of(rule)[root.key]
                found.append(f"{incident.opened_at.wall.isoformat(timespec='seconds')}  {rule.target} ({how})")
        return found


def _says_it_is_down(rule: Rule) -> bool:
    """Tell whether a rule is the one that says that a service or path is not well; others about it explain nothing."""
    kind, _, name = rule.target.partition(":")
    return kind in ("service", "path") and rule.key == incident_key(f"{rule.agent}.{name}", rule.target)


def listed_edges(rules: Iterable[Rule]) -> list[Edge]:
    """Return what the configuration says, each with its place."""
    return [
        Edge(rule.target, key.partition("|")[2], f"{DEPENDS_ON} at {rule.origin}" if rule.origin else DEPENDS_ON)
        for rule in rules for key in sorted(rule.depends_on)
    ]  # fmt: skip
