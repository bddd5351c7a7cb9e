"""The name of an operation holds nothing that differs from one request to the next."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zen_agents.logs.latency.routes import LONGEST_ROUTE, route_of


@pytest.mark.parametrize(
    ("path", "route"),
    [
        ("/api/v1/orders/17?page=2&token=secret", "/api/v1/orders/{n}"),
        ("/", "/"),
        ("", "/"),
        ("//a//b/", "/a/b"),
        ("/users/550e8400-e29b-41d4-a716-446655440000/avatar.png", "/users/{id}/avatar.png"),
        ("/commit/9fceb02d0ae598e95dc970b74767f19372d61af8", "/commit/{id}"),
        ("/files/order-12-b3", "/files/order-{n}-b{n}"),
        ("/search/%41%42", "/search/{id}"),
        ("/static/facade/deadbeef", "/static/facade/deadbeef"),
        ("https://example.org/a/12", "/a/{n}"),
        ("https://example.org", "/"),
        ("/1/2/3/4/5/6/7/8/9/10", "/{n}/{n}/{n}/{n}/{n}/{n}/{n}/{n}/…"),
        ("/a#part", "/a"),
    ],
)
def test_what_differs_is_taken_out(path: str, route: str) -> None:
    assert route_of(path) == route


def test_the_method_is_part_of_it() -> None:
    assert route_of("/a/1", "GET") == "GET /a/{n}"


@given(st.text(max_size=400), st.sampled_from(["", "GET"]))
def test_whatever_is_asked_for_is_short_and_without_numbers(path: str, method: str) -> None:
    route = route_of(path.replace("v", "w"), method)
    assert len(route) <= LONGEST_ROUTE
    assert not set("0123456789") & set(route)
