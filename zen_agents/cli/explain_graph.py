"""What depends on what, as the running engine knows it: a tree, JSON, or Graphviz's dot."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from zen_agents.cli.call import Call
from zen_agents.cli.envelope import data
from zen_agents.cli.parsing import meant
from zen_agents.cli.render import plural, say
from zen_agents.cli.times import ago
from zen_agents.errors import UsageError

_Edge = Mapping[str, str]


def show_graph(call: Call, name: str | None) -> int:
    """Print the graph, or what of it is about one thing; UsageError for a name that is not in it."""
    graph = call.ask("graph", timeout_seconds=30.0)
    edges: Sequence[_Edge] = graph["edges"]
    node = _node(name, graph) if name else None
    if node is not None:
        edges = _about(node, edges)
    if call.output == "dot":
        print("\n".join(_dot(edges, graph["incidents"])))
    elif call.machine:
        data(call, "graph", {**graph, "edges": list(edges)})
    else:
        _tree(call, node, edges, graph)
    return 0


def _node(name: str, graph: Mapping[str, Any]) -> str:
    """Return what a person means: `web` is `service:web`."""
    nodes = sorted({*graph["watched"], *(each[end] for each in graph["edges"] for end in ("child", "parent"))})
    short = {node.partition(":")[2]: node for node in reversed(nodes)}
    found = name if name in nodes else short.get(name)
    if found is None:
        raise UsageError(f"nothing that depends on anything is called {name!r}{meant(name, [*nodes, *short])}; "
                         "see: zen-agents explain graph")  # fmt: skip
    return found


def _about(node: str, edges: Sequence[_Edge]) -> list[_Edge]:
    """Return the edges on the way up from a node to all that it needs, and down to all that needs it."""
    return [edge for edge in edges if edge in _reached(node, edges, "child", "parent")
            or edge in _reached(node, edges, "parent", "child")]  # fmt: skip


def _reached(node: str, edges: Sequence[_Edge], near: str, far: str) -> list[_Edge]:
    found: list[_Edge] = []
    waiting = [node]
    while waiting:
        at = waiting.pop()
        new = [edge for edge in edges if edge[near] == at and edge not in found]
        found += new
        waiting += [edge[far] for edge in new]
    return found


def _tree(call: Call, node: str | None, edges: Sequence[_Edge], graph: Mapping[str, Any]) -> None:
    if not edges:
        say(call, f"{node or 'Nothing that is listed'} depends on nothing that is known here.")
        return
    needed = {edge["parent"] for edge in edges}
    tops = sorted({edge["child"] for edge in edges} - needed)
    told: set[str] = set()
    for top in tops or [sorted(needed)[0]]:
        say(call, f"{top}{_state(top, graph)}")
        for depth, edge in _below(top, edges, told):
            say(call, f"needs {edge['parent']}{_state(edge['parent'], graph)}   ({edge['source']})",
                indent=2 * depth, hang=6)  # fmt: skip
    age = graph["read_seconds_ago"]
    watched = plural(sum(node.startswith("service:") for node in graph["watched"]), "service")
    print()
    if graph["more"]:
        print(f"... and {graph['more']} more")
    say(
        call,
        f"what mutes was read {ago(age)} ago. Only between the {watched} that are looked after does one mute the other; "
        "a path: mutes while it is missing; what is neither is shown, and mutes nothing.",
    )


def _below(top: str, edges: Sequence[_Edge], told: set[str]) -> Iterator[tuple[int, _Edge]]:
    """Yield what a node needs, with its depth; what was told already is not followed again, so circles end."""
    waiting = [(1, edge) for edge in reversed(edges) if edge["child"] == top]
    told.add(top)
    while waiting:
        depth, edge = waiting.pop()
        yield depth, edge
        if edge["parent"] not in told:
            told.add(edge["parent"])
            waiting += [(depth + 1, each) for each in reversed(edges) if each["child"] == edge["parent"]]


def _state(node: str, graph: Mapping[str, Any]) -> str:
    bad = next((each for each in graph["incidents"] if each["target"] == node), None)
    if bad is None:
        return ""
    muted = bad["muted_by"]
    return f"  not well: {bad['incident']}" + (f", muted by {muted['target']} ({muted['incident']})" if muted else "")


def _dot(edges: Sequence[_Edge], incidents: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Yield Graphviz's words; names and sources are quoted as JSON strings are, which dot reads as well."""
    yield "digraph causes {"
    yield "  rankdir=LR;"
    for bad in incidents:
        yield f"  {json.dumps(bad['target'])} [color=red];"
    for edge in edges:
        yield f"  {json.dumps(edge['child'])} -> {json.dumps(edge['parent'])} [label={json.dumps(edge['source'])}];"
    yield "}"
