"""One state of a host after a bad night, to be looked at: all kinds of things, at fixed times and with fixed ids."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from tests.support.command_line import WrittenState, guard
from tests.support.state import a_message
from zen_agents.clock import Instant
from zen_agents.model.action import Effect, Outcome, OutcomeKind
from zen_agents.model.approval import Approval, ApprovalAnswer, ApprovalState
from zen_agents.model.entry import EntryKind
from zen_agents.model.incident import IncidentState
from zen_agents.model.message import MessageKind
from zen_agents.model.principal import ENGINE
from zen_agents.model.reason import Reason
from zen_agents.ports.store import Brake

#: When it is looked at: a Saturday, 03:20 UTC.
NOW = datetime(2026, 11, 21, 3, 20, tzinfo=UTC)
HOUR, DAY = 3600.0, 86400.0

CONFIG = """\
agents:
  system_health:
    services:
      web: {unit: nginx.service, check: {http: "http://127.0.0.1/healthz"}}
    thresholds: {disk: [{path: /srv, above: 85, for: 10m}]}
alerts: {email: {to: [ops@example.com]}}
maintenance:
  - {name: backups, days: [sun], start: "02:30", duration: 90m, timezone: Europe/Berlin, effect: no_actions}
"""
WRONG_CONFIG = """\
mode: enforcing
agents:
  system_health:
    interval: 5
    thresholds: {cpu_percent: 95}
    services:
      web: {unit: nginx.service, chekc: {http: "http://127.0.0.1/healthz"}}
"""
FACTS = """\
now: 2026-11-21T03:20:00+00:00
observations:
  cpu.percent: 97
  service.web: down
  disk.percent@disk:/srv: 93
"""
RULE_TESTS = """\
config: config.yaml
tests:
  - name: a web server that is down is restarted
    sample_every: 30s
    inputs: {service.web: "up x2 down x20"}
    expect:
      - {at: 1m, decision: system_health.web, outcome: act, action: restart_service}
  - name: nothing is done about it by night
    sample_every: 30s
    inputs: {service.web: "up x2 down x20"}
    expect:
      - {at: 5m, decision: system_health.web, outcome: skip, reason: maintenance}
"""

APP_LOG = """\
2026-11-21T02:01:07Z INFO worker 17 has started
2026-11-21T02:12:41Z ERROR cannot connect to 10.0.0.5:5432: connection refused
2026-11-21T02:40:02Z ERROR cannot connect to 10.0.0.5:5432: connection refused
2026-11-21T02:40:09Z ERROR cannot connect to 10.0.0.6:5432: connection refused
2026-11-21T03:01:55Z WARNING the queue of \x1b[31mmails has 4180 entries
"""

LOG = """\
[9214.512] Out of memory: Killed process 4242 (postgres) total-vm:8134216kB, anon-rss:6021184kB, shmem-rss:134216kB
[9214.731] oom_reaper: reaped process 4242 (postgres), now anon-rss:0kB
"""

_UNDELIVERED = (
    "email: web-07: postgresql@16-main is down, and every rung was tried (inc-8t5v1q): retry, 451 greylisted, come again"
)
_PLAN = {
    "steps": ['["systemctl", "restart", "postgresql@16-main.service"]'], "risk": "high", "reversible": "no",
    "warning": "clients lose their connections; a database that recovers may take minutes to answer",
}  # fmt: skip


def what_the_engine_says() -> dict[str, Any]:
    """Return the status as an engine would tell it that lives through this night."""
    done = {"id": "act-8t5v12", "action": "restart_service", "outcome": "unknown"}
    mended = {"id": "act-7m3x2c", "action": "restart_service", "outcome": "verified"}
    muted = {"target": "service:postgresql@16-main", "incident": "inc-8t5v1q", "source": "listed"}
    base = {
        "since_seconds": 1140.0,
        "value": "",
        "incident": None,
        "severity": "error",
        "last_action": None,
        "muted_by": None,
    }
    database = {
        "check": "system_health.postgresql@16-main", "target": "service:postgresql@16-main", "state": "DOWN",
        "value": "no process of postgresql@16-main.service runs", "incident": "inc-8t5v1q", "last_action": done,
    }  # fmt: skip
    others = (
        {
            "check": "system_health.api",
            "target": "service:api",
            "state": "DOWN",
            "incident": "inc-3n6w0e",
            "muted_by": muted,
        },
        {"check": "system_health.disk.filling", "target": "disk:/srv", "state": "unknown", "value": "measured for 4 min"},
        {"check": "system_health.cpu", "target": "host", "state": "ok", "value": "12.5", "since_seconds": None},
        {"check": "system_health.web", "target": "service:web", "state": "ok", "last_action": mended},
    )
    config = {"digest": "3f9a1c77", "path": "/etc/zen-agents/config.yaml", "loaded_at": "2026-11-18T09:12:44+00:00"}
    asked = {"id": "apr-2c8d4k", "state": "pending", "expires_seconds": 600.0}
    window = {"name": "racks", "effect": "observe", "left_seconds": 2400.0, "ends_at": "2026-11-21T04:00:00+00:00",
              "by": "alice", "reason": "moving racks 4 to 9"}  # fmt: skip
    return {
        "schema": "zen-agents/status/v1", "host": "web-07", "health": "degraded", "mode": "enforce", "dry_run": False,
        "abnormal": ["PAUSED until 04:16 (service:cache) by alice: I work on it. zen-agents resume service:cache"],
        "windows": [window], "warnings": ["disk:/mnt is configured and not mounted: nobody watches it"],
        "up_seconds": 238_000.0, "last_tick_seconds_ago": 2.1, "config": config, "incidents_open": 2, "actions_today": 4,
        "actions_by_outcome": {"verified": 1, "failed": 1, "timed_out": 1, "unknown": 1}, "repairs_spent": 4,
        "repairs_limit": 6, "approvals": [asked], "checks": [base | row for row in (database, *others)], "checks_more": 0,
        "demoted": [{"scope": "rule:system_health.postgresql@16-main", "reason": "act-8t5v12 ended unknown"}],
        "agents": [{"name": "system_health", "state": "running"}, {"name": "package_updates", "state": "crashed: restarts"}],
        "pages_undelivered": [_UNDELIVERED], "misfires": {},
    }  # fmt: skip


def a_broken_night(state: WrittenState) -> None:
    """Write a repair of web, a database that only people can mend, a question about it, and a breaker that opened."""
    state.store.put("host_name", "web-07")
    _weeks_before(state)
    _web_is_repaired(state, state.ago(2 * HOUR))
    _database_is_not(state, state.ago(19 * 60))
    _questions(state)
    state.broke("restart_service|service:postgresql@16-main", opened=754)
    state.broke("restart_service|service:web", opened=90)
    now = state.clock.now()
    brake = Brake("maintenance_observe", "window:racks", "moving racks 4 to 9", "alice", now, now.steady + 2400)
    state.store.set_brake(brake)
    paused = {"uid": 1000, "scope": "service:cache", "for_seconds": 3600.0, "reason": "I work on it"}
    state.happened(EntryKind.HUMAN, "pause", state.ago(240), paused, by="alice")
    state.store.commit()


def _weeks_before(state: WrittenState) -> None:
    for number in range(12):
        began = state.ago(6 * DAY - number * 9 * HOUR)
        end = began.after(10)
        state.incident(
            f"inc-w{number:05}", began, state=IncidentState.RESOLVED, opened_at=began, resolved_at=end, changed_at=end,
            resolved_by="engine", detail="connection refused on 127.0.0.1:80",
        )  # fmt: skip
        state.acted(f"act-w{number:05}", began.after(1), OutcomeKind.VERIFIED, incident=f"inc-w{number:05}")


def _web_is_repaired(state: WrittenState, began: Instant) -> None:
    state.incident(
        "inc-4k2p9d", began, state=IncidentState.RESOLVED, opened_at=began.after(10), resolved_at=began.after(24),
        resolved_by="engine", detail="accepts connections on 127.0.0.1:80",
    )  # fmt: skip
    guards = [
        guard("emergency_stop", value="not set"), guard("mode", value="enforce", origin="/etc/zen-agents/config.yaml:3:7"),
        guard("allow_list", value="restart_service on service:web is listed", origin="/etc/zen-agents/config.yaml:38:5"),
        guard("cooldown", value="10m, last run never"), guard("rate_limit", value="1 of 6 an hour"),
        guard("lease", value="free"),
    ]  # fmt: skip
    seen = "connection refused on 127.0.0.1:80, 3 times in 10 s"
    state.decided(
        "dec-9f31ab", began.after(10), outcome="act", reason="held", action="restart_service", detail="attempt 1 of 4",
        seen=seen, guards=guards, incident="inc-4k2p9d", origin="/etc/zen-agents/config.yaml:12:7",
    )  # fmt: skip
    effect = Effect(True, "restarted, process 20510", before="failed", after="active", exit_code=0)
    state.acted("act-7m3x2c", began.after(20), OutcomeKind.VERIFYING, incident="inc-4k2p9d", effect=effect)
    state.decided(
        "dec-9f31ac", began.after(24), outcome="resolve", reason="cleared", seen="accepts connections on 127.0.0.1:80",
        incident="inc-4k2p9d",
    )  # fmt: skip
    state.judged(Outcome("act-7m3x2c", OutcomeKind.VERIFYING, began, 1.5, effect), OutcomeKind.VERIFIED, began.after(24))
    told = {"kind": "resolved", "summary": "web-07: web recovered after 14 s; restart_service act-7m3x2c did it"}
    state.happened(EntryKind.ALERT, "alr-4k2p9d", began.after(25), told, incident="inc-4k2p9d")
    state.store.enqueue(a_message("alr-4k2p9d", MessageKind.RESOLVED, began.after(25)), ["email"], began.steady)


def _database_is_not(state: WrittenState, began: Instant) -> None:
    database = {"rule": "system_health.postgresql@16-main", "target": "service:postgresql@16-main"}
    effect = Effect(False, "Job for postgresql@16-main.service failed because the control process exited with error code.",
                    before="failed", after="failed", exit_code=1, output="Job failed.\nSee: systemctl status\n")  # fmt: skip
    state.incident(
        "inc-8t5v1q", began, **database, state=IncidentState.ESCALATED, opened_at=began.after(10), attempts=4,
        escalated_at=began.after(700), escalated_for=Reason.LADDER_EXHAUSTED,
        detail="no process of postgresql@16-main.service runs; its last exit code was 1",
    )  # fmt: skip
    for number, kind in enumerate((OutcomeKind.FAILED, OutcomeKind.TIMED_OUT, OutcomeKind.UNKNOWN)):
        at = began.after(10 + number * 200)
        state.decided(
            f"dec-8t5v1{number}", at, outcome="act", reason="retry", action="restart_service", **database,
            detail=f"attempt {number + 1} of 4", seen="no process runs", incident="inc-8t5v1q",
            guards=[guard("mode", value="enforce"), guard("stateful", value="allowed by allow_stateful")],
        )  # fmt: skip
        state.acted(f"act-8t5v1{number}", at.after(1), kind, incident="inc-8t5v1q", target=database["target"], effect=effect)
    refusal = guard(
        "breaker", "deny", reason="breaker_open", value="open since 03:07:26 after 4 failures, probes again at 03:37:26",
        until=state.clock.now().steady + 1046, origin="/etc/zen-agents/config.yaml:61:9",
    )  # fmt: skip
    state.decided(
        "dec-8t5v1r", began.after(650), reason="breaker_open", action="restart_service", **database,
        seen="no process runs", incident="inc-8t5v1q", guards=[guard("mode", value="enforce"), refusal],
    )  # fmt: skip
    told = {"kind": "escalated", "summary": "web-07: postgresql@16-main is down, and every rung was tried without success"}
    state.happened(EntryKind.ALERT, "alr-8t5v1q", began.after(700), told, incident="inc-8t5v1q")


def _questions(state: WrittenState) -> None:
    asked = state.ago(300)
    yes = ApprovalAnswer("alice", 1000, True, "replication is paused, go on", asked.wall.timestamp())
    question = Approval(
        id="apr-2c8d4k", digest="a" * 64, action="restart_service", target="service:postgresql@16-main",
        agent="system_health", rule="system_health.postgresql@16-main", incident="inc-8t5v1q", requested_by=ENGINE, needed=2,
        asked_at=asked, expires_at=asked.steady + 900, plan=_PLAN, because="no process of it runs", answers=(yes,),
    )  # fmt: skip
    state.store.save_approval(question)
    before = state.ago(DAY)
    over = replace(
        question, id="apr-1b7c3j", digest="b" * 64, action="clear_cache", target="cache:/var/cache/nginx", needed=1,
        incident=None, asked_at=before, expires_at=before.steady + 900, answers=(), state=ApprovalState.EXPIRED,
        plan={"steps": [], "risk": "low", "reversible": "undo"}, ended_why="nobody answered within 15 min",
    )  # fmt: skip
    state.store.save_approval(over)
