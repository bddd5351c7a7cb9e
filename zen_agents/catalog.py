"""What the product can do, on one page. A new check, action, guard or agent is one file plus one line here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from zen_agents.actions.base import Action
from zen_agents.actions.inverse import Inverse
from zen_agents.agents.base import BaseAgent
from zen_agents.checks.base import Check
from zen_agents.first_use import later, load
from zen_agents.guards.allow_list import AllowList
from zen_agents.guards.approval import Approval
from zen_agents.guards.auto_mitigate import AutoMitigate
from zen_agents.guards.base import Guard
from zen_agents.guards.breaker import Breaker
from zen_agents.guards.confirmation import Confirmation
from zen_agents.guards.cooldown import Cooldown
from zen_agents.guards.dependency import Dependency
from zen_agents.guards.dry_run import DryRun
from zen_agents.guards.emergency_stop import EmergencyStop
from zen_agents.guards.foreign_state import ForeignState
from zen_agents.guards.lease import Lease
from zen_agents.guards.maintenance import Maintenance
from zen_agents.guards.mode import Mode
from zen_agents.guards.ownership import Ownership
from zen_agents.guards.pause import Pause
from zen_agents.guards.protected import Protected
from zen_agents.guards.rate_limit import RateLimit
from zen_agents.guards.recurrence import Recurrence
from zen_agents.guards.safe_mode import SafeMode
from zen_agents.guards.stateful import Stateful
from zen_agents.guards.stopped_by_person import StoppedByPerson
from zen_agents.guards.storm_brake import StormBrake
from zen_agents.model.action import Risk

T = TypeVar("T")


def _classes(places: Mapping[str, str]) -> Mapping[str, Any]:
    return later(lambda name: load(f"zen_agents.{places[name]}"), places)


#: Name -> where its class is; one that no configuration names is not loaded.
AGENTS: Mapping[str, type[BaseAgent]] = _classes(
    {
        "system_health": "agents.system_health.agent:SystemHealthAgent",
        "log_analysis": "agents.log_analysis.agent:LogAnalysisAgent",
        "dependency_manager": "agents.dependency_manager.agent:DependencyManagerAgent",
        "data_validation": "agents.data_validation.agent:DataValidationAgent",
    }
)

#: Kind -> where its class is. A check is loaded by the area of an agent that asks it; here, for those who list all.
CHECKS: Mapping[str, type[Check]] = _classes(
    {
        "cpu": "checks.cpu:CpuCheck",
        "load": "checks.load:LoadCheck",
        "memory": "checks.memory:MemoryCheck",
        "pressure": "checks.pressure:PressureCheck",
        "disk": "checks.disk:DiskCheck",
        "process": "checks.process:ProcessCheck",
        "unit": "checks.unit:UnitCheck",
        "tcp": "checks.network_probe:TcpProbe",
        "http": "checks.network_probe:HttpProbe",
        "unix": "checks.network_probe:SocketProbe",
        "resolver": "checks.resolver:ResolverCheck",
        "connection": "checks.connection:ConnectionCheck",
        "link": "checks.link:LinkCheck",
        "local_ports": "checks.local_ports:LocalPortsCheck",
        "conntrack": "checks.conntrack:ConntrackCheck",
        "wakes": "checks.wakes:WakesCheck",
        "path": "checks.path:PathCheck",
        "temp_dir": "checks.temp_dir:TempDirCheck",
        "log": "checks.log:LogCheck",
        "deleted_log": "checks.log:DeletedLogCheck",
        "cache": "checks.cache:CacheCheck",
        "script": "checks.script:ScriptCheck",
        "oom": "checks.oom:OomCheck",
        "upgrade": "checks.upgrade:UpgradeCheck",
        "runaway": "checks.runaway:RunawayCheck",
        "leak": "checks.leak:LeakCheck",
        "certificate": "checks.certificate:CertificateCheck",
        "config": "checks.config:ConfigCheck",
        "drift": "checks.drift:DriftCheck",
        "sysctl": "checks.sysctl:SysctlCheck",
        "root_accounts": "checks.root_accounts:RootAccountsCheck",
        "setuid_files": "checks.setuid_files:SetuidFilesCheck",
        "clock": "checks.clock_step:ClockCheck",
        "engine": "checks.engine_health:EngineCheck",
        "job": "checks.job:JobCheck",
        "pool": "checks.pool:PoolCheck",
        "package": "checks.package:PackageCheck",
        "outdated_unit": "checks.outdated_unit:OutdatedUnitCheck",
        "journal": "checks.journal_size:JournalSizeCheck",
        "log_rate": "checks.log_rate:LogRateCheck",
        "log_archives": "checks.log_archives:LogArchivesCheck",
        "mount": "checks.mount:MountCheck",
        "clock_offset": "checks.clock_offset:ClockOffsetProbe",
        "time_daemon": "checks.clock_offset:TimeDaemonCheck",
        "uninterruptible": "checks.uninterruptible:UninterruptibleCheck",
        "log_source": "checks.log_source:LogSourceCheck",
        "log_templates": "checks.log_templates:LogTemplatesCheck",
        "log_latency": "checks.log_latency:LogLatencyCheck",
        "accounts": "checks.accounts:AccountsCheck",
        "log_queues": "checks.log_queues:LogQueuesCheck",
        "dataset": "checks.dataset:DatasetCheck",
    }
)

#: Name -> where its class is.
ACTIONS: Mapping[str, type[Action]] = _classes(
    {
        "restart_service": "actions.restart_service:RestartService",  # level 1 of most ladders: what is down comes back
        "clean_temp_files": "actions.clean_temp_files:CleanTempFiles",  # room, from what nobody used for long
        "rotate_logs": "actions.rotate_logs:RotateLogs",  # room, from what was written and is kept in small
        "truncate_deleted_log": "actions.truncate_deleted_log:TruncateDeletedLog",  # room, from what has no name any more
        "clear_cache": "actions.clear_cache:ClearCache",  # room, from what can be fetched again
        "create_directory": "actions.create_directory:CreateDirectory",  # what must be there
        "switch_resolver": "actions.switch_resolver:SwitchResolver",  # names, from those who stand in
        "restore_resolver": "actions.restore_resolver:RestoreResolver",  # and from the own name servers again
        "widen_port_range": "actions.port_range:WidenPortRange",  # ports to connect from, for a while
        "restore_port_range": "actions.port_range:RestorePortRange",  # and no longer than that
        "raise_conntrack_limit": "actions.conntrack_limit:RaiseConntrackLimit",  # connections to track, for a while
        "restore_conntrack_limit": "actions.conntrack_limit:RestoreConntrackLimit",  # and no longer than that
        "flush_resolver_cache": "actions.flush_resolver_cache:FlushResolverCache",  # names that are kept and wrong
        "restore_permissions": "actions.restore_permissions:RestorePermissions",  # what must be so, and no wider
        "remove_stale_pidfile": "actions.remove_stale_pidfile:RemoveStalePidfile",  # what keeps a dead service from starting
        "signal_parent": "actions.signal_parent:SignalParent",  # what only a parent can clear away
        "renice_process": "actions.renice_process:ReniceProcess",  # a runaway takes what nobody else wants
        "cap_cpu": "actions.cap_cpu:CapCpu",  # or at most so much, with all of its unit
        "kill_process": "actions.kill_process:KillProcess",  # and the last step, a person's
        "end_stuck_job": "actions.end_stuck_job:EndStuckJob",  # what comes to no end and keeps others waiting
        "clear_stale_lock": "actions.clear_stale_lock:ClearStaleLock",  # what keeps the next run from beginning
        "vacuum_journal": "actions.vacuum_journal:VacuumJournal",  # room, from what nobody reads any more
        "prune_log_archives": "actions.prune_log_archives:PruneLogArchives",  # room, from what was rotated long ago
        "compress_log_archives": "actions.compress_log_archives:CompressLogArchives",  # and from what was left unpacked
        "limit_log_rate": "actions.limit_log_rate:LimitLogRate",  # so that the others are heard
        "ban_address": "actions.ban_address:BanAddress",  # who tries one password after another, for a while
        "restart_time_daemon": "actions.restart_time_daemon:RestartTimeDaemon",  # so that the clock stays right
        "remount_read_write": "actions.remount_read_write:RemountReadWrite",  # where nothing is wrong with the disk
        "renew_certificate": "actions.renew_certificate:RenewCertificate",  # before it ends, by who issued it
        "change_certificate_authority": "actions.change_certificate_authority:ChangeCertificateAuthority",  # a person's word
        "reload_service": "actions.reload_service:ReloadService",  # what is renewed has to be shown
        "reset_pool": "actions.reset_pool:ResetPool",  # connections that somebody took and forgot
        "recycle_pool": "actions.recycle_pool:RecyclePool",  # the same where the application does it
        "restore_file": "actions.restore_file:RestoreFile",  # what somebody changed that was declared otherwise
        "restore_last_good": "actions.restore_last_good:RestoreLastGood",  # what keeps a service from starting
        "restore_sysctl": "actions.restore_sysctl:RestoreSysctl",  # the same of the kernel
        "lock_account": "actions.lock_account:LockAccount",  # who came to be root without anybody's word; a person's
        "quarantine_setuid": "actions.quarantine_setuid:QuarantineSetuid",  # and what would make anybody root
        "upgrade_debian_packages": "actions.upgrade_debian_packages:UpgradeDebianPackages",  # what is known to be weak
        "upgrade_python_packages": "actions.upgrade_python_packages:UpgradePythonPackages",  # what is known to be weak
        "repair_data": "actions.repair_data:RepairData",  # rows that are not as their contract says
        "quarantine_file": "actions.quarantine_file:QuarantineFile",  # or whole files, that nobody goes on with them
        "restore_data": "actions.restore_data:RestoreData",  # a file that cannot be read; a person's word
    }
)

#: What may be done where a configuration has no `actions:`: every action whose risk is low or medium.
MILD: frozenset[str] = frozenset(
    {
        "restart_service",
        "repair_data",
        "quarantine_file",
        "clean_temp_files",
        "rotate_logs",
        "truncate_deleted_log",
        "clear_cache",
        "create_directory",
        "restore_permissions",
        "remove_stale_pidfile",
        "signal_parent",
        "renice_process",
        "cap_cpu",
        "clear_stale_lock",
        "vacuum_journal",
        "limit_log_rate",
        "prune_log_archives",
        "compress_log_archives",
        "restart_time_daemon",
        "flush_resolver_cache",
        "renew_certificate",
        "reload_service",
        "recycle_pool",
        "upgrade_python_packages",
    }
)

#: What takes an action back. No list allows one by its own name: it may run where the action may, and by hand alone.
INVERSES: Mapping[str, type[Inverse]] = _classes(
    {
        "give_back_file": "actions.give_back_file:GiveBackFile",
        "give_back_permissions": "actions.give_back_permissions:GiveBackPermissions",
        "give_back_cpu_quota": "actions.give_back_cpu_quota:GiveBackCpuQuota",
        "give_back_priority": "actions.give_back_priority:GiveBackPriority",
        "give_back_sysctl": "actions.restore_sysctl:GiveBackSysctl",
        "put_back_file": "actions.put_back_file:PutBackFile",
        "unlock_account": "actions.unlock_account:UnlockAccount",
        "remove_made_directories": "actions.remove_made_directories:RemoveMadeDirectories",
        "lift_log_rate": "actions.lift_log_rate:LiftLogRate",
        "lift_ban": "actions.lift_ban:LiftBan",
        "reinstall_debian_packages": "actions.reinstall_debian_packages:ReinstallDebianPackages",
        "give_back_environment": "actions.give_back_environment:GiveBackEnvironment",
        "give_back_files": "actions.give_back_files:GiveBackFiles",
        "put_back_data": "actions.put_back_data:PutBackData",
        "put_back_rows": "actions.put_back_rows:PutBackRows",
    }
)

#: All are asked every time, in this order; the most restrictive answer wins.
GUARDS: tuple[Guard, ...] = (
    EmergencyStop(),  # a person's stop outranks everything, so it is asked before anything else can go wrong
    SafeMode(),  # acting itself looked dangerous; only people act
    Pause(),  # somebody works on it by hand, or an unknown outcome closed it
    Maintenance(),  # planned work is not a fault; some actions wait for planned hours
    Mode(),  # observe never changes anything
    AutoMitigate(),  # the agent was told only to tell
    AllowList(),  # what is not listed is not done, and an empty target never means all
    Protected(),  # some things are never touched, whatever is listed
    Ownership(),  # whoever owns it, or works on the host now, would fight the repair
    Stateful(),  # a database that recovers must not be killed
    StoppedByPerson(),  # a person's stop is not a fault
    Confirmation(),  # a log line may be old, forged or about something else
    ForeignState(),  # another machine's limits say nothing about this one
    Dependency(),  # what it depends on is repaired first
    StormBrake(),  # when everything looks sick, the observer is
    Lease(),  # two actions on one target undo each other
    Cooldown(),  # a repaired target is given time to show whether it holds
    RateLimit(),  # an engine that repairs without end is itself the fault
    Breaker(),  # what failed several times here will fail again
    Recurrence(),  # a fix that keeps coming back hides the fault
    Approval(),  # what is hard to take back is a person's to decide
    DryRun(),  # last, so that a plan is shown as possible only where all others agree
)


def extend(
    *, agents: Iterable[type[BaseAgent]] = (), checks: Iterable[type[Check]] = (), actions: Iterable[type[Action]] = ()
) -> None:
    """Add what a plug-in brings, once. Guards never come from outside.

    Raises:
        ValueError: if a name is taken already.
    """
    global AGENTS, CHECKS, ACTIONS, MILD  # noqa: PLW0603 - this page is the one list of what the product can do
    AGENTS = _with(AGENTS, "agent", {agent.name: agent for agent in agents})
    CHECKS = _with(CHECKS, "check", {check.kind: check for check in checks})
    added = {action.name: action for action in actions}
    ACTIONS = _with(ACTIONS, "action", added)
    MILD |= {name for name, action in added.items() if action.risk in (Risk.LOW, Risk.MEDIUM)}


def _with(known: Mapping[str, type[T]], what: str, added: Mapping[str, type[T]]) -> Mapping[str, type[T]]:
    new = {name: kind for name, kind in added.items() if name not in known or known[name] is not kind}
    if taken := next((name for name in new if name in known), None):
        raise _taken(what, taken)
    return later(lambda name: new[name] if name in new else known[name], (*known, *new)) if new else known


def _taken(what: str, name: str) -> ValueError:
    return ValueError(f"the {what} {name} is there already")
