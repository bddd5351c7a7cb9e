"""`why` says what else changed on the host, which line a rule stands in, and finds things in a large state at once."""

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.support.command_line import HOSTILE, WrittenState, a_repair, guard
from zen_agents.adapters import host_changes
from zen_agents.model.action import OutcomeKind
from zen_agents.ports.store import WATCHED_PATHS


@pytest.fixture(autouse=True)
def dpkg_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A log of this test's own in the place of the host's."""
    log = tmp_path / "dpkg.log"
    log.write_text("")
    monkeypatch.setattr(host_changes.package_changes, "__defaults__", ((log,),))
    return log


def test_packages_files_and_own_actions_before_an_incident_are_told(
    state: WrittenState, tmp_path: Path, dpkg_log: Path
) -> None:
    watched = tmp_path / "web.pem"
    watched.write_text("x")
    hour_ago = datetime.now(UTC) - timedelta(hours=1)
    os.utime(watched, (hour_ago.timestamp(), hour_ago.timestamp()))
    dpkg_log.write_text(f"{hour_ago.astimezone():%Y-%m-%d %H:%M:%S} upgrade openssl:amd64 3.0.14 {HOSTILE}\n")
    state.store.put(WATCHED_PATHS, json.dumps([str(watched), str(tmp_path / "gone")]))
    state.acted("act-zzzz99", state.ago(1800), OutcomeKind.VERIFIED, incident="inc-other1")
    state.acted("act-yyyy88", state.ago(1700), OutcomeKind.VERIFIED)
    state.incident("inc-aaaa11", state.ago(600), opened_at=state.ago(600))
    state.decided("dec-aaaa11", state.ago(500))
    text = state("why", "inc-aaaa11").out
    changed = text[text.index("Changed on this host") : text.index("What happens next")]
    assert "upgrade openssl:amd64 3.0.14 -> a [31mb" in changed
    assert "\x1b" not in text
    assert f"file      {watched}" in changed
    assert "act-zzzz99 restart_service service:web -> verified" in changed
    assert "act-yyyy88" not in changed
    assert f"not known  files: {tmp_path / 'gone'} is not there" in changed
    body = state("why", "inc-aaaa11", "-o", "json").json()["changed"]
    assert {row["kind"] for row in body["found"]} == {"package", "file", "action"}
    assert [row["at"] for row in body["found"]] == sorted((row["at"] for row in body["found"]), reverse=True)


def test_what_changed_after_an_incident_was_over_is_not_its_cause(state: WrittenState, dpkg_log: Path) -> None:
    a_repair(state)
    dpkg_log.write_text(f"{datetime.now():%Y-%m-%d %H:%M:%S} upgrade late:all 1 2\n")  # noqa: DTZ005  as dpkg writes it
    text = state("why", "inc-aaaa11").out
    assert "late:all" not in text
    assert "nothing that is known of" in text
    assert "not known  files: no path is watched" in text


def test_only_the_newest_changes_are_shown_unless_all_are_asked_for(state: WrittenState, dpkg_log: Path) -> None:
    at = datetime.now(UTC) - timedelta(hours=1)
    rows = [f"{at.astimezone() + timedelta(seconds=n):%Y-%m-%d %H:%M:%S} upgrade p{n:02}:all 1 2\n" for n in range(14)]
    dpkg_log.write_text("".join(rows))
    state.incident("inc-aaaa11", state.ago(60), opened_at=state.ago(60))
    text = state("why", "inc-aaaa11").out
    assert text.count("upgrade p") == 10
    assert "p13" in text
    assert "... and 4 older (-v shows them)" in text
    assert state("why", "inc-aaaa11", "-v").out.count("upgrade p") == 14


def test_the_rules_own_line_is_told_with_its_guards(state: WrittenState) -> None:
    state.incident("inc-aaaa11", state.ago(60), opened_at=state.ago(60))
    state.decided(
        "dec-aaaa11", state.ago(50), reason="cooldown", origin="/etc/zen-agents/config.yaml:25:7",
        guards=[guard("cooldown", "deny", reason="cooldown", origin="/etc/zen-agents/config.yaml:92:5")],
    )  # fmt: skip
    for words in (("inc-aaaa11",), ("--not", "web"), ("dec-aaaa11",)):
        lines = state("why", *words).out.splitlines()
        rule = next(line for line in lines if line.split()[:1] == ["rule"])
        assert rule.split()[1:] == ["system_health.web", "config.yaml:25:7"]
        assert any(line.split()[0] == "cooldown" and line.endswith("config.yaml:92:5") for line in lines if line.strip())


def test_why_not_finds_the_decision_of_a_time_among_those_of_many_incidents(state: WrittenState) -> None:
    for number in range(30):
        id, at = f"inc-{number:06d}", state.ago(40_000 - 1000 * number)
        state.incident(id, at, opened_at=at)
        state.decided(f"dec-{number:06d}", at.after(1), reason="cooldown", incident=id)
    for at, wanted in (("5h", "dec-000021"), ("10h", "dec-000003")):
        assert state("why", "--not", "web", "--at", at, "-o", "json").json()["id"] == wanted
    assert state("why", "--not", "web", "-o", "json").json()["id"] == "dec-000029"
    early = state("why", "--not", "web", "--at", "2001-01-01")
    assert early.out == "Nothing had been decided about it by 2001-01-01 00:00:00. The first incident of it began later.\n"
    assert state("why", "--not", "web", "--at", "2001-01-01", "-o", "json").json()["outcome"] is None
    assert state("why", "--not", "web", "--at", "25:99").code == 2
