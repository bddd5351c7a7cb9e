"""What a line says of something that was done."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from zen_agents.logs.latency.requests import Request, request_of


@pytest.mark.parametrize(
    ("fields", "meant"),
    [
        (
            {"path": "/orders/17?x=1", "method": "GET", "status": "200", "request_time": "0.25"},
            ("GET /orders/{n}", 0.25, False),
        ),
        ({"path": "/a", "status": "503"}, ("/a", None, True)),
        ({"operation": "sync", "duration_ms": "1500", "level": "error"}, ("/sync", 1.5, True)),
        ({"duration_ms": "x", "took_ms": "20"}, ("", 0.02, False)),
        ({"status": "200", "request_time": "-1"}, ("", None, False)),
        ({"status": "200", "request_time": "nan"}, ("", None, False)),
    ],
)
def test_what_was_done_how_long_it_took_and_whether_it_failed(
    fields: Mapping[str, str], meant: tuple[str, float | None, bool]
) -> None:
    assert request_of(fields) == Request(*meant)


def test_a_line_without_status_and_time_tells_of_nothing_that_was_done() -> None:
    assert request_of({"level": "error", "message": "gone", "path": "/a"}) is None


@pytest.mark.parametrize(("key", "seconds"), [("cost", 1500.0), ("cost_ms", 1.5), ("cost_us", 0.0015), ("cost_ns", 1.5e-6)])
def test_a_field_of_ones_own_has_its_unit_in_its_name(key: str, seconds: float) -> None:
    request = request_of({key: "1500", "job": "nightly", "request_time": "3", "path": "/x"}, key, "job")
    assert request is not None
    assert (request.operation, request.seconds) == ("/nightly", pytest.approx(seconds))
