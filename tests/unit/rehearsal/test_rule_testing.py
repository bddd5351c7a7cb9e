"""`test rules`: the engine's own turns and guards over what is written, and a clear word where it is not as expected."""

import json
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.support.command_line import Done, command

CONFIG = """
mode: {mode}
agents:
  system_health:
    services:
      nginx: {{unit: nginx.service, check: {{http: "http://127.0.0.1/healthz"}}, every: 30s, fail_after: 3}}
    temp_dirs:
      app: {{path: /srv/app/tmp, older_than: 2d, above: 80%, down_to: 60%}}
actions:
  default: deny
  allow:
    restart_service: {{units: [nginx.service], approval: {approval}, cooldown: 10m}}
    clean_temp_files: {{paths: [/srv/app/tmp]}}
"""
STORY = """
config: config.yaml
tests:
  - name: three bad checks give one restart, then quiet
    start: "2026-01-10T03:00:00+01:00"
    sample_every: 30s
    inputs:
      service.nginx: up
      probe.nginx: "up x4 down x4 up x6"
    action_results:
      restart_service: {exit: 0, takes: 4s}
    expect:
      - {at: 2m, decision: system_health.nginx, outcome: skip, reason: not_held}
      - {at: 3m, decision: system_health.nginx, outcome: act, action: restart_service, target: nginx.service}
      - {at: 3m, incident: system_health.nginx, state: verifying}
      - {at: 9m, incident: system_health.nginx, state: resolved}
      - {at: 4m, alert: change}
    expect_only: true
"""
#: A service that stays down, whatever is done.
DOWN = """
config: config.yaml
tests:
  - name: it stays down
    inputs: {{service.nginx: "up down"}}
    action_results: {{restart_service: {{exit: {exit}, takes: {takes}}}}}
    expect: [{expect}]
"""


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ZEN_AGENTS_STATE_DIR", str(tmp_path / "no-state"))
    configure()


def configure(mode: str = "enforce", approval: str = "auto") -> None:
    Path("config.yaml").write_text(CONFIG.format(mode=mode, approval=approval), encoding="utf-8")
    Path("config.yaml").chmod(0o600)


def run(text: str, *words: str) -> Done:
    Path("story.yaml").write_text(text, encoding="utf-8")
    return command("test", "rules", "story.yaml", *words)


def down(expect: str, exit: int = 1, takes: str = "1s") -> Done:
    return run(DOWN.format(expect=f"{{{expect}}}", exit=exit, takes=takes), "--explain")


def test_a_story_that_comes_as_expected_passes() -> None:
    done = run(STORY)
    assert (done.code, done.err) == (0, "")
    assert done.out == "PASS  story.yaml: three bad checks give one restart, then quiet\n1 passed, 0 failed\n"


def test_what_is_not_as_expected_is_told_with_its_line_and_what_came_instead() -> None:
    done = run(STORY.replace("{at: 3m, decision", "{at: 2m30s, decision"), "--diff")
    assert done.code == 1
    assert "FAIL  story.yaml:14: at 2m30s expected act(restart_service, nginx.service), got skip(not_held, " in done.out
    assert "; it came at 3m\n" in done.out
    assert "- at 2m30s expected act(restart_service, nginx.service)\n" in done.out
    assert "+        3m  action   system_health.nginx  act(restart_service, service:nginx)\n" in done.out
    # Then nobody expected the one that came.
    assert "FAIL  story.yaml:18: at 3m no action was expected, got act(restart_service, service:nginx) at 3m" in done.out
    assert (
        "why: zen-agents test rules story.yaml --run 'three bad checks give one restart, then quiet' --explain" in done.out
    )
    assert done.out.endswith("0 passed, 1 failed\n")


def test_an_action_that_nobody_expected_fails_only_where_that_is_asked_for() -> None:
    quiet = STORY.replace("- {at: 3m, decision: system_health.nginx, outcome: act,", "# ")
    assert run(quiet).code == 1
    assert run(quiet.replace("expect_only: true", "expect_only: false")).code == 0


def test_what_does_not_help_is_tried_to_the_end_of_the_ladder_and_told() -> None:
    done = down("at: 10m, decision: system_health.nginx, outcome: skip, reason: escalated")
    assert done.code == 0, done.out
    assert done.out.count("act(restart_service, service:nginx)") == 4
    assert done.out.count("  alert(ladder_exhausted, ") == 1
    assert done.out.count("  firing(") == 1


def test_what_takes_too_long_has_timed_out() -> None:
    # The restart of a unit is given 240 s.
    done = down("at: 4m30s, alert: change", exit=0, takes="20m")
    assert (done.code, "-> timed_out" in done.out) == (0, True)


@pytest.mark.parametrize(
    ("mode", "approval", "outcome", "reason"),
    [
        ("observe", "auto", "skip", "mode_observe"),
        ("enforce", "required", "ask", "approval_pending"),
        ("approve", "auto", "ask", "approval_pending"),
    ],
)
def test_the_guards_are_the_real_ones(mode: str, approval: str, outcome: str, reason: str) -> None:
    configure(mode, approval)
    done = down(f"at: 2m, decision: system_health.nginx, outcome: {outcome}, reason: {reason}")
    assert done.code == 0, done.out
    assert "act(restart_service, service:nginx)\n" not in done.out


def test_that_nothing_opens_and_nobody_is_asked_can_be_expected() -> None:
    never = """
config: config.yaml
tests:
  - name: nothing happens
    inputs: {service.nginx: "STATES"}
    expect:
      - {at: 1m, incident: system_health.nginx, state: none}
      - {at: 1m, approval: system_health.nginx, state: none}
"""
    assert run(never.replace("STATES", "up x4")).code == 0
    assert "at 1m expected none, got " in run(never.replace("STATES", "down x4")).out


# -- people who are asked -------------------------------------------------------------------------------------------------
ASKED = """
config: config.yaml
tests:
  - name: people are asked
    inputs: {{service.nginx: "up down x{down} up"}}
    action_results: {{restart_service: {{takes: 15s}}}}
    approvals: [{answers}]
    expect:
      - {{at: 1m, approval: system_health.nginx, state: pending}}
      {expect}
    expect_only: true
"""


def asked(answers: str, expect: str, *, down: int = 200, approvers: str = "", approval: str = "required") -> Done:
    configure(approval=approval)
    if approvers:
        config = Path("config.yaml")
        config.write_text(config.read_text("utf-8") + f"approvals: {{approvers: [{approvers}]}}\n", encoding="utf-8")
    return run(ASKED.format(answers=answers, expect=expect, down=down), "--explain")


def test_a_yes_lets_it_act_and_is_spent_by_that() -> None:
    done = asked(
        "{at: 4m50s, decision: approve, by: alice}",
        """- {at: 4m30s, approval: system_health.nginx, state: pending}
      - {at: 4m50s, decision: system_health.nginx, outcome: act, action: restart_service}
      - {at: 5m30s, approval: system_health.nginx, state: used}
      - {at: 7m, incident: system_health.nginx, state: resolved}""",
        down=9,
    )
    assert done.code == 0, done.out
    assert "  answer   -  approve(alice)" in done.out


def test_a_no_leaves_it_to_people() -> None:
    done = asked(
        "{at: 5m, decision: deny, by: alice}",
        """- {at: 5m, approval: system_health.nginx, state: denied}
      - {at: 20m, incident: system_health.nginx, state: escalated}""",
    )
    assert done.code == 0, done.out


def test_silence_means_no() -> None:
    done = asked(
        "{at: 45m, decision: approve, by: alice, refused: true}",
        "- {at: 31m, approval: system_health.nginx, state: expired}",
    )
    assert done.code == 0, done.out
    assert "answer   -  approve(alice: it has expired: nobody answered in time; nothing was run)" in done.out


def test_two_people_are_two_people_and_only_those_who_may() -> None:
    done = asked(
        "{at: 5m, decision: approve, by: mallory, refused: true}, {at: 6m, decision: approve, by: alice, groups: [oncall]}, "
        "{at: 7m, decision: approve, by: alice, groups: [oncall], refused: true}, {at: 8m, decision: approve, by: bob}",
        """- {at: 7m30s, approval: system_health.nginx, state: pending}
      - {at: 8m, decision: system_health.nginx, outcome: act}""",
        down=16, approvers="'group:oncall', 'user:bob'", approval="two_person",
    )  # fmt: skip
    assert done.code == 0, done.out
    assert "mallory may not answer it" in done.out


def test_an_answer_that_does_not_count_fails_the_test_at_its_line() -> None:
    done = asked("{at: 20s, decision: approve, by: alice}", "")
    assert done.code == 1
    assert "FAIL  story.yaml:7: at 20s expected alice's approve to count, got nothing was asked" in done.out
    counted = asked("{at: 5m, decision: deny, by: alice, refused: true}", "")
    assert "expected alice's deny to be refused, got it counted" in counted.out


@pytest.mark.parametrize(
    ("answers", "expect", "said"),
    [
        ("{at: 5m, decision: maybe, by: alice}", "", "one of approve, deny"),
        ("{at: 5m, decision: approve}", "", "by"),
        ("{at: 5m, decision: approve, by: alice, rule: system_health.ngnix}", "", "did you mean `system_health.nginx`?"),
        ("", "- {at: 5m, approval: system_health.ngnix, state: used}", "did you mean `system_health.nginx`?"),
        ("", "- {at: 5m, approval: system_health.nginx, state: resolved}", "is no state of an approval: one of pending"),
        ("", "- {at: 5m, incident: system_health.nginx, state: expired}", "is no state of an incident: one of suspected"),
        ("", "- {at: 5m, approval: system_health.nginx}", "needs `state` beside it"),
    ],
)
def test_a_typo_in_what_people_answer_is_told_too(answers: str, expect: str, said: str) -> None:
    done = asked(answers, expect)
    assert done.code == 78
    assert said in done.out


def test_an_action_on_files_is_planned_from_its_parameters_and_its_scope_is_judged() -> None:
    story = """
config: config.yaml
tests:
  - name: a full disk is cleaned
    inputs: {temp_dir.app.percent: "50 95 x60 50", temp_dir.app.stale_files: 12}
    expect: [{at: 5m, decision: system_health.app, outcome: WORD, action: clean_temp_files, target: /srv/app/tmp}]
"""
    assert run(story.replace("WORD", "act")).code == 0
    config = Path("config.yaml")
    config.write_text(config.read_text("utf-8").replace("paths: [/srv/app/tmp]", "paths: [/srv/other]"), encoding="utf-8")
    assert run(story.replace("WORD", "skip, reason: out_of_scope")).code == 0


def test_neither_this_machines_state_nor_its_emergency_stop_has_a_word(tmp_path: Path) -> None:
    (tmp_path / "no-state").mkdir()
    (tmp_path / "no-state" / "EMERGENCY_STOP").write_text("set", encoding="utf-8")
    assert run(STORY).code == 0
    assert [path.name for path in (tmp_path / "no-state").iterdir()] == ["EMERGENCY_STOP"]


def test_the_same_file_plays_the_same() -> None:
    first, second = (re.sub(r"(act|inc)-\w+", "", down("at: 5m, alert: change").out) for _ in range(2))
    assert first == second


@pytest.mark.parametrize(
    ("old", "new", "place", "said"),
    [
        ("inputs:", "inputz:", "7:5", "did you mean `inputs`?"),
        ("probe.nginx", "probe.ngnix", "9:7", "did you mean `probe.nginx`?"),
        ("decision: system_health.nginx, outcome: skip", "decision: system_health.nignx, outcome: skip", "13:18",
         "did you mean `system_health.nginx`?"),
        ("reason: not_held", "reason: not_hold", "13:72", "did you mean `not_held`?"),
        ("action: restart_service", "action: restart_servise", "14:63", "did you mean `restart_service`?"),
        ("restart_service: {exit", "restart_servce: {exit", "11:7", "did you mean `restart_service`?"),
        ('"up x4 down', '"up x4 dwn', "9:27", "`dwn` is neither"),
        ("at: 2m", "at: 2", "13:14", "needs a unit"),
        ("outcome: skip, ", "", "13:28", "needs `outcome`"),
        ("{at: 4m, alert: change}", "{at: 4m, alert: change, state: open}", "17:40", "goes with `incident`"),
        ("{at: 4m, alert: change}", "{at: 4m}", "17:9", "exactly one of"),
        ("start: \"2026-01-10T03:00:00+01:00\"", "start: soon", "5:12", "is an ISO time"),
        ("sample_every: 30s", "sample_every: 400d", "6:19", "more than 31d"),
        ("tests:", "tests: []\nx-old:", "3:1", "tests"),
    ],
)  # fmt: skip
def test_a_typo_is_told_with_its_place_and_nothing_is_run(old: str, new: str, place: str, said: str) -> None:
    assert old in STORY
    done = run(STORY.replace(old, new, 1))
    assert done.code == 78
    assert f"--> story.yaml:{place}" in done.out
    assert said in done.out
    assert done.out.endswith("0 passed, 0 failed, 1 not valid\n")


def test_a_test_that_could_not_fail_and_two_of_one_name_are_refused() -> None:
    done = run("config: config.yaml\ntests:\n  - {name: a, inputs: {cpu.percent: 5}}\n")
    assert (done.code, "so it could not fail" in done.out) == (78, True)
    one = "{name: a, inputs: {cpu.percent: 5}, expect_only: true}"
    done = run(f"config: config.yaml\ntests:\n  - {one}\n  - {one}\n")
    assert (done.code, "--> story.yaml:4:12" in done.out, "a second test is called `a`" in done.out) == (78, True, True)


def test_a_configuration_that_is_not_valid_or_not_there_is_told_with_its_own_place() -> None:
    Path("config.yaml").write_text("agents:\n  system_healt: {}\n", encoding="utf-8")
    assert "--> config.yaml:2:3" in run(STORY).out
    Path("config.yaml").unlink()
    assert (run(STORY).code, "config.yaml cannot be read" in run(STORY).out) == (78, True)


def test_run_chooses_tests_and_one_that_matches_none_is_a_mistake() -> None:
    assert run(STORY, "--run", "story.yaml: three").code == 0
    (told,) = run(STORY, "--run", "three", "-o", "json").json()["tests"]
    assert (told["name"], told["ok"]) == ("three bad checks give one restart, then quiet", True)
    assert command("test", "rules", "none.yaml").err == "zen-agents: none.yaml cannot be read: No such file or directory\n"
    assert (run(STORY, "--run", "four").code, run(STORY, "--run", "(").code) == (2, 2)


def test_junit_has_each_test_its_failures_and_what_is_not_valid() -> None:
    Path("bad.yaml").write_text("tests: <&>\n", encoding="utf-8")
    story = STORY.replace("then quiet", 'then <"quiet"> &').replace("{at: 9m", "{at: 1m")
    done = run(story, "bad.yaml", "--junit", "out.xml")
    assert done.code == 78
    root = ElementTree.fromstring(Path("out.xml").read_bytes())
    assert (root.get("tests"), root.get("failures"), root.get("errors")) == ("2", "1", "1")
    case = root.find("testsuite/testcase")
    assert case is not None
    assert case.get("name") == 'three bad checks give one restart, then <"quiet"> &'
    failure = case.find("failure")
    assert failure is not None
    assert (failure.get("message") or "").startswith("story.yaml:16: at 1m expected resolved")
    assert root.find("testsuite/testcase/error") is not None
    assert command("test", "rules", "story.yaml", "--junit", "no/such/out.xml").code == 2


def test_programs_get_one_document() -> None:
    done = run(STORY.replace("{at: 9m", "{at: 1m"), "-o", "json")
    body = json.loads(done.out)
    assert (done.code, body["schema"], body["passed"], body["failed"]) == (1, "zen-agents/test-rules/v1", 0, 1)
    (failure,) = body["tests"][0]["failures"]
    assert (failure["file"], failure["line"], failure["rule"]) == ("story.yaml", 16, "system_health.nginx")


def with_samples(expression: str) -> None:
    """Add a pattern with samples to the configuration."""
    log = f"""  log_analysis:
    sources: {{kernel: {{journal: {{transport: kernel}}}}}}
    patterns:
      oom: {{source: kernel, match: '{expression}', samples: {{match: ["Killed process 7"], no_match: ["reaped 7"]}}}}
      plain: {{source: kernel, match: x}}
"""
    text = Path("config.yaml").read_text(encoding="utf-8")
    Path("config.yaml").write_text(text.replace("actions:\n", f"{log}actions:\n"), encoding="utf-8")


def test_samples_of_patterns_are_tried_as_well_and_counted() -> None:
    with_samples(r"Killed process \d+")
    done = run(STORY, "--junit", "out.xml")
    assert (done.code, done.out.splitlines()[-1]) == (0, "1 passed, 0 failed; samples: 1 pattern, 1 ok")
    names = [case.get("name") for case in ElementTree.fromstring(Path("out.xml").read_bytes()).iter("testcase")]
    assert names[-1] == "config.yaml: agents.log_analysis.patterns.oom"


def test_a_sample_that_is_misjudged_fails_the_run_with_its_place() -> None:
    with_samples(r"process \d+|reaped")
    done = run(STORY)
    assert (done.code, done.out.splitlines()[-1]) == (1, "1 passed, 0 failed; samples: 1 pattern, 0 ok")
    assert "error[ZC208]: sample matches, and must not" in done.out
    assert "config.yaml:12:" in done.out
    body = run(STORY, "-o", "json").json()
    assert (body["samples"], [each["code"] for each in body["diagnostics"]]) == ({"patterns": 1, "wrong": 1}, ["ZC208"])
    assert run(STORY, "--run", "three").code == 0
