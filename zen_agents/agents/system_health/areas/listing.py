"""Every area, on one page: its section, where it is, and what it may do. A new area is one file plus its lines here.

The section itself is a field of `SystemHealthSettings` of the same name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from zen_agents.agents.system_health.areas.base import Area
from zen_agents.first_use import later, load

if TYPE_CHECKING:
    from zen_agents.agents.system_health.settings import SystemHealthSettings

_PLACES: Mapping[str, str] = {
    "services": "services:Services",
    "paths": "paths:Paths",
    "temp_dirs": "temp_dirs:TempDirectories",
    "logs": "logs:Logs",
    "caches": "caches:Caches",
    "processes": "processes:Processes",
    "jobs": "jobs:Jobs",
    "journal": "journal:Journal",
    "log_rates": "log_rates:LogRates",
    "log_archives": "log_archives:ArchivesOfLogs",
    "mounts": "mounts:Mounts",
    "time": "timekeeping:Timekeeping",
    "uninterruptible": "uninterruptible:Uninterruptible",
    "resolvers": "resolvers:Resolvers",
    "connections": "connections:Connections",
    "links": "links:Links",
    "local_ports": "local_ports:LocalPortRange",
    "conntrack": "conntrack:Conntrack",
    "certificates": "certificates:Certificates",
    "pools": "pools:Pools",
    "scripts": "scripts:Scripts",
    "baselines": "baselines:Baselines",
    "sysctls": "sysctls:Sysctls",
    "upgrades": "upgrades:Upgrades",
    "root_accounts": "root_accounts:RootAccounts",
    "setuid_files": "setuid_files:SetuidFilesBelow",
    "oom_kills": "oom_kills:OomKills",
}

#: Section -> its area, loaded when it is needed.
AREAS: Mapping[str, Area[Any]] = later(lambda name: load(f"{__package__}.{_PLACES[name]}")(), _PLACES)

#: The actions that the agent may ask for, and the kind of target of each.
TARGET_KINDS: Mapping[str, str] = {
    "restart_service": "service",
    "remove_stale_pidfile": "service",
    "signal_parent": "service",
    "renice_process": "process",
    "cap_cpu": "process",
    "kill_process": "process",
    "create_directory": "path",
    "restore_permissions": "path",
    "clean_temp_files": "temp_dir",
    "rotate_logs": "log",
    "truncate_deleted_log": "log",
    "clear_cache": "cache",
    "end_stuck_job": "job",
    "clear_stale_lock": "job",
    "vacuum_journal": "journal",
    "limit_log_rate": "log_rate",
    "prune_log_archives": "log_archives",
    "compress_log_archives": "log_archives",
    "remount_read_write": "mount",
    "restart_time_daemon": "clock",
    "flush_resolver_cache": "resolver",
    "renew_certificate": "certificate",
    "change_certificate_authority": "certificate",
    "reload_service": "certificate",
    "switch_resolver": "resolver",
    "restore_resolver": "resolver",
    "widen_port_range": "local_ports",
    "restore_port_range": "local_ports",
    "raise_conntrack_limit": "conntrack",
    "restore_conntrack_limit": "conntrack",
    "reset_pool": "pool",
    "recycle_pool": "pool",
    "restore_file": "baseline",
    "restore_last_good": "service",
    "restore_sysctl": "sysctl",
    "lock_account": "root_accounts",
    "quarantine_setuid": "setuid_files",
}

#: Kinds of target of which a host has one, and its name: an action on it needs none.
ONLY: Mapping[str, str] = {"journal": "system", "clock": "system", "root_accounts": "system"}


def used(settings: SystemHealthSettings) -> Iterator[tuple[Area[Any], Any]]:
    """Yield the areas of which the configuration says something, each with its section."""
    return ((AREAS[name], section) for name in AREAS if (section := getattr(settings, name)))
