"""Upgrades as they are rehearsed and judged, without a place that is looked at: for what people see of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from tests.support.guarding import plan as a_plan
from tests.support.guarding import request
from zen_agents.clock import Instant
from zen_agents.engine.judged import Judged
from zen_agents.model.action import Reversible
from zen_agents.model.observation import Finding, Status
from zen_agents.model.reason import Reason
from zen_agents.model.verdict import Answer, Ruling, Verdict
from zen_agents.rehearsal.plan import Line, PlanReport
from zen_agents.rules.condition import StatusIs
from zen_agents.rules.rule import Rule

NOW = Instant(datetime(2026, 1, 7, tzinfo=UTC), 5.0)
ASKED = request()


def a_judgement(ruling: Ruling, asks: Sequence[str] = ()) -> Judged:
    """Return what the guards say to an upgrade of one package."""
    made = replace(
        a_plan(ASKED, "path:/srv/app", "unit:app.service"), steps=("jinja2 3.1.2 -> 3.1.4",), asks=tuple(asks),
        reversible=Reversible.YES,
    )  # fmt: skip
    reason = None if ruling is Ruling.ALLOW else Reason.COOLDOWN
    value = "free" if ruling is Ruling.ALLOW else "2m left"
    return Judged(ASKED, made, Verdict(ruling, reason, (Answer("cooldown", ruling, reason, value),)))


def a_report() -> PlanReport:
    """Return one place of each kind: upgraded, asked about, refused, told."""
    lines = [
        _line("app", "would_run", Ruling.ALLOW), _line("web", "needs_you", Ruling.HOLD, ["jinja2 is a major upgrade"]),
        _line("old", "blocked", Ruling.DENY), _line("new", "alert_only", None),
    ]  # fmt: skip
    return PlanReport(lines, 3, NOW.wall)


def _line(name: str, word: str, ruling: Ruling | None, asks: Sequence[str] = ()) -> Line:
    target = f"environment:{name}"
    rule = Rule(
        f"dependency_manager.{name}.due", "dependency_manager", target, StatusIs(f"packages.{name}.due", target, 60.0),
        summary="packages have to be upgraded",
    )  # fmt: skip
    judged = None if ruling is None else a_judgement(ruling, asks)
    return Line(rule, Finding(Status.PROBLEM, NOW, "jinja2 3.1.2 -> 3.1.4 (security)"), word, "", judged, None)
