"""What depends on what: followed upwards over any number of steps; in a circle nobody is anybody's cause."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from zen_agents.rules.causality import Causality, Edge

NODES = st.sampled_from("abcdef")
EDGES = st.lists(st.builds(Edge, NODES, NODES, st.sampled_from(["seen", "written"])), max_size=12)


def test_causes_are_found_over_several_steps_with_how_each_is_known() -> None:
    graph = Causality([Edge("web", "app", "its probe asks port 80"), Edge("app", "db", "Requires= of app.service")])
    assert graph.causes("web") == {
        "app": "its probe asks port 80",
        "db": "its probe asks port 80; Requires= of app.service",
    }
    assert list(graph.causes("web")) == ["app", "db"]
    assert graph.causes("db") == graph.causes("unheard-of") == {}


def test_an_edge_to_itself_and_a_second_one_are_none() -> None:
    graph = Causality([Edge("a", "a", "x"), Edge("a", "b", "x"), Edge("a", "b", "x"), Edge("a", "b", "y")])
    assert graph.causes("a") == {"b": "x"}
    assert len(graph.edges) == 2


def test_in_a_circle_nobody_is_the_cause_and_what_the_circle_needs_is() -> None:
    graph = Causality(
        [Edge("a", "b", ""), Edge("b", "c", ""), Edge("c", "a", ""), Edge("b", "disk", ""), Edge("x", "a", "")]
    )
    assert set(graph.causes("a")) == set(graph.causes("b")) == set(graph.causes("c")) == {"disk"}
    assert set(graph.causes("x")) == {"a", "b", "c", "disk"}


@settings(deadline=None)
@given(EDGES)
def test_of_two_nodes_at_most_one_is_the_others_cause(edges: list[Edge]) -> None:
    """R8, R3: nothing is muted by what it explains itself, however the edges lie; so somebody is always acted on."""
    graph = Causality(edges)
    for node in "abcdef":
        assert node not in graph.causes(node)
        for cause in graph.causes(node):
            assert node not in graph.causes(cause)
            # What explains a cause explains what it causes.
            assert set(graph.causes(cause)) <= set(graph.causes(node)) | {node}


@settings(deadline=None)
@given(EDGES, st.sets(NODES, min_size=1))
def test_of_all_that_is_down_something_is_nobodys_child(edges: list[Edge], down: set[str]) -> None:
    graph = Causality(edges)
    assert any(not down & set(graph.causes(node)) for node in down)


@settings(deadline=None)
@given(EDGES, st.sets(NODES))
def test_what_leads_nowhere_can_go_and_changes_no_cause_that_counts(edges: list[Edge], counted: set[str]) -> None:
    graph, kept = Causality(edges), Causality(edges).leading_to(counted)
    for node in "abcdef":
        assert set(graph.causes(node)) & counted == set(kept.causes(node)) & counted
