"""The page that says what to do is there whatever else is not."""

import pytest

from tests.support.command_line import WrittenState, command


@pytest.mark.parametrize("name", ["disk.filling", "system_health.disk.filling", "system_health.disk.filling.critical"])
def test_a_rule_has_its_page(name: str) -> None:
    done = command("runbook", name)
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("# ")
    assert done.out == command("runbook", "disk.filling").out


@pytest.mark.parametrize("name", ["inc-aaaa11", "inc-aa", "@last", "web", "service:web", "system_health.web"])
def test_what_is_wrong_has_the_page_of_its_kind(state: WrittenState, name: str) -> None:
    state.incident("inc-aaaa11", state.ago(300), opened_at=state.ago(300), target="service:web")
    assert state("runbook", name).out == command("runbook", "service").out


@pytest.mark.parametrize("name", ["disk.filing", "../../../etc/passwd", "", "inc-zzzz", "index"])
def test_what_has_no_page_is_told_with_the_next_step(state: WrittenState, name: str) -> None:
    done = state("runbook", name)
    assert (done.code, done.out) == (2, "")
    assert "zen-agents runbook" in done.err
    assert done.err.count("\n") == 1


def test_a_slip_is_understood() -> None:
    assert "did you mean 'disk.filling'?" in command("runbook", "disk.filing").err


def test_all_pages_are_listed_with_their_titles() -> None:
    listed = {row["name"]: row["title"] for row in command("runbook", "-o", "json").json()["items"]}
    assert {"safe-mode", "unknown-outcome", "breaker-open", "emergency-stop", "service", "disk"} <= set(listed)
    assert all(title and not title.startswith("#") for title in listed.values())
    body = command("runbook", "safe-mode", "-o", "json").json()
    assert (body["name"], body["title"]) == ("safe-mode", listed["safe-mode"])
    assert body["text"].startswith(f"# {body['title']}")
