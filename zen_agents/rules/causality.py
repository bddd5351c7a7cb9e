"""What depends on what on this host: a graph in which every edge says how it is known. Pure; cycles are harmless."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from zen_agents.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Edge:
    """`child` cannot work without `parent`: targets (`service:web`) where they are listed, else `unit:`, `mount:`, `dns`."""

    child: str
    parent: str
    #: How that is known, in words: `Requires= of web.service`.
    source: str


class Causality:
    """The edges, followed upwards from whatever failed."""

    def __init__(self, edges: Iterable[Edge] = ()) -> None:
        self.edges = tuple(dict.fromkeys(edge for edge in edges if edge.child != edge.parent))
        self._parents: dict[str, dict[str, str]] = {}
        for edge in self.edges:
            self._parents.setdefault(edge.child, {}).setdefault(edge.parent, edge.source)
        self._causes: dict[str, Mapping[str, str]] = {}

    def causes(self, node: str) -> Mapping[str, str]:
        """Return all that a node cannot work without, the nearest first, with how that is known over each step.

        What cannot work without the node itself is no cause of it: in a circle nobody is.
        """
        if node not in self._parents:
            return {}
        if node not in self._causes:
            found = self._reached(node)
            self._causes[node] = {cause: how for cause, how in found.items() if node not in self._reached(cause)}
        return self._causes[node]

    def leading_to(self, nodes: Collection[str]) -> Causality:
        """Return the graph without what leads to none of these: nothing else can be a cause that counts."""
        children: dict[str, list[Edge]] = {}
        for edge in self.edges:
            children.setdefault(edge.parent, []).append(edge)
        kept, waiting, seen = set[Edge](), [node for node in children if node in nodes], set[str]()
        while waiting:
            node = waiting.pop()
            if node not in seen:
                seen.add(node)
                kept.update(children.get(node, ()))
                waiting += [edge.child for edge in children.get(node, ())]
        return Causality(edge for edge in self.edges if edge in kept)

    def _reached(self, node: str) -> dict[str, str]:
        found: dict[str, str] = {}
        nearest = [node]
        while nearest:
            onward = []
            for near in nearest:
                for parent, source in self._parents.get(near, {}).items():
                    if parent not in found and parent != node:
                        found[parent] = f"{found[near]}; {source}" if near in found else source
                        onward.append(parent)
                    elif parent == node:
                        found.setdefault(node, source)
            nearest = onward
        return found
