"""What the worker reads from the page of an application's own pool."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pytest_httpserver import HTTPServer

from zen_agents.jobs.pool_look import PoolRequest
from zen_agents.model.pool import PoolLook, PoolQuestion
from zen_agents.workers.pool_look import answer


def look(server: HTTPServer, **changes: Any) -> PoolLook:
    question = PoolQuestion(
        "http", "app:80", url=server.url_for("/pool"), used_at="pool.active", limit_at="pool.max", **changes
    )
    return answer(PoolRequest(question, 5.0)).look


def test_the_two_numbers_are_read_where_they_are(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/pool").respond_with_json({"pool": {"active": 18, "max": 20, "waiting": "many"}})
    assert look(httpserver) == PoolLook(18, 20, "the pool")


@pytest.mark.parametrize(
    "page",
    [
        "", "no JSON", "[]", "{}", '{"pool": 7}', '{"pool": {"active": 18}}', '{"pool": {"active": "18", "max": 20}}',
        '{"pool": {"active": -1, "max": 20}}', f'{{"pool": {{"active": 1, "max": {10**400}}}}}',
        '{"pool": {"active": true, "max": 20}}',
        '{"pool": {"active": 1.5, "max": 20}}',
        '{"pool": {"active": 1, "max": 2}}' + " " * 70_000, "[" * 60_000,
    ],
)  # fmt: skip
def test_a_page_that_does_not_say_it_tells_nothing(httpserver: HTTPServer, page: str) -> None:
    httpserver.expect_request("/pool").respond_with_data(page)
    assert "does not say how many are taken" in look(httpserver).untold


def test_a_status_and_a_redirection_tell_nothing(httpserver: HTTPServer) -> None:
    httpserver.expect_ordered_request("/pool").respond_with_data("", status=503)
    httpserver.expect_ordered_request("/pool").respond_with_data("", status=302, headers={"Location": "/other"})
    assert look(httpserver).untold.endswith("answers with status 503")
    assert look(httpserver).untold.endswith("answers with status 302")
    assert len(httpserver.log) == 2


def test_a_token_comes_from_its_file(httpserver: HTTPServer, tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("open sesame\n")
    token.chmod(0o600)
    wanted = {"Authorization": "Bearer open sesame"}
    httpserver.expect_request("/pool", headers=wanted).respond_with_json({"pool": {"active": 1, "max": 2}})
    assert look(httpserver, password_file=str(token)).percent == 50.0
    token.chmod(0o666)
    untold = look(httpserver, password_file=str(token)).untold
    assert "may be written by others" in untold
    assert "sesame" not in untold


def test_nobody_there_tells_nothing(httpserver: HTTPServer) -> None:
    question = PoolQuestion("http", url="http://127.0.0.1:1/pool")
    assert "does not answer" in answer(PoolRequest(question, 5.0)).look.untold
