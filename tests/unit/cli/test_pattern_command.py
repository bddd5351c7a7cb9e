"""`test pattern`: names, samples, lines and what a match leads to; what is wrong is told with its place."""

import io
import os
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.support.command_line import Done, command
from zen_agents.rehearsal.lines import read_lines

CONFIG = r"""
mode: observe
redact:
  - 'password=\S+'
  - 'token: [a-z0-9]+'
agents:
  log_analysis:
    sources:
      kernel: {journal: {transport: kernel}}
      auth: {file: /var/log/auth.log, format: syslog, security: true}
    patterns:
      oom_kill:
        source: kernel
        match: 'Killed process (?P<pid>\d+) \((?P<comm>[^)]+)\)'
        count: 2
        within: 1m
        severity: critical
        on_match: [restart_service:myapp, kill_process]
        samples:
          match: ["Killed process 4242 (myapp-worker) total-vm:1kB"]
          no_match: ["reaped process 4242"]
      misjudged:
        source: kernel
        match: 'Killed process \d+'
        samples:
          match: ["Kill process 4242"]
          no_match: ["Killed process 1"]
      slow: {source: kernel, match: '^(a+)+$', samples: {no_match: ["aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab"]}}
      fields: {source: kernel, where: {level: error, program: kernel}}
      wrong: {source: kernel, match: '(a'}
      guessed: {source: auth, where: {event: login, result: failed}}
      odd:
        source: kernel
        sigma: {title: Odd, logsource: {product: linux}, detection: {k: ['Killed *7'], condition: k}}
        samples: {match: ["Killed process 7"], no_match: ["logged in"]}
      steps:
        {source: kernel, within: 1m, sequence: [{where: {message: other}}, {match: 'began (?P<job>\d+)'},
          {match: 'gave up on (?P<job>\d+)'}]}
actions: {allow: {restart_service: {}}}
"""
LOG = "Killed process 7 (web) total-vm:1kB\nlogged in with password=hunter2 and token: abc1\n"


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ZEN_AGENTS_CONFIG", raising=False)
    Path("config.yaml").write_text(CONFIG, "utf-8")
    Path("config.yaml").chmod(0o600)
    Path("app.log").write_text(LOG, "utf-8")


def pattern(*words: str) -> Done:
    return command("test", "pattern", *words, "-c", "config.yaml")


def test_a_pattern_of_the_configuration_shows_matches_groups_and_what_they_lead_to() -> None:
    done = pattern("oom_kill", "app.log")

    assert done.code == 0
    assert "2 samples, all as they have to be" in done.out
    assert "app.log:1: Killed process 7 (web)" in done.out
    assert "pid = 7" in done.out
    assert "1 matched, 1 missed, 0 ignored" in done.out
    assert "2 lines within 1 min would open an incident (critical) that asks for restart_service:myapp, then" in done.out
    assert "not with these: 1 line matched of the 2 that it takes" in done.out
    assert "`actions.allow` does not name kill_process" in done.out
    assert "a log line alone never acts" in done.out


def test_fields_are_read_as_the_source_writes_them_and_those_that_were_looked_at_are_shown() -> None:
    lines = [
        "<11>2026-01-07T08:00:00Z web kernel: one", "<14>2026-01-07T08:00:00Z web kernel: two",
        "<11>2026-01-07T08:00:00Z web sshd[7]: three",
    ]  # fmt: skip
    Path("kern.log").write_text("".join(f"{line}\n" for line in lines), "utf-8")

    done = pattern("fields", "kern.log")

    assert done.code == 0
    assert "kern.log:1: <11>2026-01-07T08:00:00Z web kernel: one" in done.out
    assert "level = error" in done.out
    assert "1 matched, 2 missed" in done.out


def test_what_lines_tell_of_security_is_looked_at_where_the_source_says_so() -> None:
    line = "Jan  7 08:00:00 web sshd[7]: Failed password for root from 192.0.2.7 port 4000 ssh2"
    Path("auth.log").write_text(f"{line}\n", "utf-8")

    assert "result = failed" in pattern("guessed", "auth.log").out


def test_each_step_of_a_sequence_is_tried() -> None:
    Path("app.log").write_text("began 7\ngave up on 7\nother\n", "utf-8")

    body = pattern("steps", "app.log", "-o", "json").json()

    assert body["sources"][0]["by_expression"] == [0, 1, 1]
    assert [each["expression"][:5] for each in body["pattern"]["expressions"]] == ["where", "began", "gave "]
    assert [line["groups"] for line in body["sources"][0]["shown"]] == [{"job": "7"}, {"job": "7"}]
    assert "3 lines in this order within 1 min would open an incident" in pattern("steps", "app.log").out


def test_redaction_shows_what_is_left_of_a_line_and_never_what_was_taken() -> None:
    done = pattern("redact", "app.log")

    assert done.code == 0
    assert "app.log:2: logged in with [redacted] and [redacted]" in done.out
    assert "hunter2" not in done.out
    assert r"config.yaml:4  1 line  password=\S+" in done.out


def test_a_bare_expression_needs_no_configuration_and_programs_get_the_promised_form() -> None:
    body = command("test", "pattern", "-e", r"process (?P<pid>\d+)", "app.log", "-o", "json").json()

    assert body["sources"][0]["shown"][0]["groups"] == {"pid": "7"}
    assert body["pattern"]["effect"] is None


def test_effects_and_samples_are_in_the_promised_form_too() -> None:
    body = pattern("misjudged", "-o", "json").json()

    assert body["samples"] == {"tried": 2, "wrong": 2}
    assert body["pattern"]["effect"]["acts"] is False
    assert [each["code"] for each in body["diagnostics"]] == ["ZC208", "ZC208"]


def test_a_sample_that_is_misjudged_is_told_with_its_place_and_how_far_it_got() -> None:
    done = pattern("misjudged")

    assert done.code == 1
    assert "error[ZC208]: sample does not match its own pattern" in done.out
    assert "config.yaml:26:19" in done.out
    assert 'the longest partial match ends before " process 4242"; test it: zen-agents test pattern misjudged -' in done.out
    assert "sample matches, and must not" in done.out


def test_an_expression_that_would_backtrack_without_end_is_tried_on_its_sample() -> None:
    done = pattern("slow")

    assert done.code == 0
    assert "1 sample, all as they have to be" in done.out


def test_nothing_matched_is_no_success(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(LOG.encode()), isatty=lambda: False))

    done = pattern("-e", "nowhere", "-", "--show", "missed")

    assert done.code == 1
    assert "<stdin>:2: logged in" in done.out


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["oom_kil", "app.log"], 2, "did you mean 'oom_kill'?"),
        (["agents.log_analysis.patterns.oom_kil", "app.log"], 2, "did you mean 'oom_kill'?"),
        (["wrong", "app.log"], 78, "config.yaml:30:39"),
        (["-e", "a(?P<pid>", "app.log"], 2, "missing ), unterminated subpattern\n  a(?P<pid>\n   ^ here"),
        (["-e", "x", "missing.log"], 2, "missing.log cannot be read: No such file or directory"),
        (["-e", "x", "."], 2, "cannot be read: Is a directory"),
        (["-e", "x"], 2, "name what to try -e on"),
        (["redact"], 2, "name what to try redact on"),
        ([], 2, "name a pattern of the configuration"),
    ],
)  # fmt: skip
def test_what_cannot_be_tried_says_why_and_where(words: Sequence[str], code: int, said: str) -> None:
    done = pattern(*words)

    assert done.code == code
    assert said in done.out + done.err


def test_a_pattern_that_is_not_valid_is_told_to_programs_as_promised() -> None:
    done = pattern("wrong", "app.log", "-o", "json")

    assert done.code == 78
    assert [each["line"] for each in done.json()["diagnostics"]] == [30]


def test_of_a_large_file_the_newest_whole_lines_are_read_and_it_is_said(tmp_path: Path) -> None:
    (tmp_path / "large.log").write_bytes(b"older line\nnewer line\nlast \xff line\n")

    found = read_lines(str(tmp_path / "large.log"), most_bytes=28)

    assert found.lines == ["newer line", r"last \xff line"]
    assert "only the newest" in found.cut


def test_a_pipe_without_a_writer_keeps_nobody_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")

    assert "is no regular file" in pattern("-e", "x", str(tmp_path / "pipe")).err


def test_a_sigma_rule_takes_the_lines_that_it_means_and_no_others() -> None:
    done = pattern("odd", "app.log")
    assert done.code == 0
    assert "2 samples, all as they have to be" in done.out
    assert "app.log: 1 matched, 1 missed, 0 ignored" in done.out
