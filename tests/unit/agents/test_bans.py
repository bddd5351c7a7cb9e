"""`ban_at:` what may be written, who may be banned at all, and that nothing of it is loaded where nobody may."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from tests.support.banning import PATTERN, POLICY, SETTINGS, agent
from tests.support.settings import codes, told
from zen_agents.actions.ban_address import BanAddressPolicy
from zen_agents.adapters import linux_firewall
from zen_agents.agents.base import AgentContext
from zen_agents.agents.log_analysis.agent import LogAnalysisAgent
from zen_agents.agents.log_analysis.settings import LogAnalysisSettings
from zen_agents.checks.log_bans import BanningSourceCheck
from zen_agents.checks.log_source import LogSourceCheck
from zen_agents.errors import SettingsError

CONFIG = """
agents:
  log_analysis:
    sources: {auth: {file: /var/log/auth.log, format: syslog, security: true}}
    patterns:
      guessing: {source: auth, where: {event: login}, by: address, count: 5, within: 10m, ban_at: [22]}
actions: {allow: {ban_address: {}}}
alerts: {email: {to: [ops@example.com]}}
"""


def settings(pattern: Mapping[str, Any], **source: Any) -> LogAnalysisSettings:
    sources = {"auth": {**SETTINGS["sources"]["auth"], **source}}
    return LogAnalysisSettings.model_validate({"sources": sources, "patterns": {"p": {**PATTERN, **pattern}}})


@pytest.mark.parametrize(
    ("pattern", "why"),
    [
        ({"by": []}, "by: address"),
        ({"by": ["address", "user"]}, "by: address"),
        ({"by": ["user"]}, "by: address"),
        ({"by": "address", "absent_for": "10m", "count": 1, "within": None}, "by: address"),
        ({"match": "from (?P<address>[0-9.]+)"}, "may fill"),
        ({"match": "from (?<address>[0-9.]+)"}, "(regular expression|may fill)"),
        (
            {"where": {}, "count": 1, "sequence": [{"match": "a (?P<address>.*)"}, {"where": {"event": "login"}}]},
            "may fill",
        ),
        ({"ban_at": [0]}, "greater than or equal to 1"),
        ({"ban_at": [65536]}, "less than or equal to 65535"),
    ],
)
def test_an_address_that_anything_else_could_have_found_is_refused(pattern: Mapping[str, Any], why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        settings(pattern)


def test_a_source_of_which_nobody_reads_security_is_refused() -> None:
    with pytest.raises(ValidationError, match="security: true"):
        settings({}, security=False)


def test_each_address_has_a_rule_with_what_the_allow_list_says_and_nothing_else_has() -> None:
    policy = BanAddressPolicy(expires=timedelta(hours=1), never=("10.0.0.0/8",), most_at_once=7, ipv6_prefix=64)
    made = agent(policy)
    rule = made.rule_about("ban.guessing", "address:192.0.2.7")
    assert rule is not None
    (request,) = rule.ladder[0].alternatives
    assert (rule.key, request.action, request.target) == (
        "log_analysis.ban.guessing|address:192.0.2.7", "ban_address", "address:192.0.2.7",
    )  # fmt: skip
    assert request.params == {"seconds": 3600, "most_at_once": 7, "ipv6_prefix": 64, "never": ["10.0.0.0/8"]}
    for name, target in (
        ("ban.guessing", "service:web"), ("ban.guessing", "address:192.0.2.7 or so"), ("ban.other", "address:192.0.2.7"),
        ("pattern.guessing", "address:192.0.2.7"), ("ban.guessing", "address:all"),
    ):  # fmt: skip
        assert made.rule_about(name, target) is None
    assert ("ban_address", "address:192.0.2.7") in made.scope()
    for pair in (
        ("ban_address", "address:*"), ("ban_address", "host"), ("restart_service", "address:192.0.2.7"), ("ban_address",),
    ):  # fmt: skip
        assert pair not in made.scope()
    assert (list(made.scope()), len(made.scope()), list(made.remedies())) == ([], 0, [])


def test_without_ban_at_nothing_of_it_is_there() -> None:
    section = LogAnalysisSettings.model_validate({**SETTINGS, "patterns": {"p": {**PATTERN, "ban_at": []}}})
    made = LogAnalysisAgent(section, AgentContext("host", policies={"ban_address": POLICY}))
    assert [type(check) for check in made.checks()] == [LogSourceCheck]
    assert [type(check) for check in agent().checks()] == [BanningSourceCheck]
    assert made.rule_about("ban.p", "address:192.0.2.7") is None
    assert ("ban_address", "address:192.0.2.7") not in made.scope()


def test_a_host_whose_allow_list_has_no_ban_is_told_when_it_is_loaded() -> None:
    with pytest.raises(SettingsError, match=r"patterns\.guessing\.ban_at: nobody may be banned"):
        LogAnalysisAgent(LogAnalysisSettings.model_validate(SETTINGS), AgentContext("host", policies={}))


def test_check_config_says_that_the_allow_list_has_no_ban_and_knows_the_rules_of_addresses() -> None:
    assert "ZC302" in codes(CONFIG.replace("{ban_address: {}}", "{restart_service: {}}"))
    assert "ZC302" in codes(CONFIG.replace("actions: {allow: {ban_address: {}}}\n", ""))
    autonomy = "autonomy: {log_analysis.ban.guessing: {ban_address: approve}}\n"
    assert not {"ZC302", "ZC303"} & set(codes(CONFIG + autonomy))
    assert "ZC303" in codes(CONFIG + autonomy.replace("guessing", "other"))


def test_check_config_says_that_nft_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(linux_firewall, "_PATH", "/nowhere")
    assert "ZC507" in told(CONFIG)
    assert "ZC507" not in told(CONFIG.replace("ban_at: [22]", "ban_at: []"))


def test_an_engine_that_bans_nobody_loads_nothing_of_it(tmp_path: Path) -> None:
    program = (
        "import sys; from zen_agents.agents.log_analysis.agent import LogAnalysisAgent as A; "
        "from zen_agents.agents.log_analysis.settings import LogAnalysisSettings as S; import zen_agents.runtime.runtime; "
        "from zen_agents.agents.base import AgentContext; "
        "A(S.model_validate({'sources': {'a': {'file': '/x', 'format': 'syslog', 'security': True}}, "
        "'patterns': {'p': {'source': 'a', 'match': 'x'}}}), AgentContext('h')); "
        "print(sorted(n for n in sys.modules if 'ban' in n.rpartition('.')[2] or 'firewall' in n or 'addresses' in n))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=tmp_path, check=True)
    loaded = ["zen_agents.logs.security.addresses", "zen_agents.ports.host_firewall"]
    assert [name for name in eval(done.stdout) if name.startswith("zen_agents")] in ([loaded[1]], loaded)
