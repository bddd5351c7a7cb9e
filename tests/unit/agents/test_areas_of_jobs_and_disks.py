"""jobs, journal, log_rates, log_archives, mounts, uninterruptible: what comes of each section."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from tests.unit.agents.test_system_health_agent import agent, rule, steps
from zen_agents.actions.base import ActionPolicy
from zen_agents.agents.system_health.agent import SystemHealthAgent
from zen_agents.errors import SettingsError
from zen_agents.model.severity import Severity
from zen_agents.rules.condition import Beyond, StatusIs

JOB = {"executable": "/usr/bin/nightly", "user": "root", "max_age": "2h"}


def allowing(values: dict[str, Any], *actions: str) -> SystemHealthAgent:
    return agent(values, policies={action: ActionPolicy() for action in actions})


def test_a_stuck_job_is_ended_where_that_is_allowed_and_a_lone_one_only_told() -> None:
    made = allowing({"jobs": {"nightly": {**JOB, "lock": "/run/n.pid"}}}, "end_stuck_job", "clear_stale_lock")
    about = rule(made, "system_health.nightly|job:nightly")
    assert about.condition == StatusIs("job.nightly", "job:nightly", 180.0, certain=True)
    assert steps(about) == [["end_stuck_job job:nightly"]]
    assert about.ladder[0].attempts == 2
    lock = rule(made, "system_health.nightly.lock|job:nightly")
    assert (steps(lock), lock.hold.fail_after) == ([["clear_stale_lock job:nightly"]], 2)
    assert next(dict(request.params) for request in made.remedies())["keep"] == 1
    assert steps(rule(allowing({"jobs": {"nightly": JOB}}), "system_health.nightly|job:nightly")) == []
    told = allowing({"jobs": {"nightly": {**JOB, "on_stuck": []}}}, "end_stuck_job")
    assert steps(rule(told, "system_health.nightly|job:nightly")) == []


def test_the_journal_is_vacuumed_and_the_rule_says_what_makes_that_needless() -> None:
    made = allowing({"journal": {"above": "1GiB", "down_to": "512MiB", "keep": "3d"}}, "vacuum_journal")
    about = rule(made, "system_health.journal|journal:system")
    assert about.condition == Beyond(
        "journal.bytes", "journal:system", float(2**30), window_seconds=0.0, sample_seconds=300.0
    )
    assert steps(about) == [["vacuum_journal journal:system"]]
    assert "SystemMaxUse=512M" in about.summary
    (request,) = made.remedies()
    assert dict(request.params) == {"down_to_bytes": 2**29, "keep_seconds": 3 * 86400.0}


def test_a_disk_that_fills_may_have_the_journal_vacuumed() -> None:
    disk = {"disk": [{"path": "/", "above": 85, "on_breach": ["vacuum_journal"]}]}
    made = allowing({"journal": {}, "thresholds": disk}, "vacuum_journal")
    assert steps(rule(made, "system_health.disk|disk:/")) == [["vacuum_journal journal:system"]]
    with pytest.raises(SettingsError, match="no journal is listed for it"):
        agent({"thresholds": disk})


def test_a_flood_is_limited_once_more_where_that_came_to_nothing_and_then_whatever_is_named() -> None:
    noisy = {"unit": "noisy.service", "above": 500, "for": "1m"}
    about = rule(allowing({"log_rates": {"noisy": noisy}}, "limit_log_rate"), "system_health.noisy|log_rate:noisy")
    assert (steps(about), about.ladder[0].attempts) == ([["limit_log_rate log_rate:noisy"]], 2)
    assert about.hold.held_for_seconds == 60.0
    both = {
        "services": {"noisy": {"unit": "noisy.service"}},
        "log_rates": {"noisy": {**noisy, "on_flood": ["limit_log_rate", "restart_service:noisy"]}},
    }
    assert steps(rule(agent(both), "system_health.noisy|log_rate:noisy")) == [
        ["limit_log_rate log_rate:noisy", "restart_service service:noisy"], ["restart_service service:noisy"]
    ]  # fmt: skip


def test_a_set_of_logs_has_a_rule_for_each_thing_that_is_asked_of_it() -> None:
    asked = {"paths": ["/var/log/a.log", "/srv/b/*.log"], "older_than": "30d", "above": "2GiB", "down_to": "1GiB"}
    made = allowing({"log_archives": {"all": {**asked, "compress": "zstd"}}}, "prune_log_archives", "compress_log_archives")
    target = "log_archives:all"
    assert {each.key: steps(each) for each in made.rules() if each.target == target} == {
        f"system_health.all|{target}": [[f"prune_log_archives {target}"]],
        f"system_health.all.old|{target}": [[f"prune_log_archives {target}"]],
        f"system_health.all.plain|{target}": [[f"compress_log_archives {target}"]],
    }
    only_packed = agent({"log_archives": {"all": {"paths": "/var/log/a.log", "compress": "gzip"}}})
    assert [each.key for each in only_packed.rules() if each.target == target] == [f"system_health.all.plain|{target}"]
    assert [request.action for request in only_packed.remedies()] == ["compress_log_archives"]


def test_a_read_only_disk_is_remounted_only_where_that_is_allowed_and_wakes_people() -> None:
    about = rule(allowing({"mounts": {"srv": {"path": "/srv"}}}, "remount_read_write"), "system_health.srv|mount:srv")
    assert (steps(about), about.severity) == ([["remount_read_write mount:srv"]], Severity.CRITICAL)
    assert about.ladder[0].attempts == 1
    assert steps(rule(allowing({"mounts": {"srv": {"path": "/srv"}}}), "system_health.srv|mount:srv")) == []


def test_for_a_process_that_hangs_in_the_kernel_nothing_is_ever_done() -> None:
    made = agent({"uninterruptible": {"for": "5m"}})
    about = rule(made, "system_health.uninterruptible|host")
    assert (about.ladder, about.severity) == ((), Severity.CRITICAL)
    assert made.remedies() == ()


def test_a_clock_that_is_off_is_only_told_and_its_dead_daemon_is_restarted() -> None:
    made = allowing({"time": {"daemon": "chrony.service", "servers": ["10.0.0.1:123"]}}, "restart_time_daemon")
    assert steps(rule(made, "system_health.clock.offset|clock:system")) == []
    assert steps(rule(made, "system_health.clock.daemon|clock:system")) == [["restart_time_daemon clock:system"]]
    assert {check.kind for check in agent({"time": {"daemon": "chrony.service"}}).checks()} >= {"time_daemon"}
    assert [each.name for each in agent({"time": {"servers": ["10.0.0.1:123"]}}).rules() if ".clock." in each.name] == [
        "system_health.clock.offset"
    ]


@pytest.mark.parametrize("absent", [{}, {"journal": None, "uninterruptible": None, "jobs": {}}])
def test_what_is_not_listed_is_not_looked_at(absent: dict[str, Any]) -> None:
    kinds = {check.kind for check in agent(absent).checks()}
    assert kinds.isdisjoint({"job", "journal", "log_rate", "mount", "uninterruptible", "clock_offset", "time_daemon"})


def test_nothing_of_them_is_loaded_before_it_is_listed() -> None:
    code = (
        "import sys; from tests.unit.agents.test_system_health_agent import agent; agent({'services': {'a': {'unit': "
        "'a.service'}}}).rules(); print(sorted(name for name in sys.modules if name.endswith(('.jobs', '.journal', "
        "'.log_rates', 'log_archives', '.mounts', '.uninterruptible', 'checks.job', 'end_stuck_job', "
        "'linux_view_journal'))))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() in ("[]", "['zen_agents.engine.journal']")
