"""Published Sigma rules by the file: each is a pattern to be changed or left out; what is not taken is told with why."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.support.command_line import command
from tests.support.settings import loaded, told
from zen_agents.agents.log_analysis.patterns import LogPattern

WEB = """\
---
title: Request with a command in it
id: 7f3f0a5e-0000-4000-8000-000000000001
logsource: {category: webserver}
references: [not an address, "https://example.com/page"]
detection: {selection: {"cs-uri-query|contains": "cmd="}, condition: selection}
level: high
"""
LINUX = """\
title: A bad word
name: bad
logsource: {product: linux}
detection: {words: [bad], condition: words}
---
title: Another one
logsource: {product: linux}
detection: {words: [worse], condition: words}
"""
OFTEN = """\
title: Bad words, often
correlation: {type: event_count, rules: [bad], group-by: [host], timespan: 5m, condition: {gte: 3}}
"""
AUDIT = """\
title: Of the audit daemon
logsource: {product: linux, service: auditd}
detection: {words: [x], condition: words}
"""


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    """Return a directory of rules."""
    folder = tmp_path / "rules"
    (folder / "linux").mkdir(parents=True)
    files = {"web_command.yml": WEB, "linux/lnx_bad.yml": LINUX, "linux/often.yaml": OFTEN, "linux/audit.yml": AUDIT}
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    (folder / "README.md").write_text("no rule", encoding="utf-8")
    return folder


def text(rules: Path, patterns: str = "{}") -> str:
    sources = f"{{web: {{file: /x, format: access, sigma: {rules}/web_command.yml}}, "
    sources += f"auth: {{file: /y, format: syslog, sigma: [{rules}/linux]}}}}"
    return f"agents:\n  log_analysis:\n    sources: {sources}\n    patterns: {patterns}\n"


def patterns(written: str) -> Mapping[str, LogPattern]:
    return loaded(written).require().agents["log_analysis"].patterns  # type: ignore[no-any-return]


def test_each_rule_is_a_pattern_of_its_source_called_as_its_file(rules: Path) -> None:
    found = patterns(text(rules))
    assert {name: pattern.source for name, pattern in found.items()} == {
        "web_command": "web", "lnx_bad": "auth", "often": "auth",
    }  # fmt: skip
    web, often = found["web_command"], found["often"].rule("often").detects
    assert (web.severity.value, web.runbook) == ("error", "https://example.com/page")
    assert often == found["often"].rule("often").detects
    assert repr(often).startswith("CountRule(count=3, within_seconds=300.0, by=('host',)")


def test_what_is_refused_is_told_where_it_is_named_and_by_a_command_with_file_and_reason(rules: Path) -> None:
    found = told(text(rules))
    assert "warning[ZC218]: 1 of 3 Sigma rules are not taken: audit.yml: logsource.service: auditd is no log" in found
    assert "config.yaml:3:" in found
    done = command("logs", "sigma", str(rules))
    assert done.code == 0
    assert "taken    web_command  error  lines of webserver: Request with a command in it" in done.out
    assert f"refused  {rules}/linux/audit.yml: logsource.service: auditd is no log of text" in done.out
    body = command("logs", "sigma", str(rules), "-o", "json").json()
    assert [each["name"] for each in body["taken"]] == ["lnx_bad", "often", "web_command"]
    assert [each["title"] for each in body["refused"]] == ["Of the audit daemon"]


def test_a_pattern_of_the_same_name_changes_a_rule_or_leaves_it_out(rules: Path) -> None:
    found = patterns(text(rules, "{web_command: {severity: info, by: client}, often: null}"))
    assert set(found) == {"web_command", "lnx_bad"}
    assert (found["web_command"].severity.value, found["web_command"].by, len(found["web_command"].sigma)) == (
        "info", ("client",), 1,
    )  # fmt: skip


def test_rules_about_other_lines_than_the_source_has_are_not_taken(rules: Path) -> None:
    written = text(rules).replace("/web_command.yml", "")
    assert "3 of 4 Sigma rules are not taken" in told(written)
    assert "is about lines of format syslog, and those of this source are access" in told(written)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("title: [", "line 1: syntax error"),
        ("a: &a [1, 1]\nb: *a\n", "title: is missing"),
        ("# nothing\n", "has no rule"),
        ("x" * 300_000, "is larger than 256 KiB"),
        ("title: x\nlogsource: {product: linux}\ndetection: {password: hunter2, condition: password}\n", "secret"),
        ("title: x\ntitle: y\n", "line 2"),
    ],
)
def test_a_file_that_is_none_spoils_no_other(rules: Path, content: str, why: str) -> None:
    (rules / "linux" / "broken.yml").write_text(content, encoding="utf-8")
    assert len(patterns(text(rules))) == 3
    body = command("logs", "sigma", str(rules), "-o", "json").json()
    (refused,) = [each for each in body["refused"] if each["file"].endswith("broken.yml")]
    assert why in refused["why"]


def test_rules_that_others_may_write_or_that_are_not_there_are_refused(rules: Path) -> None:
    (rules / "linux" / "audit.yml").chmod(0o666)
    assert "error[ZC403]: rules are not trusted:" in told(text(rules))
    assert "error[ZC006]: rules cannot be read:" in told(text(rules).replace("web_command", "gone"))
    assert "error[ZC210]" in told(text(rules).replace(f"[{rules}/linux]", "linux"))
    assert command("logs", "sigma", str(rules / "gone")).code == 2


def test_a_configuration_without_rules_of_others_reads_none() -> None:
    assert patterns("agents: {log_analysis: {sources: {s: {file: /x}}}}") == {}
