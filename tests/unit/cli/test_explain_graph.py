"""The graph as a tree, as JSON and for Graphviz; every edge says how it is known, and a circle ends."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.command_line import command
from zen_agents.cli.call import Call

ROOT = {"target": "service:db", "incident": "inc-db1111", "muted_by": None}
MUTED = {
    "target": "service:web", "incident": "inc-web111",
    "muted_by": {"target": "service:db", "incident": "inc-db1111", "source": "Requires= of app.socket"},
}  # fmt: skip
GRAPH: dict[str, Any] = {
    "read_seconds_ago": 60.0,
    "more": 0,
    "watched": ["service:db", "service:web", "service:mail"],
    "edges": [
        {"child": "service:web", "parent": "unit:app.socket", "source": "Requires= of web.service"},
        {"child": "unit:app.socket", "parent": "service:db", "source": 'Requires= of "app".socket'},
        {"child": "path:uploads", "parent": "mount:/srv", "source": "/srv/uploads is on it"},
    ],
    "incidents": [ROOT, MUTED],
}


@pytest.fixture(autouse=True)
def engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Call, "ask", lambda self, verb, **args: GRAPH if verb == "graph" else None)


def test_a_tree_with_how_each_edge_is_known_and_what_is_muted_by_what() -> None:
    done = command("explain", "graph")
    assert done.code == 0
    assert done.out.splitlines()[:5] == [
        "path:uploads",
        "  needs mount:/srv   (/srv/uploads is on it)",
        "service:web  not well: inc-web111, muted by service:db (inc-db1111)",
        "  needs unit:app.socket   (Requires= of web.service)",
        '    needs service:db  not well: inc-db1111   (Requires= of "app".socket)',
    ]


def test_of_one_thing_only_what_it_needs_and_what_needs_it() -> None:
    for name in ("db", "service:db", "app.socket"):
        out = command("explain", "graph", name).out
        assert "service:web" in out and "unit:app.socket" in out and "mount" not in out
    assert "service:mail depends on nothing that is known here." in command("explain", "graph", "mail").out


def test_for_programs_and_for_graphviz() -> None:
    body = command("explain", "graph", "uploads", "-o", "json").json()
    assert (body["schema"], body["edges"]) == ("zen-agents/graph/v1", GRAPH["edges"][2:])
    dot = command("explain", "graph", "-o", "dot").out
    assert dot.startswith("digraph causes {") and dot.rstrip().endswith("}")
    assert '"unit:app.socket" -> "service:db" [label="Requires= of \\"app\\".socket"];' in dot


def test_a_slip_is_told_with_what_was_meant() -> None:
    done = command("explain", "graph", "wep")
    assert (done.code, done.out) == (2, "")
    assert "did you mean 'web'?" in done.err
    done = command("explain", "cooldown", "-o", "dot")
    assert (done.code, done.out) == (2, "") and "explain graph" in done.err


def test_a_circle_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    edges = [{"child": a, "parent": b, "source": "x"} for a, b in (("unit:a", "unit:b"), ("unit:b", "unit:a"))]
    monkeypatch.setattr(Call, "ask", lambda self, verb, **args: {**GRAPH, "edges": edges, "incidents": []})
    assert command("explain", "graph").out.count("needs") == 2
