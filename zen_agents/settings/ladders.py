"""The steps of ladders: each names an action that exists, that may run, and a target that is defined."""

from __future__ import annotations

from collections.abc import Iterator

from zen_agents import catalog
from zen_agents.settings.diagnostics import Report
from zen_agents.settings.nearest import did_you_mean, nearest
from zen_agents.settings.nodes import Node, Place

#: Keys whose value is an ordered ladder of actions.
LADDER_KEYS = ("on_failure", "on_breach", "on_match", "on_stuck", "on_flood")

#: Where the targets of `action:NAME` are defined, below `agents.system_health`.
_DEFINED_IN = {
    "restart_service": "services",
    "remove_stale_pidfile": "services",
    "signal_parent": "services",
    "renice_process": "processes",
    "cap_cpu": "processes",
    "kill_process": "processes",
    "clean_temp_files": "temp_dirs",
    "rotate_logs": "logs",
    "truncate_deleted_log": "logs",
    "clear_cache": "caches",
    "create_directory": "paths",
    "restore_permissions": "paths",
    "flush_resolver_cache": "resolvers",
    "renew_certificate": "certificates",
    "change_certificate_authority": "certificates",
    "reload_service": "certificates",
    "end_stuck_job": "jobs",
    "clear_stale_lock": "jobs",
    "limit_log_rate": "log_rates",
    "prune_log_archives": "log_archives",
    "compress_log_archives": "log_archives",
    "remount_read_write": "mounts",
    "switch_resolver": "resolvers",
    "restore_resolver": "resolvers",
    "widen_port_range": "local_ports",
    "restore_port_range": "local_ports",
    "raise_conntrack_limit": "conntrack",
    "restore_conntrack_limit": "conntrack",
    "reset_pool": "pools",
    "recycle_pool": "pools",
}


def check_ladders(root: Node, report: Report) -> None:
    """Report every step of every ladder that could never run."""
    agents = root.get("agents")
    allow = root.entry_at("actions", "allow") or root.entry_at("actions")
    allowed = allow.node.value if allow and allow.node.is_map and root.entry_at("actions", "allow") else {}
    for step in _steps(agents) if agents else ():
        _check(step, root, allowed, allow.place if allow else None, report)


def _steps(node: Node) -> Iterator[Node]:
    if node.is_map:
        for key, entry in node.value.items():
            if key in LADDER_KEYS and entry.node.is_list:
                yield from (item for item in entry.node.value if isinstance(item.value, str))
            elif not key.startswith("x-"):
                yield from _steps(entry.node)
    elif node.is_list:
        for item in node.value:
            yield from _steps(item)


def _check(step: Node, root: Node, allowed: dict[str, object], allow_at: Place | None, report: Report) -> None:
    name, _, target = step.value.partition(":")
    known = list(catalog.ACTIONS)
    if name not in known:
        from zen_agents.settings import later  # noqa: PLC0415 - only for files that use it

        if name in later.ACTIONS:
            report.error("ZC110", f"action `{name}` is not in this version", step, label="remove it")
            return
        suggest = nearest(name, known)
        report.error("ZC301", f"unknown action `{name}`", step, label=did_you_mean(suggest), replacement=suggest)
        return
    if allow_at is not None and name not in allowed:
        message = f"action `{name}` exists, but `actions.allow` does not name it, so it would never run"
        report.error("ZC302", message, step, note=f"the allow-list is at {allow_at}")
    if target and (section := _DEFINED_IN.get(name)):
        _check_target(step, target, section, root, report)


def _check_target(step: Node, target: str, section: str, root: Node, report: Report) -> None:
    defined = root.get("agents", "system_health", section)
    names = list(defined.value) if defined and defined.is_map else []
    if target in names:
        return
    suggest = nearest(target, names)
    message = f"`{step.value}` names `{target}`, which is not in agents.system_health.{section}"
    report.error("ZC303", message, step, label=did_you_mean(suggest))
