"""`lint`: what in a rule set can never work, at its place, in every form; and nothing where nothing is wrong."""

import json
from pathlib import Path

import pytest

from tests.support.command_line import Done, command

HEAD = """agents:
  system_health:
    services:
      web: {unit: web.service, check: {tcp: "127.0.0.1:80"}}
      db: {unit: mydb.service, check: {tcp: "127.0.0.1:5432"}}
"""
TAIL = """actions:
  default: deny
  allow: {restart_service: {}, clean_temp_files: {}, clear_cache: {}, create_directory: {}, restore_permissions: {}}
"""


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ZEN_AGENTS_STATE_DIR", str(tmp_path / "no-state"))


def lint(text: str, *words: str, tail: str = TAIL) -> Done:
    Path("c.yaml").write_text(HEAD + text + tail, encoding="utf-8")
    Path("c.yaml").chmod(0o600)
    return command("lint", "c.yaml", *words)


def found(text: str, *, tail: str = TAIL) -> list[tuple[str, int]]:
    done = lint(text, "-o", "json", tail=tail)
    findings = [(each["code"], each["line"]) for each in done.json()["findings"]]
    assert done.code == (1 if findings else 0)
    return findings


def test_nothing_is_found_where_nothing_is_wrong() -> None:
    done = lint("")
    assert (done.code, done.err) == (0, "")
    assert "system_health.web  service:web  4         limits.per_target_per_hour" in done.out
    assert done.out.endswith("At worst 5 actions an hour, by the hourly budgets.\n")
    config = Path(__file__).parents[3] / "config"
    for shipped in sorted(set(config.rglob("*.yaml")) - set(config.rglob("*.test.yaml"))):
        assert command("lint", str(shipped)).code == 0, shipped


RULES = """    rules:
      a: {when: "probe.web < 1", target: service:web, on_match: ["restart_service:db"]}
      b: {when: "probe.db < 1", target: service:db, on_match: ["restart_service:web"]}
"""


def test_rules_that_set_each_other_off_are_told_with_the_whole_circle() -> None:
    done = lint(RULES, "--format", "concise")
    line = next(line for line in done.out.splitlines() if "ZC701" in line)
    assert line == (
        "c.yaml:7:7: warning[ZC701] what one rule does sets off the next, in a circle: "
        "system_health.a (restart_service service:db) -> system_health.b (restart_service service:web) -> system_health.a"
    )
    one_way = RULES.replace("restart_service:web", "restart_service:db")
    assert "ZC701" not in {code for code, _ in found(one_way)}


def test_one_unit_under_two_names_and_a_service_with_two_rules_are_one_resource() -> None:
    assert found("      site: {unit: web.service, check: {tcp: '127.0.0.1:81'}}\n") == [("ZC702", 6)]
    text = '    rules:\n      slow: {when: "probe.web < 1", target: service:web, on_match: [restart_service:web]}\n'
    assert found(text) == [("ZC702", 7)]


def test_what_waits_for_another_over_a_third_is_no_circle() -> None:
    chain = """      app: {unit: app.service, depends_on: [db]}
      front: {unit: front.service, depends_on: [app]}
    rules:
      a: {when: "probe.web < 1", target: service:front, on_match: ["restart_service:db"]}
      b: {when: "probe.db < 1 or unit.front < 1", target: service:front, on_match: ["restart_service:web"]}
"""
    assert "ZC701" not in {code for code, _ in found(chain)}
    assert "ZC701" in {code for code, _ in found(chain.replace(", depends_on: [app]", ""))}


def own_rule(when: str, clear: str = "") -> str:
    also = f', clear: "{clear}"' if clear else ""
    return f'    rules:\n      own: {{when: "{when}"{also}, target: service:web}}\n'


@pytest.mark.parametrize(
    ("when", "clear", "code", "said"),
    [
        ("cpu.percent > 100", "", "ZC704", "can never be bad: `cpu.percent > 100` is never true"),
        ("avg(memory.percent, 5m) > 100%", "", "ZC704", "is never true"),
        ("load1 > 5 and load1 < 3", "", "ZC704", "is never true"),
        ("3 > load1 > 5", "", "ZC704", "is never true"),
        ("not (load1 < 5 or load1 >= 5)", "", "ZC704", "is never true"),
        ("load1 > 2 * 4 and load1 == 8", "", "ZC704", "is never true"),
        ("cpu.percent >= 0", "", "ZC706", "is always bad: `cpu.percent >= 0` is always true"),
        ("load1 > 1 or load1 <= 1", "", "ZC706", "is always true"),
        ("cpu.percent > 90", "cpu.percent < 0", "ZC707", "can never be well again"),
        ("cpu.percent > 90", "cpu.percent < 95", "ZC707", "also holds while system_health.own is bad"),
        ("cpu.percent > 90 and load1 > 4", "load1 < 6", "ZC707", "at cpu.percent 100, load1 5"),
    ],
)
def test_an_expression_that_decides_nothing_is_told(when: str, clear: str, code: str, said: str) -> None:
    done = lint(own_rule(when, clear), "--format", "concise")
    (line,) = [line for line in done.out.splitlines() if "warning[" in line]
    assert f"c.yaml:7:{13 if code != 'ZC707' else 23 + len(when)}: warning[{code}]" in line
    assert said in line


@pytest.mark.parametrize(
    ("when", "clear"),
    [
        ("cpu.percent > 99.5", "cpu.percent < 0.5"),
        ("cpu.percent > 90", "cpu.percent <= 90"),
        ("avg(load1, 5m) > cpus * 2 and memory.percent < 90", "load1 < cpus"),
        ("load1 > cpus and load1 < cpus", ""),  # no constants: it could be told, but is not
        ("avg(cpu.percent, 5m) > 90", "cpu.percent < 95"),  # the mean lags behind: both hold, as they should
        ("slope(cpu.percent, 5m) > 100", ""),
        ("rate(load1, 5m) > 200 or load1 > 100", ""),
        ("disk.hours_to_full < 4", "disk.hours_to_full > 24"),
        ("load1 * 2 > 5 and load1 < 1", ""),
    ],
)
def test_an_expression_that_may_mean_something_is_left_alone(when: str, clear: str) -> None:
    about = "disk:/" if "disk" in when else "service:web"
    assert found(own_rule(when, clear).replace("service:web", about)) == []


def test_what_is_too_much_to_try_is_left_alone() -> None:
    many = " or ".join(f"{name} > {limit}" for name in ("load1", "load5", "load15", "cpus") for limit in range(1, 8))
    assert found(own_rule(f"({many}) and load1 < 0")) == []


def test_rules_of_an_agent_that_is_switched_off_are_told() -> None:
    text = own_rule("cpu.percent > 90")
    assert found(text) == []
    off = HEAD.replace("services:", "enabled: false\n    services:")
    Path("c.yaml").write_text(off + text + TAIL, encoding="utf-8")
    done = command("lint", "c.yaml", "--format", "concise")
    assert "c.yaml:7:5: warning[ZC708] the rules of system_health are never asked" in done.out


def test_a_path_in_a_directory_that_is_cleaned_is_one_resource() -> None:
    text = """    temp_dirs:
      app: {path: /srv/app/tmp, older_than: 2d}
    paths:
      inbox: {path: /srv/app/tmp/inbox, kind: directory, mode: "0755", owner: app, group: app, create: true}
"""
    assert found(text) == [("ZC702", 7)]
    assert found(text.replace("/srv/app/tmp/inbox", "/srv/app/inbox")) == []


@pytest.mark.parametrize(
    ("tail", "lines"),
    [
        (TAIL.replace("restart_service: {}", "restart_service: {units: [web.service]}"), [5]),
        (TAIL.replace("restart_service: {}", "restart_service: {max_per_hour: 0}"), [4, 5]),
        (TAIL + "autonomy: {system_health.db: {restart_service: observe}}\n", [5]),
        (TAIL + "protected: {units: [mydb.service]}\n", [5]),
        (TAIL + "mode: observe\n", []),
    ],
    ids=["scope", "limit", "autonomy", "protected", "a switch of the host is no fault"],
)
def test_what_a_guard_refuses_on_a_calm_host_can_never_be_done(tail: str, lines: list[int]) -> None:
    assert found("", tail=tail) == [("ZC703", line) for line in lines]


def test_a_limit_that_nothing_passes_is_told() -> None:
    assert found("    thresholds: {disk: [{path: /srv, above: 100%}]}\n") == [("ZC704", 6)]
    assert found("    thresholds: {disk: [{path: /srv, above: 99%}]}\n") == []


def test_an_action_that_the_rule_cannot_see_help_is_told() -> None:
    text = """    caches:
      pip: {path: /srv/cache/pip, above: 2GiB, down_to: 1GiB}
    rules:
      hot: {when: "WHEN", on_match: [clear_cache:pip]}
"""
    assert found(text.replace("WHEN", "cpu.percent > 90")) == [("ZC705", 9)]
    assert found(text.replace("WHEN", "cpu.percent > 90 and cache.pip.bytes > 1GiB")) == []


def test_github_annotations_and_sarif_hold_what_a_name_would_break() -> None:
    done = lint("    thresholds: {disk: [{path: '/srv/50%,a', above: 100%}]}\n", "--format", "github")
    assert done.code == 1
    (line,) = done.out.splitlines()
    assert line.startswith("::warning file=c.yaml,line=6,col=")
    assert line.endswith("::ZC704 system_health.disk can never be bad: disk.percent is never above 100 %25")
    done = lint(RULES, "--format", "sarif")
    sarif = json.loads(done.out)
    assert sarif["version"] == "2.1.0"
    (run,) = sarif["runs"]
    rules = {rule["id"] for rule in run["tool"]["driver"]["rules"]}
    assert {result["ruleId"] for result in run["results"]} == rules
    assert "ZC701" in rules
    where = run["results"][0]["locations"][0]["physicalLocation"]
    assert (where["artifactLocation"]["uri"], where["region"]["startLine"]) == ("c.yaml", 7)
    assert json.loads(lint("", "--format", "sarif").out)["runs"][0]["results"] == []


def test_the_worst_case_can_be_a_gate() -> None:
    assert lint("", "--at-most", "5").code == 0
    done = lint("", "--at-most", "4")
    assert (done.code, done.out.endswith("by the hourly budgets: more than --at-most 4\n")) == (1, True)


def test_a_configuration_that_is_not_valid_is_told_as_ever() -> None:
    done = lint("      bad: {unti: x.service}\n")
    assert (done.code, "did you mean `unit`?" in done.out) == (78, True)
    assert lint("      bad: {unti: x.service}\n", "-o", "json").code == 78


def test_rules_of_one_entry_are_no_two_rules_that_act_on_one_resource() -> None:
    leaks = HEAD.replace('"127.0.0.1:80"}}', '"127.0.0.1:80"}, leaks: {on_breach: [restart_service]}}')
    Path("c.yaml").write_text(leaks + TAIL, encoding="utf-8")
    assert command("lint", "c.yaml").code == 0
    assert [code for code, _ in found("      again: {unit: web.service}\n")] == ["ZC702"]


def test_what_is_planned_from_what_runs_is_not_taken_for_an_action_that_names_nothing() -> None:
    text = "    journal: {}\n    time: {daemon: chrony.service}\n"
    tail = TAIL.replace(
        "restart_service: {}", "restart_service: {}, signal_parent: {}, vacuum_journal: {}, restart_time_daemon: {}"
    )
    assert found(text, tail=tail) == []
    leaks = HEAD.replace('"127.0.0.1:80"}}', '"127.0.0.1:80"}, leaks: {}}')
    Path("c.yaml").write_text(leaks + tail, encoding="utf-8")
    assert command("lint", "c.yaml").code == 0
    assert found("    time: {daemon: systemd-timesyncd.service}\n", tail=tail)[0][0] == "ZC703"
