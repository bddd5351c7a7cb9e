"""`report`: what came of it, counted from a written state."""

from __future__ import annotations

import errno
import json
import os
import re
from pathlib import Path
from typing import Any

import pytest

from tests.support.command_line import HOSTILE, WrittenState, command
from tests.support.state import a_message
from zen_agents.adapters import durable_file
from zen_agents.clock import Instant
from zen_agents.model.action import OutcomeKind
from zen_agents.model.entry import EntryKind
from zen_agents.model.incident import IncidentState
from zen_agents.model.message import MessageKind
from zen_agents.model.reason import Reason

HOUR, DAY = 3600.0, 86400.0


def over(state: WrittenState, id: str, opened: Instant, *, by: str, seconds: float, **more: Any) -> None:
    end = opened.after(seconds)
    state.incident(
        id, opened, opened_at=opened, state=IncidentState.RESOLVED, resolved_at=end, changed_at=end, resolved_by=by, **more
    )


def repaired(state: WrittenState, number: int, ago: float, *, target: str = "service:web") -> None:
    opened = state.ago(ago)
    over(state, f"inc-{target[-3:]}{number:03}", opened, by="engine", seconds=10.0, target=target)
    state.acted(
        f"act-{target[-3:]}{number:03}", opened.after(1.0), OutcomeKind.VERIFIED, incident=f"inc-{target[-3:]}{number:03}"
    )


def report(state: WrittenState, *words: str) -> Any:
    done = state("report", "-o", "json", *words)
    assert (done.code, done.err) == (0, "")
    return json.loads(done.out)


def a_rate(times: int, of: int) -> dict[str, int]:
    return {"times": times, "of": of}


def counts(rate: dict[str, Any]) -> dict[str, int]:
    return {"times": rate["times"], "of": rate["of"]}


def test_what_a_rule_achieved(state: WrittenState) -> None:
    for number in range(4):
        # Each comes again within a day of the one before; whether the last does cannot be told yet.
        repaired(state, number, 3 * DAY - number * 20 * HOUR)
    opened = state.ago(5 * HOUR)
    state.incident(
        "inc-bad001", opened, opened_at=opened, escalated_for=Reason.LADDER_EXHAUSTED, escalated_at=opened.after(60)
    )
    state.acted("act-bad001", opened.after(1.0), OutcomeKind.FAILED, incident="inc-bad001")
    over(state, "inc-alone1", state.ago(30 * HOUR), by="itself", seconds=600.0)
    over(state, "inc-alone2", state.ago(29 * HOUR), by="itself", seconds=2 * HOUR)
    (rule,) = report(state)["rules"]
    assert (rule["rule"], rule["incidents"]) == ("system_health.web", 7)
    assert counts(rule["verified"]) == a_rate(4, 5)
    assert counts(rule["cleared_acted"]) == a_rate(4, 5)
    assert counts(rule["cleared_alone"]) == a_rate(1, 2)
    assert rule["repaired"] == {"median": 10.0, "p95": 10.0}
    assert rule["verified"]["few"] and rule["verified"]["low"] < 0.8 < rule["verified"]["high"]


def test_what_comes_again_within_a_day_was_not_mended(state: WrittenState) -> None:
    repaired(state, 1, 6 * DAY)
    repaired(state, 2, 6 * DAY - 20 * HOUR)
    repaired(state, 3, 2 * DAY)
    repaired(state, 4, 2 * HOUR, target="service:api")
    (rule,) = report(state)["rules"]
    # The first came again; the second and third did not for a day; of the fourth nobody can tell yet.
    assert counts(rule["recurred"]) == a_rate(1, 3)


def test_what_is_repaired_again_and_again_is_a_debt(state: WrittenState) -> None:
    for number in range(3):
        repaired(state, number, 3 * DAY - number * DAY)
    repaired(state, 7, HOUR, target="service:api")
    (debt,) = report(state)["debts"]
    assert (debt["target"], debt["repairs"], debt["broken_seconds"]) == ("service:web", 3, 30.0)
    assert debt["actions"] == ["restart_service"]


def test_objectives_are_judged_only_with_enough_to_judge(state: WrittenState) -> None:
    for number in range(9):
        repaired(state, number, 6 * DAY - number * HOUR)
    few = {one["name"]: one["met"] for one in report(state)["objectives"]}
    assert few["actions verified"] is None and few["outcome unknown"] is None
    repaired(state, 9, 2 * HOUR)
    enough = {one["name"]: one["met"] for one in report(state)["objectives"]}
    assert enough["actions verified"] and enough["outcome unknown"] and enough["repaired within 5 min"]
    assert enough["broken again within a day"] is None or not enough["broken again within a day"]


SLO = """\
agents:
  system_health:
    services: {web: {unit: web.service}}
slo:
  verified: 100%
  in_time: 90%
  within: 1m
  rules:
    system_health.web: {recurring: 50%, within: 5s}
"""


def test_targets_come_from_the_configuration_with_what_is_left_of_their_budgets(state: WrittenState, tmp_path: Path) -> None:
    for number in range(12):
        repaired(state, number, 6 * DAY - number * 30 * HOUR / 12)
    state.acted("act-bad001", state.ago(HOUR), OutcomeKind.FAILED, incident=None)
    config = written(tmp_path, SLO)

    told = {(one["rule"], one["name"]): one for one in report(state, "-c", str(config))["objectives"]}

    verified, in_time = told["", "actions verified"], told["", "repaired within 1 min"]
    assert (verified["target"], verified["met"]) == ("at least 100 %", False)
    assert verified["budget"] == {"allowed": 0.0, "spent": 1}
    assert in_time["met"] and in_time["budget"] == {"allowed": pytest.approx(1.2), "spent": 0}
    # Of the rule only what is named is judged; the share of `in_time` is that of all.
    own = {name: one["met"] for (rule, name), one in told.items() if rule == "system_health.web"}
    assert own == {"broken again within a day": False, "repaired within 5 s": False}


@pytest.mark.parametrize("form", ["table", "md", "html"])
def test_every_form_says_what_is_met_and_what_is_spent(state: WrittenState, tmp_path: Path, form: str) -> None:
    for number in range(12):
        repaired(state, number, 6 * DAY - number * HOUR)

    out = state("report", "-o", form, "-c", str(written(tmp_path, SLO))).out

    assert "0 of 1.2 spent" in out
    assert "system_health.web" in out
    assert "NO" in out


def test_a_configuration_that_is_not_valid_is_told_and_the_usual_targets_hold(state: WrittenState, tmp_path: Path) -> None:
    repaired(state, 1, HOUR)

    done = state("report", "-c", str(written(tmp_path, "slo: {verified: 101%}")))

    assert done.code == 0
    assert "is not valid, so the usual objectives are judged" in done.err
    assert "at least 95 %" in done.out


def written(tmp_path: Path, text: str) -> Path:
    config = tmp_path / "config.yaml"
    config.write_text(text, "utf-8")
    config.chmod(0o600)
    return config


def test_who_did_what_and_what_was_not_done(state: WrittenState) -> None:
    at = state.ago(HOUR)
    state.decided("dec-1", at, reason="cooldown")
    state.decided("dec-2", at, reason="cooldown")
    state.decided("dec-3", at, outcome="act", reason="allowed")
    state.decided("dec-4", state.ago(9 * DAY), reason="paused")
    state.happened(EntryKind.HUMAN, "pause", at, {"uid": 1000, "scope": "host"})
    state.acted("act-alice1", at, OutcomeKind.VERIFIED, by="engine", incident=None)
    told = report(state)
    # Entries follow each other in time: the old decision was written last and so counts as of now.
    assert told["skipped"]["cooldown"] == 2 and "allowed" not in told["skipped"]
    (person,) = told["people"]
    assert (person["name"], person["did"], person["actions"]) == ("engine", {"pause": 1}, 1)


def test_a_span_leaves_out_what_was_before_and_after(state: WrittenState) -> None:
    for number, days in enumerate((9, 5, 3, 1)):
        repaired(state, number, days * DAY)
    assert report(state)["incidents"] == 3
    assert report(state, "--since", "6d", "--until", "2d")["incidents"] == 2
    done = state("report", "--since", "1d", "--until", "2d")
    assert done.code == 2 and "is not later than" in done.err


def test_nights_in_which_somebody_was_paged(state: WrittenState, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "UTC")
    noon = state.clock.now().wall.replace(hour=12, minute=0, second=0)
    seconds = (state.clock.now().wall - noon).total_seconds() + 2 * DAY
    for number, (channel, hours) in enumerate(
        (("pagerduty", -9.0), ("pagerduty", -8.0), ("pagerduty", 0.0), ("email", -33.0))
    ):
        at = state.ago(seconds - hours * HOUR)
        state.store.enqueue(a_message(f"alr-{number}", MessageKind.FIRING, at), [channel], at.steady)
        (row,) = state.store.due_messages(state.clock.now().steady)
        state.store.mark_sent(row.id, at)
    told = report(state)
    assert (told["nights"], told["told"]) == (1, {"pagerduty": 3, "email": 1})


def test_an_empty_state_has_an_empty_report_in_every_form(state: WrittenState) -> None:
    assert report(state)["rules"] == []
    for form in ("table", "md", "html", "yaml"):
        done = state("report", "-o", form)
        assert done.code == 0 and "none" in done.out


@pytest.mark.parametrize("form", ["table", "md", "html"])
def test_names_are_never_markup_nor_obeyed(state: WrittenState, form: str) -> None:
    hostile = f"<script>alert(1)</script>|[x](http://evil){HOSTILE}"
    for number in range(3):
        opened = state.ago(3 * DAY - number * HOUR)
        over(state, f"inc-bad00{number}", opened, by="engine", seconds=10.0, target=hostile)
        state.acted(f"act-bad00{number}", opened, OutcomeKind.VERIFIED, incident=f"inc-bad00{number}")
    out = state("report", "-o", form).out
    assert "alert(1)" in out
    assert "\x1b" not in out and "\x07" not in out and "\u202e" not in out.replace("&#8238;", "")
    if form == "html":
        assert "<script" not in out
    if form == "md":
        assert "\\<script\\>" in out and "\\[x\\]" in out


def test_the_page_needs_nothing_from_elsewhere(state: WrittenState) -> None:
    for number in range(3):
        repaired(state, number, 3 * DAY - number * HOUR)
    page = state("report", "-o", "html").out
    assert page.startswith("<!DOCTYPE html>") and page.count("<svg") == 2
    assert not re.search(r"""(src|href)\s*=|url\(|@import|<script|<link""", page)
    assert "prefers-color-scheme: dark" in page and "default-src 'none'" in page


def test_without_a_state_the_next_step_is_said(tmp_path: Any) -> None:
    done = command("report", "--state-dir", str(tmp_path / "none"))
    assert done.code == 3 and "zen-agents run" in done.err


@pytest.mark.parametrize(
    ("name", "words", "begins"),
    [
        ("week.html", (), "<!doctype html>"),
        ("week.MD", (), "# "),
        ("week.json", (), '{\n  "schema": "zen-agents/report/v1"'),
        ("week.yaml", (), "schema: zen-agents/report/v1"),
        ("week.txt", (), "zen-agents on "),
        ("week", ("-o", "md"), "# "),
        ("week.html", ("-o", "json"), '{\n  "schema"'),
    ],
)
def test_a_report_goes_into_a_file_in_the_form_that_was_asked_for(
    state: WrittenState, tmp_path: Path, name: str, words: tuple[str, ...], begins: str
) -> None:
    target = tmp_path / name
    target.write_text("of last week")
    target.chmod(0o640)
    done = state("report", "--out", str(target), *words)
    assert (done.code, done.out, done.err) == (0, "", f"wrote {target}\n")
    assert target.read_text().lower().startswith(begins.lower())
    assert target.stat().st_mode & 0o777 == 0o640
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_a_file_that_must_not_be_written_stays_as_it_is(state: WrittenState, tmp_path: Path) -> None:
    kept, link, folder = tmp_path / "kept.html", tmp_path / "link.html", tmp_path / "folder.html"
    kept.write_text("kept")
    link.symlink_to(kept)
    folder.mkdir()
    for target, code, why in (
        (link, 2, "is a symbolic link and is left alone; name the file itself"),
        (folder, 2, "is no regular file and is left alone"),
        (tmp_path / "nowhere" / "week.html", 1, "could not be written (No such file or directory); nothing was changed"),
        (kept / "week.html", 1, "could not be written (Not a directory); nothing was changed"),
        (tmp_path / "week.pdf", 2, "end it in one of .htm .html .json"),
        (tmp_path / "week", 2, "or say -o FORMAT"),
    ):
        done = state("report", "--out", str(target))
        assert (done.code, done.out) == (code, ""), target
        assert why in " ".join(done.err.split()), target
    assert (kept.read_text(), link.is_symlink(), list(folder.iterdir())) == ("kept", True, [])


def test_a_disk_that_takes_no_more_leaves_the_report_of_last_week(
    state: WrittenState, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "week.md"
    target.write_text("of last week")

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(durable_file, "write_whole", full)
    done = state("report", "--out", str(target))
    assert (done.code, target.read_text()) == (1, "of last week")
    assert "No space left on device" in done.err
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []
