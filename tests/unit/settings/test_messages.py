"""The texts that people see for typical mistakes, word for word."""

from __future__ import annotations

import textwrap

import pytest

from tests.support.settings import told

CASES = {
    "a duration below its least": (
        """
        agents:
          system_health:
            temp_dirs:
              scratch: {path: /srv/scratch, older_than: 1s}
        """,
        """
        error[ZC209]: `older_than` is at least 1m, got 1s
         --> config.yaml:4:49
          |
        4 |       scratch: {path: /srv/scratch, older_than: 1s}
          |                                                 ^^
        """,
    ),
    "unknown key in an agent": (
        """
        version: 1
        agents:
          system_health:
            enabled: true
            cpu_treshold: 80
        """,
        """
        error[ZC101]: unknown key `cpu_treshold` in agents.system_health
         --> config.yaml:5:5
          |
        5 |     cpu_treshold: 80
          |     ^^^^^^^^^^^^ did you mean `cpu_threshold`?
          = help: zen-agents explain config agents.system_health
        """,
    ),
    "a word that is no choice": (
        """
        agents:
          dependency_manager:
            enabled: false
            security_updates: automatic
        """,
        """
        error[ZC201]: `automatic` is not a value of `security_updates`: one of auto, notify, disabled
         --> config.yaml:4:23
          |
        4 |     security_updates: automatic
          |                       ^^^^^^^^^ did you mean `auto`?
        """,
    ),
    "off stays a word": (
        """
        # one
        agents:
          dependency_manager:
            enabled: false
            major_updates: off
        """,
        """
        error[ZC201]: `off` is not a value of `major_updates`: one of auto, notify, disabled
         --> config.yaml:5:20
          |
        5 |     major_updates: off
          |                    ^^^ did you mean `disabled`?
        """,
    ),
    "cron without quotes": (
        """
        agents:
          dependency_manager:
            enabled: false
            schedule: */15 * * * *
        """,
        """
        error[ZC003]: a cron expression that starts with `*` must be quoted
         --> config.yaml:4:15
          |
        4 |     schedule: */15 * * * *
          |               ^^^^^^^^^^^^ write "*/15 * * * *"
        """,
    ),
    "a duration without its unit": (
        """
        agents:
          system_health:
            cpu_threshold: 80
            thresholds:
              cpu: {for: 5, clear: 70}
        """,
        """
        error[ZC203]: `for` needs a unit, got `5`
         --> config.yaml:5:18
          |
        5 |       cpu: {for: 5, clear: 70}
          |                  ^ 5s, 5m or 5h?
        """,
    ),
    "a fraction for a percentage": (
        """
        agents:
          system_health:
            cpu_threshold: 0.8
        """,
        """
        error[ZC202]: `cpu_threshold` is a percentage from 1 to 100, got 0.8
         --> config.yaml:3:20
          |
        3 |     cpu_threshold: 0.8
          |                    ^^^ did you mean 80?
        """,
    ),
    "a digit too many": (
        """
        agents:
          system_health:
            cpu_threshold: 80
            memory_threshold: 900
        """,
        """
        error[ZC202]: `memory_threshold` is a percentage from 1 to 100, got 900
         --> config.yaml:4:23
          |
        4 |     memory_threshold: 900
          |                       ^^^ did you mean 90?
        """,
    ),
    "ladders": (
        """
        agents:
          system_health:
            services:
              web:
                unit: web.service
                on_failure: [restart_servce, clear_cache]
        actions:
          allow: {restart_service: {units: [web.service]}}
        """,
        """
        error[ZC301]: unknown action `restart_servce`
         --> config.yaml:6:22
          |
        6 |         on_failure: [restart_servce, clear_cache]
          |                      ^^^^^^^^^^^^^^ did you mean `restart_service`?

        error[ZC302]: action `clear_cache` exists, but `actions.allow` does not name it, so it would never run
         --> config.yaml:6:38
          |
        6 |         on_failure: [restart_servce, clear_cache]
          |                                      ^^^^^^^^^^^
          = note: the allow-list is at config.yaml:8:3
        """,
    ),
    "a key given twice": (
        """
        agents:
          system_health:
            enabled: true
            interval: 300

          system_health:
            enabled: false
        """,
        """
        error[ZC102]: key `system_health` is given twice; the second would silently win
         --> config.yaml:6:3
          |
        6 |   system_health:
          |   ^^^^^^^^^^^^^
          = note: first given at config.yaml:2:3
        """,
    ),
    "a setting indented too little": (
        """
        agents:
          system_health:
            enabled: true
          cpu_threshold: 80
        """,
        """
        error[ZC103]: `cpu_threshold` is a setting of `system_health`, but at this indent it is read as an agent name
         --> config.yaml:4:3
          |
        4 |   cpu_threshold: 80
          |   ^^^^^^^^^^^^^ indent by 2 more spaces
        """,
    ),
    "a secret": (
        """
        agents: {system_health: {}}
        alerts:
          pagerduty:
            routing_key: R0ABCDEFGHIJKLMNOPQRSTUVWXYZ1234
        """,
        """
        error[ZC401]: secret written in the config file
         --> config.yaml:4:18
          |
        4 |     routing_key: R0ABCDEFGHIJKLMNOPQRSTUVWXYZ1234
          |                  ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
          = help: move it to a file with mode 0600 and use `routing_key_file`, or set PAGERDUTY_ROUTING_KEY
        """,
    ),
    "a pattern that does not compile": (
        r"""
        agents:
          log_analysis:
            enabled: false
            patterns: {oom: {source: kernel,
                match: 'Killed process (?P<pid>\d+ \('
                }}
        """,
        r"""
        error[ZC205]: bad regular expression: is no pattern: missing ), unterminated subpattern
         --> config.yaml:5:32
          |
        5 |         match: 'Killed process (?P<pid>\d+ \('
          |                                ^ see zen-agents test pattern
        """,
    ),
    "a pattern that might never come to an end": (
        r"""
        agents: {system_health: {}}
        redact:
          - 'token=\S+'
          - 'pass(?=word)'
        """,
        r"""
        error[ZC205]: bad regular expression: `(?=` is not supported: do without, see: zen-agents explain ZC205
         --> config.yaml:4:10
          |
        4 |   - 'pass(?=word)'
          |          ^ here
        """,
    ),
    "a clear that is not below": (
        """
        agents:
          system_health:
            cpu_threshold: 80
            thresholds:
              cpu: {for: 5m, clear: 85}
        """,
        """
        error[ZC206]: `clear: 85` is not below the threshold 80, so the alert could never clear
         --> config.yaml:5:29
          |
        5 |       cpu: {for: 5m, clear: 85}
          |                             ^^
          = note: threshold is set at config.yaml:3:5
        """,
    ),
    "an entry's own limits in the wrong order": (
        """
        agents:
          system_health:
            temp_dirs:
              app: {path: /srv/tmp, older_than: 1h,
                    above: 60%, down_to: 80%}
        """,
        """
        error[ZC206]: `down_to` is 80%, not below `above: 60%`
         --> config.yaml:5:34
          |
        5 |             above: 60%, down_to: 80%}
          |                                  ^^^
          = note: above is set at config.yaml:5:13
        """,
    ),
    "less patience than when it is critical": (
        """
        limits: {patience: 1m}
        agents: {system_health: {}}
        """,
        """
        error[ZC214]: `patience` is shorter than `patience_when_critical`: what is critical is told sooner, not later
         --> config.yaml:1:20
          |
        1 | limits: {patience: 1m}
          |                    ^^
        """,
    ),
    "more patience when it is critical": (
        """
        limits: {patience_when_critical: 20m}
        agents: {system_health: {}}
        """,
        """
        error[ZC214]: `patience_when_critical` is longer than `patience`: what is critical is told sooner, not later
         --> config.yaml:1:34
          |
        1 | limits: {patience_when_critical: 20m}
          |                                  ^^^
        """,
    ),
    "no patience at all": (
        """
        limits: {patience_when_critical: 0s}
        agents: {system_health: {}}
        """,
        """
        error[ZC209]: `patience_when_critical` is at least 1ms, got 0s
         --> config.yaml:1:34
          |
        1 | limits: {patience_when_critical: 0s}
          |                                  ^^
        """,
    ),
    "an unknown time zone": (
        """
        quiet_hours: {start: 22:00, end: 07:00, timezone: Europe/Berlim}
        agents: {system_health: {}}
        """,
        """
        error[ZC204]: unknown time zone `Europe/Berlim`
         --> config.yaml:1:51
          |
        1 | quiet_hours: {start: 22:00, end: 07:00, timezone: Europe/Berlim}
          |                                                   ^^^^^^^^^^^^^ did you mean `Europe/Berlin`?
        """,
    ),
    "an unknown section": (
        """
        agents: {system_health: {}}
        alert:
          email: {}
        """,
        """
        error[ZC101]: unknown key `alert`
         --> config.yaml:2:1
          |
        2 | alert:
          | ^^^^^ did you mean `alerts`?
        """,
    ),
    "a tab": (
        """
        agents:
          system_health:
        \tenabled: true
        """,
        """
        error[ZC002]: tab used for indentation
         --> config.yaml:3:1
          |
        3 | \tenabled: true
          | ^ use 2 spaces
        """,
    ),
    "a hold on one sample": (
        """
        agents:
          system_health:
            sample_interval: 5m
            thresholds:
              cpu: {for: 5m}
              memory: {for: 15m}
        """,
        """
        warning[ZC502]: `cpu.for: 5m` with `sample_interval: 5m` rests on one sample
         --> config.yaml:5:18
          |
        5 |       cpu: {for: 5m}
          |                  ^^
        """,
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_typical_mistake_is_told_word_for_word(name: str) -> None:
    written, expected = (textwrap.dedent(text).strip("\n").replace("\\t", "\t") for text in CASES[name])
    text = told(written + "\n")
    assert text.rpartition("\n\n")[0] == expected


def test_environment_mistakes_are_told_word_for_word() -> None:
    text = told("agents: {system_health: {}}\n", AGENT_SYSTEM_HEALTH_ENABLED="ture", AGENT_SYSTEM_HEALT_ENABLED="true")
    errors = [
        'error[ZC601]: env AGENT_SYSTEM_HEALTH_ENABLED: "ture" is not a boolean; did you mean "true"?',
        "warning[ZC603]: env AGENT_SYSTEM_HEALT_ENABLED is not read by anything; did you mean AGENT_SYSTEM_HEALTH_ENABLED?",
        "1 error, 1 warning in config.yaml",
    ]
    assert text.split("\n\n") == errors


def test_all_errors_are_told_at_once_in_the_order_of_the_file_and_counted_in_the_last_line() -> None:
    text = told("mode: enforc\nagents:\n  system_health:\n    cpu_treshold: 80\n    interval: 0\nalert: {}\n")
    codes = [line.split("]")[0].removeprefix("error[") for line in text.splitlines() if line.startswith("error[")]
    assert codes == ["ZC201", "ZC101", "ZC209", "ZC101"]
    assert text.splitlines()[-1] == "4 errors in config.yaml"


def test_more_than_twenty_are_counted() -> None:
    wrong = "".join(f"    key_{number}: 1\n" for number in range(27))
    text = told(f"agents:\n  system_health:\n{wrong}")
    assert text.count("error[ZC101]") == 20
    assert text.split("\n\n")[-2:] == ["... and 7 more", "27 errors in config.yaml"]
