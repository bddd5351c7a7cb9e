"""`agents.log_analysis`: what may be written, and what comes of it in a whole engine over a simulated host."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.support.settings import codes, loaded, told
from zen_agents.agents.base import AgentContext
from zen_agents.agents.log_analysis.agent import LogAnalysisAgent
from zen_agents.agents.log_analysis.settings import LogAnalysisSettings
from zen_agents.agents.log_analysis.studies import LatencySettings, QueueSettings
from zen_agents.agents.system_health.agent import SystemHealthAgent
from zen_agents.agents.system_health.settings import SystemHealthSettings
from zen_agents.errors import SettingsError
from zen_agents.logs.detection.absence import AbsenceRule
from zen_agents.logs.detection.counting import CountRule
from zen_agents.logs.detection.distinct import STEP, DistinctRule
from zen_agents.logs.detection.sequence import SequenceRule
from zen_agents.logs.watching.latency import Limits
from zen_agents.logs.watching.queues import QueueRule
from zen_agents.settings.own_rules import observed_names

SOURCES: dict[str, Any] = {
    "kernel": {"journal": {"transport": "kernel", "unit": "web.service", "_COMM": "sh"}},
    "app": {"file": "/var/log/app/*.log", "format": "json", "time_key": "ts", "timezone": "Europe/Berlin"},
}
SIGMA: dict[str, Any] = {
    "title": "A rule", "logsource": {"product": "linux"}, "detection": {"words": ["bad *"], "condition": "words"},
}  # fmt: skip
COUNTED = {**SIGMA, "detection": {"words": ["bad"], "timeframe": "10m", "condition": "words | count() by host > 5"}}


VALUES: list[dict[str, Any]] = [
    {**SIGMA, "name": "a"},
    {"title": "c", "correlation": {
        "type": "value_count", "rules": ["a"], "timespan": "10m", "group-by": ["host"],
        "condition": {"field": "program", "gte": 4},
    }},
]  # fmt: skip
ORDERED: list[dict[str, Any]] = [
    {**SIGMA, "name": "a"},
    {**SIGMA, "name": "b"},
    {"title": "c", "correlation": {
        "type": "temporal_ordered", "rules": ["a", "b"], "timespan": "10m", "group-by": ["host"],
    }},
]  # fmt: skip

ANY_ORDER = [*ORDERED[:2], {**ORDERED[2], "correlation": {**ORDERED[2]["correlation"], "type": "temporal"}}]


def made(pattern: Mapping[str, Any], **more: Any) -> LogAnalysisAgent:
    section = {"sources": SOURCES, "patterns": {"p": {"source": "kernel", **pattern}}, **more}
    services = {"services": {"web": {"unit": "web.service"}}}
    health = SystemHealthAgent(SystemHealthSettings.model_validate(services), AgentContext("here"))
    return LogAnalysisAgent(LogAnalysisSettings.model_validate(section), AgentContext("here", others=(health,)))


def detects(pattern: Mapping[str, Any]) -> Any:
    section = LogAnalysisSettings.model_validate({"sources": SOURCES, "patterns": {"p": {"source": "app", **pattern}}})
    return section.patterns["p"].rule("p").detects


def test_the_form_of_the_specification_is_enough_and_the_agent_then_reads_nothing() -> None:
    settings = loaded("agents: {log_analysis: {enabled: true, interval: 60}}\n").require()
    agent = LogAnalysisAgent(settings.agents["log_analysis"], AgentContext("here"))
    assert (list(agent.checks()), list(agent.rules()), list(agent.remedies())) == ([], [], [])
    assert agent.schedule.every_seconds == 60
    assert LogAnalysisAgent(LogAnalysisSettings(schedule="0 3 * * *"), AgentContext("h")).schedule.cron == "0 3 * * *"


def test_each_source_has_a_check_and_a_rule_and_each_pattern_a_rule_on_its_source() -> None:
    agent = made({"match": "x"})
    assert [check.name for check in agent.checks()] == ["log_source.kernel", "log_source.app"]
    assert [check.observes for check in agent.checks()] == [("log_source.kernel", "pattern.p"), ("log_source.app",)]
    keys = ["log_analysis.source|source:kernel", "log_analysis.source|source:app", "log_analysis.p|source:kernel"]
    assert [rule.key for rule in agent.rules()] == keys


def test_the_kinds_of_lines_of_a_source_are_told_and_nothing_is_done_about_them() -> None:
    asked = {"app": {**SOURCES["app"], "templates": {"vanished": False, "learn_for": "1d", "severity": "error"}}}
    agent = made({"match": "x", "source": "app"}, sources=asked)
    assert [check.name for check in agent.checks()] == ["log_source.app", "log_templates.app"]
    told = {rule.name: rule for rule in agent.rules() if "template" in rule.name}
    assert list(told) == ["log_analysis.new_template", "log_analysis.template_burst"]
    assert {(rule.severity.value, rule.target, tuple(rule.ladder)) for rule in told.values()} == {
        ("error", "source:app", ())
    }


def test_how_long_things_take_is_told_and_nothing_is_done_about_it() -> None:
    asked = {
        "p95": "500ms", "routes": {"GET /report/{n}": {"p99": "30s"}}, "slow_query": "2s", "objective": "99.9%",
        "took_key": "ns",
    }  # fmt: skip
    agent = made({"match": "x", "source": "app"}, sources={"app": {**SOURCES["app"], "latency": asked}})
    assert [check.name for check in agent.checks()] == ["log_source.app", "log_latency.app"]
    names = [f"log_analysis.{name}" for name in ("latency", "slow_query", "error_budget")]
    told = {rule.name: rule for rule in agent.rules() if rule.name in names}
    assert list(told) == names
    assert {(rule.target, tuple(rule.ladder)) for rule in told.values()} == {("source:app", ())}
    rule = LatencySettings.model_validate(asked).rule()
    assert (rule.limits, rule.routes) == (Limits(p95=0.5), {"GET /report/{n}": Limits(p99=30.0)})
    assert (rule.slow_query, rule.objective, rule.took_key) == (2.0, pytest.approx(0.999), "ns")


def test_queues_that_grow_are_told_and_nothing_is_done_about_them() -> None:
    asked = {"depth_key": "pending", "queue_key": "name", "limit": 9, "least": 3, "window": "1h"}
    agent = made({"match": "x", "source": "app"}, sources={"app": {**SOURCES["app"], "queues": asked}})
    assert [check.name for check in agent.checks()] == ["log_source.app", "log_queues.app"]
    (rule,) = [rule for rule in agent.rules() if rule.name == "log_analysis.queue_growth"]
    assert (rule.target, tuple(rule.ladder)) == ("source:app", ())
    meant = QueueRule(window=3600.0, least=3, limit=9, depth_key="pending", queue_key="name")
    assert QueueSettings.model_validate(asked).rule() == meant


QUEUES = {
    "queues: {}": "ZC214",  # lines of text have no fields
    "queues: {match: 'queue (?P<name>x)'}": "ZC214",
    "queues: {match: '(?P<depth>[0-9]+)', depth_key: x}": "ZC214",
    "queues: {match: '(?P<depth>'}": "ZC205",
    "format: json, queues: {least: -1}": "ZC209",
    "format: json, queues: {window: 0s}": "ZC209",
}


@pytest.mark.parametrize(("source", "code"), QUEUES.items())
def test_queues_that_cannot_be_meant_are_refused_at_their_place(source: str, code: str) -> None:
    found = told(f"agents:\n  log_analysis:\n    sources:\n      s: {{file: /var/log/x, {source}}}\n")
    assert f"error[{code}]" in found
    assert "config.yaml:4:" in found
    assert found.count("error[") == 1


def test_accounts_and_keys_are_told_by_rules_of_their_own_and_their_names_are_taken() -> None:
    agent = made({"match": "x"}, accounts={"severity": "error", "every": "5m"})
    (check,) = [check for check in agent.checks() if check.name == "accounts"]
    rules = [rule for rule in agent.rules() if rule.target == check.target]
    assert [rule.name for rule in rules] == ["log_analysis.new_user", "log_analysis.new_key"]
    assert {name for rule in rules for name, _ in rule.condition.names} == set(check.observes)
    assert {(rule.severity.value, tuple(rule.ladder)) for rule in rules} == {("error", ())}
    taken = "agents: {log_analysis: {accounts: {}, sources: {accounts: {file: /x}}}}\n"
    assert codes(taken) == ["ZC213"]
    assert codes(taken.replace("accounts: {}, ", "")) == []


def test_a_pattern_says_what_it_concerns_and_by_what_its_lines_belong_to_others() -> None:
    agent = made({"match": "x (?P<order>\\d+)", "on_match": ["restart_service:web"]}, correlate_by=["order"])
    check = next(check for check in agent.checks() if check.name == "log_source.kernel")
    (rule,) = check._rules  # type: ignore[attr-defined]
    assert (rule.shares, rule.targets) == (("order",), ["web"])


def test_without_templates_nothing_that_learns_them_is_loaded() -> None:
    code = (
        "import sys; from zen_agents.agents.base import AgentContext\n"
        "from zen_agents.agents.log_analysis.agent import LogAnalysisAgent as Agent\n"
        "section = {'sources': {'s': {'file': '/x'}}, 'patterns': {'p': {'source': 's', 'match': 'x'}}}\n"
        "assert len(Agent(Agent.Settings.model_validate(section), AgentContext('h')).checks()) == 1\n"
        "print(*[name for name in sys.modules if name.startswith(('zen_agents.logs.mining', 'zen_agents.logs.latency'))])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert (done.stdout.strip(), done.stderr) == ("", "")


def test_a_source_asks_the_host_for_what_is_written() -> None:
    settings = LogAnalysisSettings.model_validate({"sources": SOURCES})
    journal = settings.sources["kernel"].request()
    assert journal.journal == ("_TRANSPORT=kernel", "_SYSTEMD_UNIT=web.service", "_COMM=sh")
    assert settings.sources["app"].request().path == "/var/log/app/*.log"


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ({"match": "x"}, CountRule(1, 60.0)),
        ({"match": "x", "count": 5, "within": "2m", "by": "host", "clear_below": 2}, CountRule(5, 120.0, ("host",), 2)),
        ({"absent_for": "10m", "match": "beat"}, AbsenceRule(600.0)),
        ({"sigma": SIGMA}, CountRule(1, 60.0)),
        ({"sigma": SIGMA, "count": 3, "within": "5m", "by": "host"}, CountRule(3, 300.0, ("host",))),
        ({"sigma": COUNTED}, CountRule(6, 600.0, ("host",))),
        ({"match": "x", "distinct": "user", "count": 5, "within": "2m"}, DistinctRule("user", 5, 120.0)),
        ({"sigma": SIGMA, "distinct": "host", "count": 2, "within": "1m"}, DistinctRule("host", 2, 60.0)),
        ({"sigma": VALUES}, DistinctRule("program", 4, 600.0, ("host",))),
        ({"sigma": ANY_ORDER}, DistinctRule(STEP, 2, 600.0, ("host",))),
        ({"sigma": ORDERED}, SequenceRule(2, 600.0, ("host",))),
        ({"sigma": ORDERED, "within": "1h", "by": "program"}, SequenceRule(2, 3600.0, ("program",))),
        ({"sequence": [{"match": "a"}, {"where": {"level": "error"}}], "within": "1m"}, SequenceRule(2, 60.0)),
    ],
)
def test_what_is_written_is_what_is_looked_for(written: Mapping[str, Any], meant: Any) -> None:
    assert detects(written) == meant


def test_a_rule_says_what_its_pattern_takes_to_be_found() -> None:
    def said(**pattern: Any) -> str:
        return next(rule.summary for rule in made(pattern).rules() if rule.name == "log_analysis.p")

    assert said(match="x") == "p: such a line came"
    assert said(sigma=COUNTED) == "p: 6 such lines came within 10 min"
    assert said(sigma=ORDERED) == "p: 2 lines came one after another within 10 min"
    assert said(sigma=ANY_ORDER) == "p: lines of all 2 kinds came within 10 min"
    assert said(match="x", distinct="user", count=5, within="2m") == (
        "p: lines with 5 different values of `user` came within 2 min"
    )
    assert said(match="x", absent_for="1h") == "p: no such line came for 1 h"


def test_a_ladder_borrows_the_target_of_its_own_agent_and_never_acts_on_a_line_alone() -> None:
    agent = made({"match": "x", "on_match": ["restart_service:web"]})
    (remedy,) = agent.remedies()
    assert (remedy.action, remedy.target, remedy.agent) == ("restart_service", "service:web", "log_analysis")
    assert remedy.params["unit"] == "web.service"
    (rule,) = [rule for rule in agent.rules() if rule.ladder]
    assert rule.needs_confirmation
    assert rule.ladder[0].verify_within_seconds >= 60


@pytest.mark.parametrize(
    ("step", "said"),
    [
        ("restart_service:api", "patterns.p.on_match.0: restart_service:api names no target of another agent; write one of"),
        ("restart_service", "write one of restart_service:web"),
        ("kill_process:x", "log_analysis may not ask for 'kill_process'"),
        ("rotate_logs:x", "no other agent lists a target for it"),
    ],
)
def test_a_step_that_could_never_run_is_refused_with_its_path(step: str, said: str) -> None:
    with pytest.raises(SettingsError, match=r"agents\.log_analysis\.patterns\.p\.on_match\.0") as refused:
        made({"match": "x", "on_match": [step]})
    assert said in str(refused.value)


WRONG = {
    "null, file: /x, format: json, security: true": "ZC214", "{transprt: kernel}": "ZC213",
    "{transport: kernel}, file: /x": "ZC214", "{}, format: json": "ZC214",
    "{}, templates: {new: false, vanished: false, bursts: false}": "ZC214", "{}, templates: {learn_for: 0}": "ZC203",
    "{}, latency: {window: 5m}": "ZC214", "{}, latency: {p95: 1s}": "ZC214",
    "null, file: /x, format: json, latency: {objective: 100%}": "ZC214",
    "null, file: /x, latency: {objective: 99%}": "ZC214",
}  # fmt: skip


@pytest.mark.parametrize(("journal", "code"), WRONG.items())
def test_a_source_that_cannot_be_meant_is_refused(journal: str, code: str) -> None:
    assert codes(f"agents: {{log_analysis: {{sources: {{s: {{journal: {journal}}}}}}}}}\n") == [code]


PATTERNS = {
    "match: 'x(?=y)'": "ZC205", "where: {level: {mtch: x}}": "ZC214", "where: {level: {match: '('}}": "ZC205",
    "count: 1": "ZC214", "match: x, count: 3": "ZC214", "match: x, absent_for: 1m, within: 2m": "ZC214",
    "sequence: [{match: x}], within: 1m": "ZC214",
    "sequence: [{match: x}, {match: y}]": "ZC214", "sequence: [{match: x}, {}], within: 1m": "ZC214",
    "match: x, sequence: [{match: x}, {match: y}], within: 1m": "ZC214",
    "sigma: {title: x}": "ZC214", "sigma: {title: x, logsource: {product: windows}, detection: {}}": "ZC214",
    "match: x, sigma: {title: x, logsource: {product: linux}, detection: {k: [x], condition: k}}": "ZC214",
    "sigma: [{title: x}, 3]": "ZC207", "sigma: [A, A]": "ZC214",
    "match: x, distinct: user": "ZC214", "match: x, distinct: user, count: 2000, within: 1m": "ZC214",
    "match: x, distinct: user, absent_for: 1m": "ZC214",
    "match: x, count: 3, within: 1m, clear_below: 4": "ZC206", "match: x, source: nowhere": "ZC303",
}  # fmt: skip


@pytest.mark.parametrize(("pattern", "code"), PATTERNS.items())
def test_a_pattern_that_cannot_be_meant_is_refused_at_its_place(pattern: str, code: str) -> None:
    source = "" if " source:" in pattern else "source: s, "
    lines = ["agents:", "  log_analysis:", "    sources: {s: {file: /var/log/x}}", "    patterns:"]
    pattern = pattern.replace("A", "{title: x, logsource: {product: linux}, detection: {k: [x], condition: k}}")
    found = told("\n".join([*lines, f"      p: {{{source}{pattern}}}", ""]))
    assert f"error[{code}]" in found
    assert "config.yaml:5:" in found
    assert found.count("error[") == 1


def test_a_pattern_cannot_be_called_like_a_rule_of_its_source() -> None:
    text = "agents: {log_analysis: {sources: {s: {file: /x}}, patterns: {NAME: {source: s, match: x}}}}\n"
    names = (
        "source",
        "new_template",
        "vanished_template",
        "template_burst",
        "latency",
        "slow_query",
        "error_budget",
        "queue_growth",
    )
    assert {tuple(codes(text.replace("NAME", name))) for name in names} == {("ZC213",)}


def test_a_step_without_its_target_is_told_where_it_stands() -> None:
    text = "agents:\n  log_analysis:\n    sources: {s: {file: /var/log/x}}\n    patterns:\n"
    found = told(text + "      p: {source: s, match: x,\n          on_match: [restart_service]}\n")
    assert "config.yaml:6:22" in found


def test_its_observations_are_words_that_other_rules_may_use(tmp_path: Path) -> None:
    del tmp_path
    text = "agents: {log_analysis: {sources: {s: {file: /var/log/x}}, patterns: {p: {source: s, match: x}}}}\n"
    assert {"log_source.s", "pattern.p"} <= set(observed_names(loaded(text).require()).names)
