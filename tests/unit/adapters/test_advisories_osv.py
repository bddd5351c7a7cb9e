"""The API of OSV over a real socket: what it lists is found, and whatever goes wrong is unknown, never "nothing"."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.support.advisories import debian, pypi, record
from tests.support.http_server import Reply
from tests.support.osv_server import OsvServer, osv_server
from zen_agents.adapters.advisories_cache import AdvisoryCache
from zen_agents.adapters.advisories_osv import OsvApi
from zen_agents.packages.advisories.answer import Answer
from zen_agents.packages.package import Ecosystem, Package, package

NOW = datetime(2026, 1, 7, 12, tzinfo=UTC)
BEFORE = {"introduced": "0"}, {"fixed": "3.1.4"}
JINJA = pypi("Jinja2", "3.1.3")


@pytest.fixture
def server() -> Iterator[OsvServer]:
    with osv_server() as running:
        yield running


def ask(server: OsvServer, folder: Path, *packages: Package, at: datetime = NOW, **more: Any) -> Answer:
    cache = AdvisoryCache(folder / "state", at)
    try:
        return OsvApi(f"{server.url}/", cache, at, timedelta(hours=6), **more).ask(packages)
    finally:
        cache.close()


def ids(answer: Answer) -> list[str]:
    return sorted(finding.advisory for finding in answer.findings)


def test_what_the_server_lists_is_found_with_what_the_records_say(server: OsvServer, tmp_path: Path) -> None:
    server.knows(record("PYSEC-1", "jinja2", BEFORE, aliases=["CVE-1"], summary="bad\nthing"), "3.1.3")
    second = package(Ecosystem.PYPI, "JINJA2", "3.1.3", "/other")
    answer = ask(server, tmp_path, JINJA, second, pypi("flask", "1"), debian("bash", "5"))
    assert [(each.package, each.advisory, each.fixed_in) for each in answer.findings] == [
        (JINJA, "PYSEC-1", "3.1.4"), (second, "PYSEC-1", "3.1.4")
    ]  # fmt: skip
    assert (answer.findings[0].aliases, answer.findings[0].summary) == ({"CVE-1"}, "bad thing")
    assert (answer.unknown, answer.as_of) == ((), NOW)
    assert server.asked == ["/v1/querybatch", "/v1/vulns/PYSEC-1"]


def test_all_pages_are_read(server: OsvServer, tmp_path: Path) -> None:
    for number in range(5):
        server.knows(record(f"PYSEC-{number}", "jinja2", BEFORE), "3.1.3")
    assert ids(ask(server, tmp_path, JINJA)) == [f"PYSEC-{number}" for number in range(5)]
    assert server.asked.count("/v1/querybatch") == 3


def test_a_withdrawn_record_is_no_finding_and_one_without_ranges_is(server: OsvServer, tmp_path: Path) -> None:
    server.knows(record("PYSEC-1", "jinja2", BEFORE, withdrawn="2026-01-01T00:00:00Z"), "3.1.3")
    server.knows(record("PYSEC-2", "jinja2"), "3.1.3")
    answer = ask(server, tmp_path, JINJA)
    assert (ids(answer), answer.findings[0].fixed_in) == (["PYSEC-2"], "")


@pytest.mark.parametrize(
    ("instead", "why"),
    [
        (("/", 500, b"oops"), "answers with status 500"),
        (("/", 200, b"<html>log in here</html>"), "does not answer as OSV does"),
        (("/", 200, b'{"vulns": []}'), "does not answer as OSV does"),
        (("/", 200, b'{"results": []}'), "answers 0 of 1 questions"),
        (("/", 200, b'{"results": [{"vulns": [{"id": "../x"}]}]}'), "does not answer as OSV does"),
        (("/", 302, b""), "answers with status 302"),
        (("/", 204, b""), "answers with status 204"),
        (("/", 200, b'{"results": [{"next_page_token": "on"}]}'), "more than 100 pages"),
    ],
)
def test_a_server_that_answers_something_else_leaves_it_unknown(
    server: OsvServer, tmp_path: Path, instead: tuple[str, int, bytes], why: str
) -> None:
    server.instead = instead
    answer = ask(server, tmp_path, JINJA)
    assert answer.findings == ()
    (unknown,) = answer.unknown
    assert why in unknown.why
    assert "versions that stay unknown: 1" in unknown.why


@pytest.mark.parametrize("status", [429, 503])
def test_who_asks_to_be_asked_again_is(server: OsvServer, tmp_path: Path, status: int) -> None:
    server.knows(record("PYSEC-1", "jinja2", BEFORE), "3.1.3")
    server.first = [Reply(status, b"", {"Retry-After": "0"}), Reply(status, b"", {"Retry-After": "0"})]
    answer = ask(server, tmp_path, JINJA)
    assert (ids(answer), answer.unknown) == (["PYSEC-1"], ())
    assert server.asked[:3] == ["/v1/querybatch"] * 3


def test_who_goes_on_asking_for_patience_or_asks_for_too_much_is_not_waited_for(server: OsvServer, tmp_path: Path) -> None:
    server.first = [Reply(429, b"", {"Retry-After": "3600"})]
    (unknown,) = ask(server, tmp_path, JINJA).unknown
    assert "answers with status 429, and asks to wait 3600 s; versions that stay unknown: 1" in unknown.why
    server.first = [Reply(429, b"", {"Retry-After": "0"})] * 4
    (unknown,) = ask(server, tmp_path, JINJA).unknown
    assert "answers with status 429; versions that stay unknown: 1" in unknown.why
    server.first = [Reply(429, b"", {"Retry-After": "Wed, 07 Jan 2026 12:00:00 GMT"})]
    (unknown,) = ask(server, tmp_path, JINJA, within_seconds=0.5).unknown
    assert "asks to wait 1 s" in unknown.why


def test_more_versions_than_one_question_may_have_are_asked_in_several(server: OsvServer, tmp_path: Path) -> None:
    server.knows(record("PYSEC-1", "p1234", BEFORE), "1.0")
    many = [pypi(f"p{number}", "1.0") for number in range(1500)]
    answer = ask(server, tmp_path, *many)
    assert (ids(answer), answer.unknown) == (["PYSEC-1"], ())
    assert server.asked == ["/v1/querybatch", "/v1/querybatch", "/v1/vulns/PYSEC-1"]


def test_a_batch_that_fails_leaves_what_others_told(server: OsvServer, tmp_path: Path) -> None:
    server.knows(record("PYSEC-1", "p1", BEFORE), "1.0")
    many = [pypi(f"p{number}", "1.0") for number in range(1500)]
    ask(server, tmp_path, *many[:1000])
    server.instead = ("/v1/querybatch", 500, b"")
    answer = ask(server, tmp_path, *many)
    assert ids(answer) == ["PYSEC-1"]
    assert "versions that stay unknown: 500" in answer.unknown[0].why


def test_a_question_that_the_api_refuses_is_unknown(server: OsvServer, tmp_path: Path) -> None:
    server.first = [Reply(400, b'{"code":3,"message":"Invalid query."}')]
    (unknown,) = ask(server, tmp_path, JINJA).unknown
    assert "answers with status 400" in unknown.why
    server.first = [Reply(200, b'{"results": [{}]}', cut=4)]
    (unknown,) = ask(server, tmp_path, JINJA).unknown
    assert "broke off its answer" in unknown.why


def test_a_server_that_does_not_answer_in_time_or_at_all_leaves_it_unknown(server: OsvServer, tmp_path: Path) -> None:
    server.answers.clear()
    (unknown,) = ask(server, tmp_path, JINJA, within_seconds=0.2).unknown
    assert "does not answer" in unknown.why
    server.answers.set()
    server.url = "http://127.0.0.1:1"
    (unknown,) = ask(server, tmp_path, JINJA).unknown
    assert "refused" in unknown.why


def test_a_server_that_sends_a_byte_at_a_time_is_not_waited_for(server: OsvServer, tmp_path: Path) -> None:
    """Each of them comes before any time-out of a socket."""
    ended = threading.Event()

    def drip(listening: socket.socket) -> None:
        connection, _ = listening.accept()
        with connection, contextlib.suppress(ConnectionError):
            connection.sendall(b"HTTP/1.1 200 OK\r\nX-Long: ")
            while not ended.wait(0.02):
                connection.sendall(b"x")

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=drip, args=(listening,))
        thread.start()
        server.url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        (unknown,) = ask(server, tmp_path, JINJA, within_seconds=0.3).unknown
        ended.set()
        thread.join()
    assert "does not answer in time; versions that stay unknown: 1" in unknown.why


def test_an_advisory_that_cannot_be_read_is_a_finding_all_the_same(server: OsvServer, tmp_path: Path) -> None:
    server.knows(record("PYSEC-1", "jinja2", BEFORE), "3.1.3")
    server.instead = ("/v1/vulns/", 200, b"garbage")
    answer = ask(server, tmp_path, JINJA)
    assert ids(answer) == ["PYSEC-1"]
    assert "advisories that could not be read: 1 of 1" in answer.unknown[0].why


def test_a_version_that_is_none_is_unknown_and_keeps_nobody_else_from_being_asked(server: OsvServer, tmp_path: Path) -> None:
    server.knows(record("PYSEC-1", "jinja2", BEFORE), "3.1.3")
    strange = pypi("flask", "not a version")
    answer = ask(server, tmp_path, strange, JINJA)
    assert ids(answer) == ["PYSEC-1"]
    assert [each.package for each in answer.unknown] == [strange]


def test_what_was_answered_is_not_asked_again_before_it_is_too_old(server: OsvServer, tmp_path: Path) -> None:
    server.knows(record("PYSEC-1", "jinja2", BEFORE), "3.1.3")
    first = ask(server, tmp_path, JINJA)
    server.asked.clear()
    soon = ask(server, tmp_path, JINJA, at=NOW + timedelta(hours=6))
    assert (soon.findings, soon.as_of, server.asked) == (first.findings, NOW, [])
    later = ask(server, tmp_path, JINJA, at=NOW + timedelta(hours=7))
    # A record that is as it was is not fetched again either.
    assert (later.findings, later.as_of) == (first.findings, NOW + timedelta(hours=7))
    assert server.asked == ["/v1/querybatch"]


def test_a_record_that_was_changed_is_fetched_again(server: OsvServer, tmp_path: Path) -> None:
    server.knows(record("PYSEC-1", "jinja2", BEFORE), "3.1.3")
    ask(server, tmp_path, JINJA)
    server.records["PYSEC-1"] = {**server.records["PYSEC-1"], "modified": "later", "withdrawn": "2026-01-08T00:00:00Z"}
    assert ask(server, tmp_path, JINJA, at=NOW + timedelta(days=1)).findings == ()


def test_old_answers_are_shown_as_old_where_the_server_is_gone(server: OsvServer, tmp_path: Path) -> None:
    server.knows(record("PYSEC-1", "jinja2", BEFORE), "3.1.3")
    ask(server, tmp_path, JINJA)
    server.instead = ("/", 503, b"")
    answer = ask(server, tmp_path, JINJA, pypi("flask", "1"), at=NOW + timedelta(days=2))
    assert (ids(answer), answer.as_of) == (["PYSEC-1"], NOW)
    assert "versions that stay unknown: 2; told as it was up to 2 d ago: 1" in answer.unknown[0].why


@pytest.mark.parametrize("damage", ["no database", "others may write it"])
def test_a_cache_that_cannot_be_used_costs_only_another_question(server: OsvServer, tmp_path: Path, damage: str) -> None:
    server.knows(record("PYSEC-1", "jinja2", BEFORE), "3.1.3")
    state = tmp_path / "state"
    state.mkdir(mode=0o700)
    if damage == "no database":
        (state / "advisories.db").write_bytes(b"not a database" * 99)
    else:
        state.chmod(0o777)
    assert ids(ask(server, tmp_path, JINJA)) == ["PYSEC-1"]
    assert ids(ask(server, tmp_path, JINJA)) == ["PYSEC-1"]
    assert server.asked.count("/v1/querybatch") == (1 if damage == "no database" else 2)
