"""`plan --facts`: the real rules and guards over written facts, on no host at all."""

from pathlib import Path

import pytest

from tests.support.command_line import Done, command

CONFIG = """
mode: {mode}
agents:
  system_health:
    services:
      web: {{unit: nginx.service, check: {{http: "http://127.0.0.1/healthz"}}, fail_after: 3}}
      db: {{unit: postgresql.service, check: {{tcp: "127.0.0.1:5432"}}}}
actions:
  default: deny
  allow:
    restart_service: {{units: [nginx.service], approval: {approval}}}
"""


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ZEN_AGENTS_STATE_DIR", str(tmp_path / "no-state"))


def plan(facts: str, *words: str, mode: str = "enforce", approval: str = "auto") -> Done:
    config = Path("c.yaml")
    config.write_text(CONFIG.format(mode=mode, approval=approval), encoding="utf-8")
    config.chmod(0o600)
    Path("facts.yaml").write_text(f"now: 2026-11-21T03:14:00+01:00\nobservations: {{{facts}}}\n", encoding="utf-8")
    return command("plan", "-c", "c.yaml", "--facts", "facts.yaml", *words)


def test_what_is_down_would_be_repaired() -> None:
    done = plan("service.web: down, cpu.percent: 97", "--exit-code")
    assert done.code == 10
    assert done.out.startswith("DRY RUN  facts facts.yaml  mode enforce  config c.yaml  ")
    assert "WOULD RUN" in done.out
    assert "if it is bad 3 times in a row" in done.out
    assert done.out.endswith("Plan: 1 to run, 0 needs approval, 0 blocked, 1 alerts only.\n")
    assert plan("service.web: down").code == 0


@pytest.mark.parametrize(("approval", "word"), [("auto", "WOULD RUN"), ("required", "NEEDS YOU")])
def test_what_has_no_way_back_says_so_before_it_runs(approval: str, word: str) -> None:
    done = plan("service.web: down", approval=approval)
    assert word in done.out and "reversible no: it cannot be undone" in done.out


def test_what_is_fine_or_not_told_would_not() -> None:
    assert plan("service.web: up", "--exit-code").code == 0
    assert plan("service.web: unknown", "--exit-code").code == 0
    done = plan("", "--exit-code")
    assert (done.code, "Plan: 0 to run" in done.out) == (0, True)


def test_what_is_blocked_names_the_guard_and_its_place() -> None:
    done = plan("service.db: down", "--exit-code")
    assert done.code == 0
    assert "BLOCKED" in done.out
    assert "1 blocked" in done.out
    assert "allow_list:" in done.out
    assert "reason" in plan("service.web: down", "--mode", "observe").out
    assert "mode_observe" in plan("service.web: down", mode="observe").out
    assert "NEEDS YOU" in plan("service.web: down", approval="required").out


def test_all_guards_are_shown_if_asked_for_and_the_lines_not_if_not() -> None:
    every = plan("service.web: down", "-v").out
    assert "emergency_stop" in every
    assert "dry_run" in every
    quiet = plan("service.web: down", "-q").out
    assert len(quiet.splitlines()) == 2


def test_programs_read_the_same() -> None:
    body = plan("service.web: down", "-o", "json").json()
    assert (body["schema"], body["mode"], body["would_run"]) == ("zen-agents/plan/v1", "enforce", 1)
    line = body["lines"][0]
    assert (line["rule"], line["outcome"]) == ("system_health.web", "would_run")
    assert {guard["ruling"] for guard in line["judgement"]["guards"]} == {"allow"}


def test_a_fact_that_nothing_observes_is_told() -> None:
    done = plan("cpu.percnt: 97")
    assert "observes cpu.percnt" in done.err
    assert plan("cpu.percnt: 97", "-o", "json").json()["unused_facts"] == ["cpu.percnt"]
    assert plan("cpu.percent: 97").err == ""


def test_one_agent_alone_and_one_that_is_not_there() -> None:
    assert plan("service.web: down", "--agent", "system_health").code == 0
    done = plan("service.web: down", "--agent", "system_helth")
    assert (done.code, "there is no agent 'system_helth'" in done.err) == (2, True)


def test_wrong_facts_are_wrong_usage_and_a_wrong_configuration_is_not_valid() -> None:
    assert plan("service.web: broken").code == 2
    assert plan("", mode="sometimes").code == 78
    assert plan("", "--mode", "enforce", mode="observe").code in (2, 78)


def test_another_moment_is_judged_by_its_own_windows() -> None:
    window = (
        "maintenance: [{name: a, days: [sat], start: '02:00', duration: 2h, timezone: Europe/Berlin, effect: no_actions}]"
    )

    def at(*words: str) -> Done:
        plan("service.web: down")
        Path("c.yaml").write_text(CONFIG.format(mode="enforce", approval="auto") + window, encoding="utf-8")
        return command("plan", "-c", "c.yaml", "--facts", "facts.yaml", "--exit-code", *words)

    assert at().code == 0  # 2026-11-21 is a Saturday, and it is 03:14
    assert at("--at", "2026-11-21T05:00:00+01:00").code == 10
    night = at("--at", "2026-11-28T02:30:00+01:00")
    assert (night.code, "as if it were then" in night.out, "maintenance" in night.out) == (0, True, True)
    assert at("--at", "half past two").code == 2
    assert at("--out", "p.json").code == 2
