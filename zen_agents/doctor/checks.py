"""All checks, in the order in which they are shown."""

from __future__ import annotations

from collections.abc import Mapping

from zen_agents.doctor import engine, online, program, rights, state, surroundings
from zen_agents.doctor.examination import Check

CHECKS: Mapping[str, Check] = {
    "python": program.python,
    "unit": program.unit,
    "emergency_stop": program.emergency_stop,
    "groups": program.groups,
    "sockets": rights.sockets,
    "approvers": rights.approvers,
    "restarts": rights.units,
    "config": surroundings.configuration,
    "config_in_force": surroundings.applied,
    "secrets": surroundings.secrets,
    "engine": engine.running,
    "other_engines": engine.alone,
    "heap": engine.heap,
    "holds": engine.holds,
    "messages": engine.told,
    "state_dir": state.directory,
    "room": state.room,
    "database": state.database,
    "ledger_key": state.signing_key,
    "outcomes": state.outcomes,
    "clock": surroundings.clock,
    "system_log": surroundings.system_log,
    "firewall": surroundings.firewall,
    "mail": online.mail,
    "pagerduty": online.pagerduty,
    "heartbeat": surroundings.heartbeat,
}
