"""`packages plan`: what would be upgraded, what asks and restarts, and whether it would be done."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.command_line import Done, command
from tests.support.schemas import as_promised
from tests.support.upgrade_forms import a_report
from zen_agents.cli import packages_plan
from zen_agents.rehearsal.plan import PlanReport


@pytest.fixture
def rehearsed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    async def report(*_: object) -> PlanReport:
        return a_report()

    monkeypatch.setattr(packages_plan, "rehearse_plan", report)
    config = tmp_path / "zen.yaml"
    config.write_text("agents: {dependency_manager: {}}\n")
    config.chmod(0o600)
    return config


def plan(config: Path, *words: str) -> Done:
    return command("packages", "plan", "-c", str(config), *words)


def test_people_see_the_steps_what_asks_what_restarts_and_the_way_back(rehearsed: Path) -> None:
    done = plan(rehearsed)
    assert done.code == 0
    for text in (
        "environment:app: WOULD BE DONE: packages have to be upgraded", "step       jinja2 3.1.2 -> 3.1.4",
        "asks       jinja2 is a major upgrade", "restarts   app.service", "reversible yes", "blocked    cooldown: 2m left",
        "Plan: 1 would be done, 1 needs you, 1 blocked, 1 tells people (3 rules fine)",
    ):  # fmt: skip
        assert text in done.out


def test_programs_get_all_of_it_and_the_exit_code_says_whether_something_would_be_done(rehearsed: Path) -> None:
    done = plan(rehearsed, "-o", "json", "--exit-code")
    assert done.code == 10
    body = done.json()
    as_promised(body)
    assert [(each["name"], each["outcome"], each["asks"]) for each in body["items"]] == [
        ("app", "would_run", []), ("web", "needs_you", ["jinja2 is a major upgrade"]), ("old", "blocked", []),
        ("new", "alert_only", []),
    ]  # fmt: skip
    assert len(body["items"][0]["digest"]) == 64


def test_it_is_about_what_the_configuration_lists(rehearsed: Path) -> None:
    done = plan(rehearsed, "-e", "/srv/app")
    assert done.code == 2
    assert "packages outdated -e PATH" in done.err
