"""The reference says all that the code can do, and nothing else."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.doc_blocks import ROOT, Sandbox
from zen_agents import catalog
from zen_agents.agents.base import AgentContext
from zen_agents.agents.system_health.agent import SystemHealthAgent
from zen_agents.agents.system_health.settings import SystemHealthSettings
from zen_agents.cli.main import COMMANDS
from zen_agents.cli.runbook import page_of
from zen_agents.logs.formats.catalog import FORMATS
from zen_agents.model.reason import Reason
from zen_agents.settings.codes import CODES
from zen_agents.settings.environment import variables

REFERENCE = ROOT / "docs" / "reference"


def _page(name: str) -> str:
    return (REFERENCE / name).read_text("utf-8")


def _headings(name: str) -> set[str]:
    return set(re.findall(r"^## (.+)$", _page(name), re.MULTILINE))


def test_the_generated_pages_are_fresh() -> None:
    done = subprocess.run(
        [sys.executable, "scripts/generate_reference.py", "--check"], cwd=ROOT, capture_output=True, text=True, check=False,
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"},
    )  # fmt: skip

    assert done.returncode == 0, f"run scripts/reference\n{done.stdout}{done.stderr}"


def test_everything_in_the_catalog_has_its_part() -> None:
    assert set(catalog.AGENTS) <= _headings("agents.md")
    assert set(catalog.CHECKS) <= _headings("checks.md")
    assert set(catalog.ACTIONS) <= _headings("actions.md")
    assert {guard.name for guard in catalog.GUARDS} <= _headings("guards.md")


def test_every_command_code_reason_and_variable_has_its_part() -> None:
    assert set(COMMANDS) <= _headings("commands.md")
    assert set(CODES) == _headings("error-codes.md")
    assert {f"| `{reason.value}` |" for reason in Reason} <= set(
        re.findall(r"^\| `\w+` \|", _page("reasons.md"), re.MULTILINE)
    )
    assert all(f"`{name}`" in _page("environment.md") for name in variables())


def test_every_code_that_is_reported_is_explained() -> None:
    reported = {
        code
        for source in (ROOT / "zen_agents").rglob("*.py")
        for code in re.findall(r'(?:error|warning|note)\(\s*"(ZC\d{3})"', source.read_text("utf-8"))
    }

    assert reported
    assert reported <= set(CODES)


@pytest.fixture
def everything() -> SystemHealthAgent:
    listed = {
        "thresholds": {
            "pressure": {"cpu": 50, "memory": 20, "io": 20}, "cpu": {"critical": 95}, "memory": {"critical": 97},
            "disk": [{"path": "/srv", "critical": 95, "inodes": True}],
        },
        "services": {"web": {"unit": "nginx.service"}},
        "paths": {"key": {"path": "/srv/key", "mode": "0600", "owner": "root", "group": "root"}},
        "temp_dirs": {"tmp": {"path": "/srv/tmp", "older_than": "2d"}},
        "logs": {"app": {"path": "/srv/log/*.log", "rotate_at": "50MiB"}},
        "caches": {"pip": {"path": "/srv/cache", "above": "2GiB", "down_to": "1GiB"}},
        "jobs": {"job": {"executable": "/usr/bin/job", "user": "root", "max_age": "2h", "lock": "/run/job.pid"}},
        "journal": {}, "log_rates": {"web": {"unit": "web.service"}},
        "log_archives": {
            "all": {"paths": "/srv/log/*.log", "older_than": "30d", "above": "2GiB", "down_to": "1GiB", "compress": "zstd"}
        },
        "mounts": {"srv": {"path": "/srv"}},
        "uninterruptible": {}, "time": {"daemon": "chrony.service", "servers": ["10.0.0.1:123"]},
        "scripts": {"load": {"command": ["/usr/lib/nagios/plugins/check_load"], "values": ["load1"]}},
        "certificates": {"web": {"file": "/srv/web.pem", "server": "127.0.0.1:443"}},
        "resolvers": {"host": {"asks": "db.internal", "fallbacks": ["127.0.0.2"]}},
        "connections": {"db": {"to": "db.internal:5432"}},
        "pools": {"orders": {"postgres": {"server": "127.0.0.1:5432"}, "user": "app"}},
        "links": {"uplink": {"interface": "eth0"}}, "local_ports": {"widen_to": "20000-64999"},
        "conntrack": {"usual": 65536, "raise_to": 131072},
    }  # fmt: skip
    return SystemHealthAgent(SystemHealthSettings.model_validate(listed), AgentContext("here", vitals=_Vitals()))


class _Vitals:
    def loop_lag_seconds(self) -> float:
        return 0.0

    def store_writable(self) -> bool:
        return True


def test_every_built_in_rule_has_a_runbook(everything: SystemHealthAgent) -> None:
    rules = list(everything.rules())

    assert len(rules) > 15
    for rule in rules:
        page = page_of(rule.name, rule.target)
        assert (ROOT / "docs" / "runbooks" / f"{page}.md").is_file(), rule.name


def test_files_page_names_all_that_a_run_leaves(tmp_path: Path) -> None:
    sandbox = Sandbox(tmp_path)
    try:
        done = subprocess.run(
            ["zen-agents", "once", "--yes", "-c", "config/default.yaml"], cwd=sandbox.root, env=sandbox.environment,
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        left = sorted(path.name for path in (sandbox.root / ".state").iterdir())
    finally:
        sandbox.close()

    assert "state.db" in left, done.stderr
    page = _page("files.md")
    assert [name for name in left if not re.search(rf"`{re.escape(name)}(/[A-Za-z-]*)?/?`", page)] == []


def test_the_table_of_safety_names_what_is_there() -> None:
    page = (ROOT / "docs" / "explanation" / "safety.md").read_text("utf-8")
    rows = {row.split("|")[1].strip(): row.split("|") for row in page.splitlines() if re.match(r"\| R\d+ ", row)}

    assert list(rows) == [f"R{number}" for number in range(1, 37)]
    for number, cells in rows.items():
        for column, folder in ((4, "zen_agents"), (5, "tests")):
            for name in re.findall(r"`([^`]+)`", cells[column]):
                assert (ROOT / (name if name.startswith("scripts/") else f"{folder}/{name}")).exists(), f"{number}: {name}"


def test_the_log_formats_of_the_reference_are_those_there_are() -> None:
    """By the names that a source may give."""
    rows = re.findall(r"^\| `([a-z0-9]+)` \|", _page("log-formats.md"), re.MULTILINE)
    assert sorted(rows) == sorted(FORMATS)
