"""`packages plan`: what would be upgraded, what asks and restarts, and whether it would be done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.support.command_line import Done, command
from tests.support.guarding import plan as a_plan
from tests.support.guarding import request
from tests.support.schemas import as_promised
from zen_agents.cli import packages_plan
from zen_agents.clock import Instant
from zen_agents.engine.executor import Judged
from zen_agents.model.action import Reversible
from zen_agents.model.observation import Finding, Status
from zen_agents.model.reason import Reason
from zen_agents.model.verdict import Answer, Ruling, Verdict
from zen_agents.rehearsal.plan import Line, PlanReport
from zen_agents.rules.condition import StatusIs
from zen_agents.rules.rule import Rule

NOW = Instant(datetime(2026, 1, 7, tzinfo=UTC), 5.0)
ASKED = request()


def a_line(name: str, word: str, ruling: Ruling | None, asks: Sequence[str] = ()) -> Line:
    target = f"environment:{name}"
    rule = Rule(
        f"dependency_manager.{name}.due", "dependency_manager", target, StatusIs(f"packages.{name}.due", target, 60.0),
        summary="packages have to be upgraded",
    )  # fmt: skip
    judged = None
    if ruling is not None:
        made = replace(
            a_plan(ASKED, "path:/srv/app", "unit:app.service"), steps=("jinja2 3.1.2 -> 3.1.4",), asks=tuple(asks),
            reversible=Reversible.YES,
        )  # fmt: skip
        answer = Answer("cooldown", ruling, Reason.COOLDOWN, "2m left")
        judged = Judged(ASKED, made, Verdict(ruling, Reason.COOLDOWN, (answer,)))
    return Line(rule, Finding(Status.PROBLEM, NOW, "jinja2 3.1.2 -> 3.1.4 (security)"), word, "", judged, None)


@pytest.fixture
def rehearsed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    lines = [
        a_line("app", "would_run", Ruling.ALLOW), a_line("web", "needs_you", Ruling.HOLD, ["jinja2 is a major upgrade"]),
        a_line("old", "blocked", Ruling.DENY), a_line("new", "alert_only", None),
    ]  # fmt: skip

    async def report(*_: object) -> PlanReport:
        return PlanReport(lines, 3, NOW.wall)

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
